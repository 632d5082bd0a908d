/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guests in long mode: code that runs at GUEST_CODE, in ring 0, interrupts
 * off, with a stack and an IDT.
 *
 * On entry: RDI = how often to do it, RSI = how often to do it before that, as
 * a warm-up, RBP = guest-physical address of the vCPU's part. A body made by 'measured' does its operation RSI times, says
 * MARK_START, does it RDI times, says MARK_STOP and halts: so what is counted
 * between the marks is RDI operations and the OUT of MARK_STOP itself, and no
 * first touch of code, page tables or data.
 *
 * Operations may use RAX, RBX, RCX, RDX and, for their own state, R8 to R11.
 */
#include "memory_map.h"

	.section .rodata
	.globl	guest_code, guest_code_end, guest_exceptions
	.balign	GUEST_PAGE
guest_code:

	/* An exception that nobody expects: its vector to the VMM, which ends it. */
guest_exceptions:
	vector = 0
	.rept	32
	.balign	8		/* STUB_SIZE in exceptions.c */
	mov	$vector, %al
	out	%al, $PORT_EXCEPTION
	hlt
	vector = vector + 1
	.endr

	.macro	mark which
	mov	$\which, %al
	out	%al, $PORT_MARK
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
	mark	MARK_START
	inc	%r13
	mov	%rdi, %r12
	jmp	.Lagain_\name
.Lstop_\name:
	mark	MARK_STOP
	jmp	halt
	.endm

halt:
	hlt
	jmp	halt

	.globl	body_hello
body_hello:
	lea	.Ltext(%rip), %rbx
.Lnext:
	mov	(%rbx), %al
	test	%al, %al
	jz	.Lprinted
	out	%al, $PORT_PUTC
	inc	%rbx
	jmp	.Lnext
.Lprinted:
	mov	$THE_ANSWER, %eax
	mov	%rax, GUEST_ANSWER
	jmp	halt
.Ltext:
	.asciz	"Hello, world!\n"

	/* Its own part ends at GUEST_PART, and another vCPU's may be behind it. */
	.globl	body_trespass
body_trespass:
	mov	GUEST_PART, %rax
	jmp	halt			/* without the answer: it was let in */
	.globl	body_trespass_fault
body_trespass_fault:
	mov	%cr2, %rax
	cmp	$GUEST_PART, %rax
	jne	halt
	lea	.Lnot_mine(%rip), %rbx
	jmp	.Lnext
.Lnot_mine:
	.asciz	"not mine\n"

	measured cpuid
	xor	%eax, %eax
	xor	%ecx, %ecx
	cpuid
	end_measured cpuid

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
	 * Walking the arena. The last page of each 2 MiB is touched beforehand:
	 * that maps the page tables, so a first touch is one fault and no more.
	 */
	.macro	warm_arena name
	mov	$GUEST_ARENA + 511 * GUEST_PAGE, %ebx
.Lwarm_\name:
	movb	$1, (%rbx)
	add	$512 * GUEST_PAGE, %rbx
	cmp	$GUEST_PART, %rbx
	jb	.Lwarm_\name
	mov	$GUEST_ARENA, %r8d
	.endm

	/* R8: the page to touch; on to the next but the last of each 2 MiB. */
	.macro	touch_next name
	movb	$1, (%r8)
	add	$GUEST_PAGE, %r8
	mov	%r8d, %eax
	and	$511 * GUEST_PAGE, %eax
	cmp	$511 * GUEST_PAGE, %eax
	jne	.Lsame_\name
	add	$GUEST_PAGE, %r8
.Lsame_\name:
	.endm

	.globl	body_touch
body_touch:
	warm_arena touch
	jmp	body_touch_loop
	measured touch_loop
	touch_next touch
	end_measured touch_loop

	/* The same pages twice; the second time is measured. */
	.globl	body_touch_again
body_touch_again:
	warm_arena touch_again
	mov	%rdi, %rsi
	mov	%rdi, %r9
	jmp	body_touch_again_loop
	measured touch_again_loop
	test	%r9, %r9
	jnz	.Lon
	mov	$GUEST_ARENA, %r8d
	mov	$-1, %r9
.Lon:
	dec	%r9
	touch_next touch_again
	end_measured touch_again_loop

	/* The value that is there already: KVM sees it all the same. */
	measured cr3_write
	lea	GUEST_PML4(%rbp), %rax
	mov	%rax, %cr3
	end_measured cr3_write

	measured invlpg
	mov	$GUEST_WINDOW, %eax
	invlpg	(%rax)
	end_measured invlpg

	/*
	 * A page-table entry that was not present is filled in, and its page
	 * touched: no INVLPG is due. All entries lead to the page of the answer,
	 * which is mapped already.
	 */
	.globl	body_pte_edit
body_pte_edit:
	movb	$1, GUEST_ANSWER
	mov	$GUEST_PT_WINDOW, %r8d
	mov	$GUEST_WINDOW, %r9d
	jmp	body_pte_edit_loop
	measured pte_edit_loop
	lea	3(%rbp), %rax		/* its page 0, present, writable */
	mov	%rax, (%r8)
	movb	$1, (%r9)
	add	$8, %r8
	add	$GUEST_PAGE, %r9
	end_measured pte_edit_loop

guest_code_end:
	.section .note.GNU-stack, "", @progbits
