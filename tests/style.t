#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Static checks: the compilers' warnings, sparse, checkpatch, cppcheck, shellcheck.
# Prints TAP; any finding fails. KDIR: headers of the kernel to build for.
# shellcheck disable=SC2317 # called through check()
set -u
cd "$(dirname "$0")/.." || exit 1
kdir=${KDIR:?name the kernel headers, or use make style}
cache=${KVMSTAT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kvmstat}
n=0
failed=0
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# check NAME COMMAND…: silent and successful, or not ok
check() {
	local name=$1
	shift
	n=$((n + 1))
	if "$@" >"$out/log" 2>&1 && ! [ -s "$out/log" ]; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$out/log"
		failed=1
	fi
}

# Built apart, so that every file is compiled and checked.
module_sparse_and_w1() {
	rm -rf build/style
	tests/module-build "$kdir" build/style -s W=1 C=1
}
tools_warnings() {
	make -s BUILD=build/style/tools WERROR=1 tools
}

# checkpatch is in the kernel's source package alone; unpacked once.
fetch_checkpatch() {
	[ -x "$cache/checkpatch/checkpatch.pl" ] && return
	mkdir -p "$cache" || return
	local tmp
	tmp=$(mktemp -d "$cache/tmp.XXXXXX") || return
	chmod 755 "$tmp"
	echo "kvmstat: fetching checkpatch (linux-source)…" >&2
	(cd "$tmp" && apt-get download linux-source-6.1 >/dev/null 2>"$tmp/log" &&
		dpkg-deb --fsys-tarfile linux-source-6.1_*.deb |
		tar -xO ./usr/src/linux-source-6.1.tar.xz |
		tar -xJ --strip-components=2 --wildcards '*/scripts/checkpatch.pl' \
			'*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch') || {
		cat "$tmp/log" >&2
		rm -rf "$tmp"
		return 1
	}
	rm -f "$tmp"/*.deb "$tmp/log"
	mv -T "$tmp" "$cache/checkpatch" 2>/dev/null || rm -rf "$tmp"
}
run_checkpatch() {
	local ignore=$1
	shift
	git ls-files --cached --others --exclude-standard "$@" | grep '\.[ch]$' | xargs -r \
		perl "$cache/checkpatch/checkpatch.pl" --no-tree --terse --show-types \
		--no-summary --max-line-length=100 "--ignore=$ignore" --file
}
# compat.h is the place for version tests.
checkpatch_module() {
	run_checkpatch LINUX_VERSION_CODE,CONSTANT_COMPARISON module
}
# What kernel.h offers is not there for a user program; "usage: " names no function.
checkpatch_rest() {
	run_checkpatch ARRAY_SIZE,EMBEDDED_FUNCTION_NAME,PREFER_DEFINED_ATTRIBUTE_MACRO,SSCANF_TO_KSTRTO,CONSIDER_KSTRTO,STRCPY,STRLCPY,VOLATILE \
		user guest isolate tests
}
# What is in a kernel header the BPF programs cannot include; maps are declared by macros
# that are no expressions; and a variable may be named as its type is.
checkpatch_bpf() {
	run_checkpatch ARRAY_SIZE,NEW_TYPEDEFS,COMPLEX_MACRO,PREFER_DEFINED_ATTRIBUTE_MACRO,REPEATED_WORD,VOLATILE bpf
}

run_cppcheck() {
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --force \
		--enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppress=unknownMacro \
		-i build user guest isolate bpf tests
}
shell_scripts() {
	git ls-files --cached --others --exclude-standard | while read -r f; do
		[ -f "$f" ] && head -n 1 "$f" | grep -qE '^#!.*\b(ba)?sh\b|^# shellcheck shell=' && echo "$f"
	done
}
run_shellcheck() {
	# SC1091: sourced files are checked themselves; SC2317: functions called by name
	shell_scripts | xargs -r shellcheck -x -e SC1091,SC2317
}
spdx_everywhere() {
	git ls-files --cached --others --exclude-standard -- Kbuild Makefile module user guest isolate bpf share man completion tests .ci |
		while read -r f; do
			head -n 3 "$f" | grep -q 'SPDX-License-Identifier:' || echo "$f: no SPDX line"
		done
}
versions_in_compat_only() {
	grep -rnE 'LINUX_VERSION_CODE|KERNEL_VERSION\(' module --include='*.[ch]' |
		grep -v '^module/compat.h' || true
}

tests/deps build style || exit 1
fetch_checkpatch || exit 1
check 'module: W=1 and sparse' module_sparse_and_w1
check 'tools: no compiler warning' tools_warnings
check 'module: checkpatch' checkpatch_module
check 'user, guest, isolate, tests: checkpatch' checkpatch_rest
check 'bpf: checkpatch' checkpatch_bpf
check 'user, guest, isolate, bpf: cppcheck' run_cppcheck
check 'shell: shellcheck' run_shellcheck
check 'an SPDX line in each file' spdx_everywhere
check 'version tests in module/compat.h only' versions_in_compat_only
echo "1..$n"
exit $failed
