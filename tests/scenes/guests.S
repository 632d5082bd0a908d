/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real-mode guests of the scenes. %esi: how often. Port 0x10: the VMM thinks.
 * Vector 0x40 is what the APIC's timer raises: x2APIC registers are MSRs (SDM
 * vol. 3, 11.12), and KVM's APIC counts nanoseconds.
 */
	.section .rodata
	.code16
	.globl guest_code
guest_code:
	.globl guest_cpuid
guest_cpuid:
1:	xor %eax, %eax
	cpuid
	dec %esi
	jnz 1b
	hlt

	.globl guest_think
guest_think:
	out %al, $0x10
	hlt

	.globl guest_compute
guest_compute:
1:	dec %esi
	jnz 1b
	out %al, $0x10
	hlt

	.globl guest_halt
guest_halt:
	mov $0x1b, %ecx		/* IA32_APIC_BASE: on, x2APIC */
	rdmsr
	or $0xc00, %eax
	wrmsr
	xor %edx, %edx
	mov $0x80f, %ecx		/* spurious vector: software enable */
	mov $0x1ff, %eax
	wrmsr
	mov $0x83e, %ecx		/* divide by 1 */
	mov $0xb, %eax
	wrmsr
	mov $0x832, %ecx		/* LVT timer: one shot, vector 0x40 */
	mov $0x40, %eax
	wrmsr
	mov $0x838, %ecx		/* initial count */
	mov $1000000000, %eax
	wrmsr
	sti
	hlt
	out %al, $0x10
1:	hlt
	jmp 1b

	.globl guest_timer
guest_timer:
	iretw

	.globl guest_end
guest_end:

	.section .note.GNU-stack, "", @progbits
