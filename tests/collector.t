#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The programs of the BPF collector, compiled for here and with the compiler's
# sanitizers, against the module's tally: random events, VMs that come and go, arrays
# that are full. tests/unit/bpf_user/ is what they take from libbpf's headers.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# clang's pragmas are for CO-RE, which stands still here. Functions that the verifier
# sees one by one have names that the module has, too.
build() {
	local program=$1
	shift
	"${CC:-gcc}" -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-unused-parameter \
		-Wno-unknown-pragmas -fsanitize=address,undefined -fno-sanitize-recover=all \
		'-D__noinline=static __attribute__((noinline, unused))' \
		-I tests/unit/bpf_user -I tests/unit -o "$work/$program" "$@" \
		"tests/unit/$program.c" tests/unit/collector_twin.c tests/unit/collector_user.c \
		bpf/snapshot.c module/tally.c user/device.c user/memory.c user/message.c || exit 1
}
build collector_fuzz
build collector_records
build collector_readers -Wl,--wrap=xgrow	# where it lets something happen
relay 'tally' "$work/collector_fuzz"
relay 'records' "$work/collector_records"
relay 'readers' "$work/collector_readers"
done_testing
