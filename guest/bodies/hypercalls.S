/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hypercalls by port (hypercalls.h). */

	measured print
	mov	$GUEST_CODE + (.Lline - guest_code), %eax
	mov	$PORT_PRINT, %edx
	out	%eax, %dx
	end_measured print
.Lline:	.asciz	"a whole line in one exit\n"

	measured exits
	mov	$PORT_EXITS, %edx
	in	%dx, %eax
	end_measured exits

	/* Prints what is in the file "in", and writes it to the file "out". */
	.macro	call port
	mov	$\port, %edx
	out	%eax, %dx
	mov	$PORT_RESULT, %edx
	in	%dx, %eax
	.endm
	.macro	open_file name length
	mov	$(GUEST_CODE + (\name - guest_code)) << HYPERCALL_LENGTH_BITS | \length, %eax
	call	PORT_OPEN
	.endm
	.globl	body_files
	.balign	256		/* on one page */
body_files:
	open_file .Lin 2
	mov	$GUEST_STACK - GUEST_PAGE, %ebx		/* a page that is its own */
	mov	%ebx, %eax
	shl	$HYPERCALL_LENGTH_BITS, %eax
	or	$HYPERCALL_LENGTH_MAX, %eax
	call	PORT_READ
	xor	%ecx, %ecx
	test	%eax, %eax
	cmovg	%eax, %ecx				/* bytes read */
	movb	$0, (%rbx, %rcx)
	mov	%ebx, %eax
	call	PORT_PRINT
	open_file .Lout 3
	mov	%ebx, %eax
	shl	$HYPERCALL_LENGTH_BITS, %eax
	or	%ecx, %eax
	call	PORT_WRITE
	xor	%eax, %eax
	call	PORT_CLOSE
	mov	$1, %eax
	call	PORT_CLOSE
	mov	$THE_ANSWER, %eax
	mov	%rax, GUEST_ANSWER
1:	hlt
	jmp	1b
.Lin:	.ascii	"in"
.Lout:	.ascii	"out"

	/* Any port of the hypercalls, with any value: a generator (xorshift) has no end of them. */
	.globl	body_hostile
body_hostile:
	mov	$2463534242, %r9d
	jmp	body_hostile_loop
	measured hostile_loop
	mov	%r9d, %eax
	shl	$13, %eax
	xor	%eax, %r9d
	mov	%r9d, %eax
	shr	$17, %eax
	xor	%eax, %r9d
	mov	%r9d, %eax
	shl	$5, %eax
	xor	%eax, %r9d
	mov	%r9d, %edx
	shr	$29, %edx				/* 0 to 7 */
	add	$PORT_PRINT, %edx
	mov	%r9d, %eax
	out	%eax, %dx
	end_measured hostile_loop
