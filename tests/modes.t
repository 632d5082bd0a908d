#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: the four modes, several vCPUs, layouts, and guests of one's own.
set -u
. "$(dirname "$0")/tap.sh"
in_lab --load
cd "$(mktemp -d)" || exit 1

for mode in real protected paged long; do
	is "$(kvmstat-guest run --mode $mode hello)" 'Hello, world!' "$mode mode: hello"
	is "$(kvmstat-guest run --mode $mode --vcpus 4 hello | sort)" \
		"$(for i in 0 1 2 3; do echo "vCPU $i: Hello, world!"; done)" "$mode mode: each of 4 vCPUs says hello"
	ok "$mode mode: its layout is what KVM has" kvmstat-guest layout --mode $mode --vcpus 2 hello
done
is "$(kvmstat-guest run --vcpus 2 trespass | sort)" $'vCPU 0: not mine\nvCPU 1: not mine' \
	"a neighbour's memory is a page fault of one's own"
relay '4 vCPUs' kvmstat-guest verify --vcpus 4
relay '16 vCPUs' kvmstat-guest verify --vcpus 16 hello touch cpuid

# Two vCPUs that do the same have the same counts, by the report, too.
kvmstat-report reset
kvmstat-guest run --vcpus 2 hello >/dev/null
is "$(kvmstat-report --format json | jq -c '[.vms[-1].vcpus[] | [.reasons[] | select(.name != "interrupt")
	| {name, exits}] | sort_by(.name)] | (.[0] == .[1]), .[0]')" \
	$'true\n[{"name":"hlt","exits":1},{"name":"io","exits":14},{"name":"npf","exits":6}]' \
	'two vCPUs: equal and exact'

layout=$(kvmstat-guest layout --vcpus 2 hello)
like "$layout" 'cr3 0x1000 .*cr3 0x4001000 ' 'layout: each vCPU has its own page tables'
like "$layout" '  0x00000400-0x00000407   0x04000400-0x04000407   0x[0-9a-f]+400  the answer' \
	'…and memory'
like "$layout" '\[  0\]      0x00000000 -> PDPT at 0x2000  W A' '…its tables, with flags'
like "$layout" '\[  0\]      0x00000000-0x00000fff -> 0x00000000-0x00000fff -> 0x[0-9a-f]+000  W A D' \
	'…down to the page that was written'
is "$(grep -c 'KVM_TRANSLATE): 0 differ' <<<"$layout")" 2 "…which KVM's own walk confirms"

cat >guest.S <<'EOF'
	.globl _start
_start:	mov $text, %esi
next:	lodsb
	out %al, $0xe9
	cmp $'\n', %al
	jne next
	hlt
text:	.ascii "my own\n"
EOF
build() { gcc -x assembler-with-cpp "$@" -nostdlib -static -no-pie guest.S; }
build -Wl,-Ttext-segment=0x200000 -o own64
build -m32 -Wl,-Ttext-segment=0x200000 -o own32
sed -i '1i .code16' guest.S
build -m32 -Wl,-Ttext=0x7c00 -Wl,--oformat=binary -o own.bin
is "$(kvmstat-guest run ./own64)" 'my own' 'a static 64-bit ELF'
is "$(kvmstat-guest run ./own32)" 'my own' 'a static 32-bit ELF'
is "$(kvmstat-guest run --mode paged ./own32)" 'my own' '…with paging'
is "$(kvmstat-guest run ./own.bin)" 'my own' 'a flat image, in real mode'
is "$(kvmstat-guest run --vcpus 2 ./own64 | sort)" $'vCPU 0: my own\nvCPU 1: my own' '…on two vCPUs'
status=$(kvmstat-guest run --mode long ./own32 2>err; echo $?)
is "$status" 1 '32-bit code in long mode is refused'
like "$(cat err)" 'is code for protected mode' '…with the reason'
printf '\t.globl _start\n_start: ud2\n' >guest.S && build -Wl,-Ttext-segment=0x200000 -o crash
status=$(kvmstat-guest run ./crash 2>err; echo $?)
is "$status" 1 'a guest that crashes fails'
like "$(cat err)" 'guest ./crash, vCPU 0: invalid opcode at rip 0x201000' '…where it does'
like "$(kvmstat-guest layout ./own64)" 'rip 0x2010' 'layout of a guest of your own'
done_testing
