/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guests of tests/leaf do, once as 16-bit code and once as 64-bit code;
 * %esi: how often. At CPL 3 there is no HLT: OUT to port 0x20 is the end there.
 */
	.section .rodata

	.macro body name, mode
	.globl \name\()_\mode
\name\()_\mode:
	.endm

	.macro bodies mode, end:vararg
	body cpuid, \mode
1:	xor %eax, %eax
	cpuid
	sub $1, %esi
	jnz 1b
	\end
	body out, \mode
1:	out %al, $0x10
	sub $1, %esi
	jnz 1b
	\end
	body leaf, \mode
	cpuid
	\end
	body vmcall, \mode
	vmcall
	\end
	body vmmcall, \mode
	vmmcall
	\end
	/* Both ways to ask for the total; %ebp: the leaf, %edi: the hypercall's number */
	.irp call, vmcall, vmmcall
	body ask_\call, \mode
1:	mov %ebp, %eax
	cpuid
	mov %edi, %eax
	xor %ebx, %ebx
	\call
	sub $1, %esi
	jnz 1b
	\end
	.endr
	.endm

	.globl guest_code
guest_code:
	.code16
	bodies real, hlt
	.code64
	bodies long, hlt
	bodies user, out %al, $0x20
	.globl guest_end
guest_end:

	.section .note.GNU-stack, "", @progbits
