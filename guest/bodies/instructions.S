/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One instruction of those that exit, or that people think do. */

	measured cpuid
	xor	%eax, %eax
	xor	%ecx, %ecx
	cpuid
	end_measured cpuid

	/* IA32_BIOS_SIGN_ID: KVM intercepts it and ignores what is written. */
	measured msr_read
	mov	$0x8b, %ecx
	rdmsr
	end_measured msr_read

	measured msr_write
	mov	$0x8b, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
	end_measured msr_write

	measured hlt
	hlt
	end_measured hlt

	/* KVM_HC_VAPIC_POLL_IRQ (1): does nothing and returns 0. */
	measured vmcall
	mov	$1, %eax
	vmcall
	end_measured vmcall

	measured vmmcall
	mov	$1, %eax
	vmmcall
	end_measured vmmcall

	/*
	 * Control registers. AM (bit 18), MCE (bit 6) and DE (bit 3) are of no
	 * consequence here; TS (bit 3 of CR0) is the FPU's, which nobody uses.
	 */
	measured cr0_read
	mov	%cr0, %rax
	end_measured cr0_read

	/* One MOV to the register each; what is read first is read once. */
	.macro	flipping name, register, bit
	.globl	body_\name
body_\name:
	mov	%\register, %r8
	jmp	body_\name\()_loop
	measured \name\()_loop
	btc	$\bit, %r8
	mov	%r8, %\register
	end_measured \name\()_loop
	.endm

	flipping cr0_write, cr0, 18
	flipping cr0_ts, cr0, 3
	flipping cr4_write, cr4, 6
	flipping cr4_de, cr4, 3
	flipping cr8_write, cr8, 0

	measured cr4_read
	mov	%cr4, %rax
	end_measured cr4_read

	measured cr8_read
	mov	%cr8, %rax
	end_measured cr8_read

	measured dr_read
	mov	%dr0, %rax
	end_measured dr_read

	measured dr_write
	xor	%eax, %eax
	mov	%rax, %dr0
	end_measured dr_write

	measured wbinvd
	wbinvd
	end_measured wbinvd

	measured invd
	invd
	end_measured invd

	/* XCR0 may be written once CR4.OSXSAVE (bit 18) is set; bit 0, x87, must be. */
	.globl	body_xsetbv
body_xsetbv:
	mov	%cr4, %rax
	bts	$18, %rax
	mov	%rax, %cr4
	jmp	body_xsetbv_loop
	measured xsetbv_loop
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$1, %eax
	xsetbv
	end_measured xsetbv_loop

	measured rdtsc
	rdtsc
	end_measured rdtsc

	measured sidt
	sidt	GUEST_SCRATCH
	end_measured sidt

	measured sgdt
	sgdt	GUEST_SCRATCH
	end_measured sgdt

	measured smsw
	smsw	%eax
	end_measured smsw

	measured pause
	pause
	end_measured pause
