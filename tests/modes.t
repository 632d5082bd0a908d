#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: the four modes, several vCPUs, layouts, and guests of one's own.
# shellcheck disable=SC2016 # assembler has $, too
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
build_64() { build -Wl,-Ttext-segment=0x100000 "$@"; }
build_32() { build -m32 -Wl,-Ttext-segment=0x100000 "$@"; }
build_real() { sed -i '1i .code16' guest.S && build -m32 -Wl,-Ttext=0x7c00 -Wl,--oformat=binary "$@"; }
build_64 -o own64
build_32 -o own32
build_real -o own.bin
is "$(kvmstat-guest run ./own64)" 'my own' 'a static 64-bit ELF'
is "$(kvmstat-guest run ./own32)" 'my own' 'a static 32-bit ELF'
is "$(kvmstat-guest run --mode paged ./own32)" 'my own' '…with paging'
is "$(kvmstat-guest run ./own.bin)" 'my own' 'a flat image, in real mode'
is "$(kvmstat-guest run --vcpus 2 ./own64 | sort)" $'vCPU 0: my own\nvCPU 1: my own' '…on two vCPUs'
status=$(kvmstat-guest run --mode long ./own32 2>err; echo $?)
is "$status" 1 '32-bit code in long mode is refused'
like "$(cat err)" 'is code for protected mode' '…with the reason'
like "$(kvmstat-guest layout ./own64)" 'rip 0x1010.*0x00101000-0x0010101.*a segment of the file' \
	'layout of a guest of your own: what is in the file'
status=$(kvmstat-guest run --vcpus 2 ./own.bin 2>err; echo $?)
is "$status" 2 'a flat image has one vCPU'

# What ends badly says where, in every mode.
crash() {
	printf '\t.globl _start\n_start: mov $72, %%al\n out %%al, $0xe9\n %s\n' "$1" >guest.S
	build_64 -o crash-long
	build_32 -o crash-protected
	build_real -o crash-real
	for mode in long protected paged real; do
		local file=./crash-${mode/paged/protected}
		status=$(kvmstat-guest run --mode $mode "$file" 2>err; echo $?)
		is "$status" H1 "$mode mode, $1: what was printed before, and a failure"
		like "$(cat err)" "guest $file, vCPU 0: $2" '…where it happened'
	done
}
crash ud2 'invalid opcode at rip 0x(7c04|101004): rax 0x[0-9a-f]*48 '
crash 'xor %ecx, %ecx; div %ecx' 'divide error at rip 0x(7c07|101006): '
cat >guest.S <<'EOF'
	.globl _start
_start:	movl $1, 0x7654321
EOF
build_64 -o fault
is "$(kvmstat-guest run ./fault 2>&1 | cut -d: -f 1-3)" \
	'kvmstat: guest ./fault, vCPU 0: page fault at rip 0x101000, error code 0x2, address 0x7654321' \
	'a page fault says which address'
is "$(kvmstat-guest run --isolate ./fault 2>&1 | cut -d: -f 1-2)" 'kvmstat: guest ./fault, vCPU 0' '…in a jail, too'
# A guest may say what it likes at the port where exceptions are told.
printf '\t.globl _start\n_start: mov $0x3000000, %%esp\n out %%al, $0xf6\n' >guest.S && build_real -o wild
like "$(kvmstat-guest run ./wild 2>&1; echo $?)" 'unknown exception at rip 0x0.*1$' 'a stack pointer that leads nowhere'
# One vCPU never comes back, another crashes: all of it ends.
cat >guest.S <<'EOF'
	.globl _start
_start:	test %rbp, %rbp
	jz .
	ud2
EOF
build_64 -o alone
like "$(timeout 30 kvmstat-guest run --vcpus 3 ./alone 2>&1; echo $?)" 'vCPU [12]: invalid opcode.*1$' \
	'a vCPU that fails ends the others, and waits for none'
# C, with a stack to its liking, and an end that is a return.
cat >guest.c <<'EOF'
void _start(void)
{
	volatile _Alignas(16) char text[16] = "returns\n";
	const volatile char *c;

	if ((unsigned long)text % 16)
		return;
	for (c = text; *c; c++)
		__asm__ volatile("outb %0, $0xe9" : : "a"(*c));
}
EOF
for bits in 64 32; do
	gcc -m$bits -O2 -ffreestanding -nostdlib -static -no-pie -Wl,-Ttext-segment=0x100000 guest.c -o c$bits
	is "$(kvmstat-guest run ./c$bits)" returns "C, $bits bits: its first function returns"
done
# What it has printed is there, though it never ends.
printf '\t.globl _start\n_start: mov $72, %%al\n out %%al, $0xe9\n mov $10, %%al\n out %%al, $0xe9\n jmp .\n' >guest.S
build_64 -o endless
is "$(timeout 5 kvmstat-guest run ./endless | cat)" H 'an endless guest: its lines are there'
is "$(timeout 60 kvmstat-guest run --count 4000000000 print 2>&1 >/dev/full; echo $?)" \
	$'kvmstat: cannot write the results to standard output: No space left on device\n1' 'a full disk ends a guest'
# Page tables that lead to themselves.
cat >guest.S <<'EOF'
	.globl _start
_start:	mov %cr3, %rax
	or $3, %rax
	mov %rax, 0x1ff8
	hlt
EOF
build_64 -o recursive
layout=$(timeout 60 kvmstat-guest layout ./recursive)
is $? 0 'page tables that lead to themselves have an end'
like "$layout" '\[511\]      0xffffff8000000000 -> PDPT at 0x1000 .*for 0xffffff8000000000 and up: see above' \
	'…and addresses are canonical'
done_testing
