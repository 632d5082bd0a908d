/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the IDT leads to where the guest has no handler of its own: the vector goes
 * to the VMM, which ends the guest. Copied to GUEST_EXCEPTIONS; the same bytes do in
 * each mode, but for the width of what PUSH pushes.
 */
#include "memory_map.h"

	.section .rodata
	.globl	guest_exceptions
guest_exceptions:
	vector = 0
	.rept	EXCEPTION_VECTORS
	.balign	EXCEPTION_STUB
	push	$vector
	out	%al, $PORT_EXCEPTION
	hlt
	vector = vector + 1
	.endr

	/* GUEST_RETURN: where a guest's first function returns to. */
	.balign	EXCEPTION_STUB
1:	hlt
	jmp	1b
	.balign	EXCEPTION_STUB		/* GUEST_STUBS_END */

	.section .note.GNU-stack, "", @progbits
