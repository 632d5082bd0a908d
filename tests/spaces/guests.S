/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guests of tests/spaces do: see guests.h. */
	.section .rodata
	.globl	load_long, load_protected, load_end

	.code64
load_long:
1:	lodsq
	mov	%rax, %cr3
	loop	1b
	hlt

	.code32
load_protected:
1:	lodsl
	add	$4, %esi
	mov	%eax, %cr3
	loop	1b
	hlt
load_end:

	.section .note.GNU-stack, "", @progbits
