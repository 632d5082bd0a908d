/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hello in real mode, and in 32-bit protected mode, with paging or without. */
#include "memory_map.h"

	/* All of it, in either. Expects in \pointer where the text is. */
	.macro	hello pointer
1:	mov	(\pointer), %al
	test	%al, %al
	jz	2f
	out	%al, $PORT_PUTC
	inc	\pointer
	jmp	1b
2:	mov	$THE_ANSWER, %eax
	mov	%eax, GUEST_ANSWER
3:	hlt
	jmp	3b
	.endm

	.section .rodata
	.globl	code_real, code_real_end, body_hello_real
	.code16
code_real:
body_hello_real:
	mov	$(text_real - code_real + GUEST_CODE_REAL), %bx
	hello	%bx
text_real:
	.asciz	"Hello, world!\n"
code_real_end:

	.globl	code_32, code_32_end, body_hello_32
	.code32
code_32:
body_hello_32:
	mov	$(text_32 - code_32 + GUEST_CODE), %ebx
	hello	%ebx
text_32:
	.asciz	"Hello, world!\n"
code_32_end:

	.section .note.GNU-stack, "", @progbits
