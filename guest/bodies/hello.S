/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that print something. */

	.globl	body_hello
body_hello:
	lea	.Ltext(%rip), %rbx
.Lnext:
	mov	(%rbx), %al
	test	%al, %al
	jz	.Lprinted
	out	%al, $PORT_PUTC
	inc	%rbx
	jmp	.Lnext
.Lprinted:
	mov	$THE_ANSWER, %eax
	mov	%rax, GUEST_ANSWER
	jmp	halt
.Ltext:
	.asciz	"Hello, world!\n"

	/* Leaf 1 says that it is in a VM, leaf 0x40000000 in whose. Without: no answer. */
	.globl	body_signature
body_signature:
	mov	$1, %eax
	cpuid
	bt	$31, %ecx
	jnc	halt
	mov	$0x40000000, %eax
	cpuid
	mov	%ebx, GUEST_SCRATCH
	mov	%ecx, GUEST_SCRATCH + 4
	mov	%edx, GUEST_SCRATCH + 8
	movb	$0, GUEST_SCRATCH + 12
	mov	$GUEST_SCRATCH, %eax
	out	%eax, $PORT_PRINT
	mov	$'\n', %al
	out	%al, $PORT_PUTC
	jmp	.Lprinted

	/* Its own part ends at GUEST_PART, and another vCPU's may be behind it. */
	.globl	body_trespass
body_trespass:
	mov	GUEST_PART, %rax
	jmp	halt			/* without the answer: it was let in */
	.globl	body_trespass_fault
body_trespass_fault:
	mov	%cr2, %rax
	cmp	$GUEST_PART, %rax
	jne	halt
	lea	.Lnot_mine(%rip), %rbx
	jmp	.Lnext
.Lnot_mine:
	.asciz	"not mine\n"
