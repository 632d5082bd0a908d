/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guests in long mode: code that runs at GUEST_CODE, in ring 0, interrupts
 * off, with a stack and an IDT.
 *
 * On entry: RDI = how often to do it, RSI = how often to do it before that, as
 * a warm-up, RBP = guest-physical address of the vCPU's part. A body made by
 * 'measured' does its operation RSI times, says MARK_START, does it RDI times, says
 * MARK_STOP and halts: so what is counted between the marks is RDI operations and
 * the OUT of MARK_STOP itself, and no first touch of code, page tables or data.
 *
 * Operations may use RAX, RBX, RCX, RDX and, for their own state, R8 to R11.
 *
 * At MARK_STOP R14 has the TSC cycles since MARK_START, both of these not
 * included, of what says 'start' and 'stop' for them.
 */
#include "hypercalls.h"
#include "memory_map.h"

	.section .rodata
	.globl	guest_code, guest_code_end
	.balign	GUEST_PAGE
guest_code:

#include "bodies/measured.S"

halt:
	hlt
	jmp	halt

#include "bodies/hello.S"
#include "bodies/instructions.S"
#include "bodies/io.S"
#include "bodies/memory.S"
#include "bodies/exceptions.S"
#include "bodies/interrupts.S"
#include "bodies/hypercalls.S"

guest_code_end:
	.section .note.GNU-stack, "", @progbits
