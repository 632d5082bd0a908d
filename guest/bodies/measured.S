/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What makes a body of an operation: see ../bodies.S. */

	.macro	mark which
	mov	$\which, %al
	out	%al, $PORT_MARK
	.endm

	/*
	 * RDTSC does not exit (guest 'rdtsc'). The last steps may be on a page further,
	 * which is touched before it counts.
	 */
	.macro	start end
	testb	$0, \end(%rip)
	mark	MARK_START
	mov	%rax, %r14
	mov	%rdx, %r15
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	xchg	%rax, %r14
	mov	%r15, %rdx
	.endm
	.macro	stop
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	sub	%r14, %rax
	mov	%rax, %r14
	mark	MARK_STOP
	.endm

	/* The operation follows, then 'end_measured'. */
	.macro	measured name
	.globl	body_\name
body_\name:
	xor	%r13d, %r13d		/* 0: warming up */
	mov	%rsi, %r12
	test	%r12, %r12
	jz	.Lstart_\name
.Lagain_\name:
	.endm

	.macro	end_measured name
	dec	%r12
	jnz	.Lagain_\name
	test	%r13, %r13
	jnz	.Lstop_\name
.Lstart_\name:
	start	.Lend_\name
	inc	%r13
	mov	%rdi, %r12
	jmp	.Lagain_\name
.Lstop_\name:
	stop
.Lend_\name:
	jmp	halt
	.endm
