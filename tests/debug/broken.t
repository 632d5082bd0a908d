#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whether make check-debug would notice: copies of the module, each with one defect
# put in on purpose (defects.h), under the same watch as the tests.
set -u
self=$(realpath "$0")
debug=$(dirname "$self")
. "$debug/../tap.sh"

if [ -n "${LAB_OUT:-}" ]; then
	ok insmod insmod "$1"
	[ "$2" != leaves ] || ok rmmod rmmod kvmstat
	done_testing
fi

cd "$debug/../.." || exit 1
dir=$(tests/lab/kernel 6.1-debug) || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# build_with DEFECT: prints the path of the module
build_with() {
	local copy=build/broken/$1
	rm -rf "$copy"
	mkdir -p "$copy/tests"
	cp -r Kbuild module "$copy/"
	cp tests/module-build "$copy/tests/"
	cp tests/debug/defects.h "$copy/module/"
	sed -i -e 's/^#include "debugfs\.h"$/&\n#include "defects.h"/' \
		-e 's/^	kvmstat_debugfs_init();$/&\n	defect();/' "$copy/module/main.c"
	[ "$(grep -c defect "$copy/module/main.c")" = 2 ] || {
		echo '# module/main.c has not the two lines that defects are put behind' >&2
		return 1
	}
	(cd "$copy" && tests/module-build "$dir/build" build -s "KCFLAGS=-DDEFECT=$1") >&2 || return
	echo "$PWD/$copy/build/$(cat "$dir/release")/kvmstat.ko"
}

# watch_with DEFECT stays|leaves: sets status
watch_with() {
	local ko
	ko=$(build_with "$1") || { verdict 1 "$1: a module with that defect is built"; return; }
	tests/lab/run --kernel "$dir" -- \
		tests/debug/watched "$1" "$self" "$ko" "$2" >"$out/$1" 2>&1
	status=$?
}

# caught DEFECT STATUS REPORT [stays|leaves]
caught() {
	watch_with "$1" "${4:-leaves}" || return
	is "$status" "$2" "$1: the watch fails"
	ok "$1: …with the report" grep -E "$3" "$out/$1" || sed 's/^/#   /' "$out/$1"
}

watch_with NONE leaves
is "$status" 0 'no defect: nothing is reported' || sed 's/^/#   /' "$out/NONE"
caught USE_AFTER_FREE 122 'BUG: KASAN: (slab-)?use-after-free in .*\[kvmstat\]'
caught OUT_OF_BOUNDS 122 'BUG: KASAN: slab-out-of-bounds in .*\[kvmstat\]'
caught SLEEP_UNDER_LOCK 122 'BUG: sleeping function called from invalid context'
caught LOCK_ORDER 122 'WARNING: possible circular locking dependency detected'
caught UNDEFINED 122 'UBSAN: shift-out-of-bounds'
caught LEAK 1 '^# .*\] defect.*\[kvmstat\]|\[kvmstat\]' stays
caught LEAK_GONE 1 'unreferenced object 0x'
done_testing
