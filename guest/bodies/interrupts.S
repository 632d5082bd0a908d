/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts: the APIC is in x2APIC mode already, and its registers are MSRs (SDM
 * vol. 3, 11.12.1; APM vol. 2, 16.11).
 */

	/* Clobbers RAX, RCX, RDX. */
	.macro	apic_write register, low, high=$0
	mov	$\register, %ecx
	mov	\low, %eax
	mov	\high, %edx
	wrmsr
	.endm

	.macro	enable_interrupts
	apic_write X2APIC_SIVR, $0x1ff	/* software-enabled */
	sti
	.endm

	.globl	handler_eoi, handler_eoi_next
handler_eoi:
	apic_write X2APIC_EOI, $0
	inc	%r9
	iretq

	/* Goes on at R8, wherever it was: nothing is lost between a test and HLT. */
handler_eoi_next:
	apic_write X2APIC_EOI, $0
	mov	%r8, (%rsp)
	iretq

	.globl	body_self_ipi
body_self_ipi:
	enable_interrupts
	jmp	body_self_ipi_loop
	measured self_ipi_loop
	apic_write X2APIC_SELF_IPI, $INTERRUPT_VECTOR
	end_measured self_ipi_loop

	/* One shot, of 50 us: KVM's APIC counts ns. R9: interrupts seen. */
	.globl	body_timer
body_timer:
	enable_interrupts
	apic_write X2APIC_DIVIDE, $0xb	/* by 1 */
	apic_write X2APIC_LVT_TIMER, $INTERRUPT_VECTOR
	jmp	body_timer_loop
	measured timer_loop
	xor	%r9d, %r9d
	apic_write X2APIC_INITIAL_COUNT, $50000
.Ltimer_wait:
	test	%r9, %r9
	jz	.Ltimer_wait
	end_measured timer_loop

	/* One's own handler, IDT and stack, before it counts. */
	.macro	warm_interrupt name
	lea	.Lwarm_\name(%rip), %r8
	apic_write X2APIC_SELF_IPI, $INTERRUPT_VECTOR
	hlt
.Lwarm_\name:
	.endm

	/*
	 * Two vCPUs in turn, APIC ids 2n and 2n + 1, of which the second begins. Both
	 * count before they send, for the answer may come at once. R10: the other's id.
	 */
	.globl	body_ipi
body_ipi:
	enable_interrupts
	warm_interrupt ipi
	mov	%rbp, %r10
	shr	$GUEST_PART_SHIFT, %r10
	xor	$1, %r10
	mov	%rdi, %r12
	test	$1, %r10
	jz	.Lsecond
	lea	.Lanswer(%rip), %r8
	start	.Lipi_end
	jmp	.Lipi_wait
.Lanswer:
	dec	%r12
	apic_write X2APIC_ICR, $INTERRUPT_VECTOR, %r10d
	test	%r12, %r12
	jz	.Lipi_stop
.Lipi_wait:
	hlt
	jmp	.Lipi_wait
.Lsecond:
	lea	.Lanswered(%rip), %r8
	start	.Lipi_end
.Lask:
	apic_write X2APIC_ICR, $INTERRUPT_VECTOR, %r10d
	jmp	.Lipi_wait
.Lanswered:
	dec	%r12
	jnz	.Lask
.Lipi_stop:
	stop
.Lipi_end:
	jmp	halt

	/*
	 * INIT, SIPI (SDM vol. 3, 9.4.4.1): the other vCPU starts in real mode, at a
	 * page below 1 MiB, which is of this one's part; says so by an IPI; and halts.
	 * It takes the number of starts that are left before that, not after.
	 */
	.globl	body_smp_start
body_smp_start:
	enable_interrupts
	warm_interrupt smp_start
	mov	%rdi, %r12
	lea	.Lstarted(%rip), %rsi
	mov	$GUEST_START, %edi
	mov	$(.Lstarted_end - .Lstarted), %ecx
	rep movsb
	lea	.Lis_up(%rip), %r8
	mark	MARK_START
.Lstart_next:
	mov	%r12d, GUEST_START + (.Lleft - .Lstarted)
	apic_write X2APIC_ICR, $0x4500, $1	/* INIT */
	apic_write X2APIC_ICR, $(0x4600 + (GUEST_START >> 12)), $1	/* SIPI */
.Lsmp_wait:
	hlt
	jmp	.Lsmp_wait
.Lis_up:
	dec	%r12
	jnz	.Lstart_next
	mark	MARK_STOP
	jmp	halt

	.code16
.Lstarted:
	mov	%cs:(.Lleft - .Lstarted), %ebx
	mov	$X2APIC_ICR, %ecx
	mov	$INTERRUPT_VECTOR, %eax
	xor	%edx, %edx
	wrmsr
	cmp	$1, %ebx
	je	2f
1:	hlt
	jmp	1b
2:	mov	$MARK_STOP, %al
	out	%al, $PORT_MARK
	.balign	4
.Lleft:
	.long	0
.Lstarted_end:
	.code64
