/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports and MMIO that userspace handles, or the host at once. */

	measured port_out
	out	%al, $PORT_NOBODY
	end_measured port_out

	measured port_in
	in	$PORT_NOBODY, %al
	end_measured port_in

	measured mmio
	mov	$GUEST_MMIO, %ebx
	mov	%eax, (%rbx)
	end_measured mmio

	/* String I/O, at a port that userspace handles. */
	.globl	body_outs
body_outs:
	mov	$PORT_NOBODY, %edx
	jmp	body_outs_loop
	measured outs_loop
	mov	$GUEST_SCRATCH, %esi
	mov	$OUTS_BYTES, %ecx
	rep outsb
	end_measured outs_loop

	.globl	body_ins
body_ins:
	mov	$PORT_NOBODY, %edx
	mov	%rdi, %r8
	jmp	body_ins_loop
	measured ins_loop
	mov	$GUEST_ARENA, %edi
	mov	$INS_BYTES, %ecx
	rep insb
	mov	%r8, %rdi
	end_measured ins_loop

	/* At what the host did not leave to userspace. */
	measured event
	out	%al, $PORT_EVENT
	end_measured event
