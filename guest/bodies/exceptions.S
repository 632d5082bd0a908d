/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions. R11: where to go on after a fault, whose frame has the address of the
 * instruction itself.
 */

	.globl	handler_resume, handler_resume_code, handler_step, handler_return
handler_resume_code:
	add	$8, %rsp		/* the error code */
handler_resume:
	mov	%r11, (%rsp)
handler_return:
	iretq

	.macro	faulting name, instruction:vararg
	measured \name
	lea	.Lafter_\name(%rip), %r11
	\instruction
.Lafter_\name:
	end_measured \name
	.endm

	/* Counter 0, which the guest's CPU has or has not. */
	.globl	body_rdpmc
body_rdpmc:
	xor	%ecx, %ecx
	jmp	body_rdpmc_loop
	faulting rdpmc_loop, rdpmc

	.globl	body_monitor
body_monitor:
	lea	GUEST_SCRATCH, %rax
	xor	%ecx, %ecx
	xor	%edx, %edx
	jmp	body_monitor_loop
	faulting monitor_loop, monitor

	.globl	body_mwait
body_mwait:
	xor	%eax, %eax
	xor	%ecx, %ecx
	jmp	body_mwait_loop
	faulting mwait_loop, mwait

	/* RAX: an address that would be valid, else #GP comes first. */
	measured vmrun
	lea	.Lafter_vmrun(%rip), %r11
	xor	%eax, %eax
	vmrun
.Lafter_vmrun:
	end_measured vmrun
	faulting vmlaunch, vmlaunch
	faulting ud, ud2

	.globl	body_de
body_de:
	xor	%ecx, %ecx
	jmp	body_de_loop
	faulting de_loop, div %ecx

	/* Behind its part nothing is mapped. */
	faulting page_fault, movb GUEST_PART, %al

	measured bp
	int3
	end_measured bp

	/* A single step: RFLAGS.TF (bit 8) traps after the instruction behind POPF. */
handler_step:
	btrq	$8, 16(%rsp)
	iretq
	measured db
	pushf
	btsq	$8, (%rsp)
	popf
	nop
	end_measured db
