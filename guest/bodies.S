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

	.macro	mark which
	mov	$\which, %al
	out	%al, $PORT_MARK
	.endm

	/*
	 * RDTSC does not exit (guest 'rdtsc'). The last steps may be on a page further,
	 * which is touched before it counts.
	 */
	.macro	start end
	testb	$0, \end(%rip)
	mark	MARK_START
	mov	%rax, %r14
	mov	%rdx, %r15
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	xchg	%rax, %r14
	mov	%r15, %rdx
	.endm
	.macro	stop
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	sub	%r14, %rax
	mov	%rax, %r14
	mark	MARK_STOP
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
	start	.Lend_\name
	inc	%r13
	mov	%rdi, %r12
	jmp	.Lagain_\name
.Lstop_\name:
	stop
.Lend_\name:
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

	/* Leaf 1 says that it is in a VM, leaf 0x40000000 in whose. Without: no answer. */
	.globl	body_signature
body_signature:
	mov	$1, %eax
	cpuid
	bt	$31, %ecx
	jnc	halt
	mov	$0x40000000, %eax
	cpuid
	mov	%ebx, GUEST_SCRATCH
	mov	%ecx, GUEST_SCRATCH + 4
	mov	%edx, GUEST_SCRATCH + 8
	movb	$0, GUEST_SCRATCH + 12
	mov	$GUEST_SCRATCH, %eax
	out	%eax, $PORT_PRINT
	mov	$'\n', %al
	out	%al, $PORT_PUTC
	jmp	.Lprinted

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

	/*
	 * Exceptions. R11: where to go on after a fault, whose frame has the address
	 * of the instruction itself.
	 */
	.globl	handler_resume, handler_resume_code, handler_step, handler_return
handler_resume_code:
	add	$8, %rsp		/* the error code */
handler_resume:
	mov	%r11, (%rsp)
handler_return:
	iretq

	.macro	faulting name, instruction:vararg
	measured \name
	lea	.Lafter_\name(%rip), %r11
	\instruction
.Lafter_\name:
	end_measured \name
	.endm

	/* Counter 0, which the guest's CPU has or has not. */
	.globl	body_rdpmc
body_rdpmc:
	xor	%ecx, %ecx
	jmp	body_rdpmc_loop
	faulting rdpmc_loop, rdpmc

	.globl	body_monitor
body_monitor:
	lea	GUEST_SCRATCH, %rax
	xor	%ecx, %ecx
	xor	%edx, %edx
	jmp	body_monitor_loop
	faulting monitor_loop, monitor

	.globl	body_mwait
body_mwait:
	xor	%eax, %eax
	xor	%ecx, %ecx
	jmp	body_mwait_loop
	faulting mwait_loop, mwait

	/* RAX: an address that would be valid, else #GP comes first. */
	measured vmrun
	lea	.Lafter_vmrun(%rip), %r11
	xor	%eax, %eax
	vmrun
.Lafter_vmrun:
	end_measured vmrun
	faulting vmlaunch, vmlaunch
	faulting ud, ud2

	.globl	body_de
body_de:
	xor	%ecx, %ecx
	jmp	body_de_loop
	faulting de_loop, div %ecx

	/* Behind its part nothing is mapped. */
	faulting page_fault, movb GUEST_PART, %al

	measured bp
	int3
	end_measured bp

	/* A single step: RFLAGS.TF (bit 8) traps after the instruction behind POPF. */
handler_step:
	btrq	$8, 16(%rsp)
	iretq
	measured db
	pushf
	btsq	$8, (%rsp)
	popf
	nop
	end_measured db

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

	/*
	 * Address spaces: copies of the top table, at the start of the arena. RAX: the
	 * next one's. Each runs once in the warm-up.
	 */
	.globl	body_cr3_switch
body_cr3_switch:
	warm_arena cr3_switch
	mov	%rdi, %r9
	mov	$GUEST_ARENA, %edi
	mov	$CR3_SPACES, %edx
.Lspace:
	mov	$GUEST_PML4, %esi
	mov	$512, %ecx
	rep movsq
	dec	%edx
	jnz	.Lspace
	mov	%r9, %rdi
	mov	$CR3_SPACES, %esi
	xor	%r8d, %r8d
	jmp	body_cr3_switch_loop
	measured cr3_switch_loop
	mov	%r8, %rax
	and	$CR3_SPACES - 1, %eax
	shl	$12, %eax
	lea	GUEST_ARENA(%rbp, %rax), %rax
	mov	%rax, %cr3
	inc	%r8
	end_measured cr3_switch_loop

	/* The window, 2 MiB at a time, shows what is behind the arena's addresses. */
	.macro	map_large name
	lea	GUEST_ARENA + 0x83(%rbp), %rax	/* present, writable, large */
	mov	$GUEST_PD_WINDOW + 8, %ebx
.Lmap_\name:
	mov	%rax, (%rbx)
	add	$0x200000, %rax
	add	$8, %ebx
	cmp	$GUEST_PD_WINDOW + 8 * (GUEST_PART / 0x200000), %ebx
	jb	.Lmap_\name
	mov	$GUEST_WINDOW + GUEST_ARENA, %r8d
	movb	$1, (%r8)		/* the tables on the way to it */
	.endm

	.globl	body_touch_large
body_touch_large:
	map_large touch_large
	add	$GUEST_PAGE, %r8
	jmp	body_touch_large_loop
	measured touch_large_loop
	movb	$1, (%r8)
	add	$GUEST_PAGE, %r8
	end_measured touch_large_loop

	.globl	body_touch_huge
body_touch_huge:
	map_large touch_huge
	add	$0x200000, %r8
	jmp	body_touch_huge_loop
	measured touch_huge_loop
	movb	$1, (%r8)
	add	$0x200000, %r8
	end_measured touch_huge_loop

	/* All pages once; without CALL, for the stack is memory, too. */
	.macro	walk name
	mov	$GUEST_ARENA, %r8d
	mov	%rdi, %r12
.Lwalk_\name:
	touch_next \name
	dec	%r12
	jnz	.Lwalk_\name
	.endm

	/*
	 * After the host's turn the page tables are touched first (warm_arena), so that
	 * what is measured is the pages themselves.
	 */
	.globl	body_after_host, body_after_host_twice
body_after_host_twice:
	warm_arena twice
	walk	twice
	mark	MARK_HOST
body_after_host:
	warm_arena before_host
	walk	before_host
	mark	MARK_HOST
	warm_arena after_host
	mark	MARK_START
	walk	after_host
	mark	MARK_STOP
	jmp	halt

	/*
	 * Copy-on-write, with CR0.WP (bit 16) set, without which ring 0 may write where
	 * it likes. R8: the page to write to, in the window; R10: the next free page,
	 * in the arena; R9: the count.
	 */
	.macro	cow_prologue name, flags
	mov	%cr0, %rax
	bts	$16, %rax
	mov	%rax, %cr0
	warm_arena \name
	mov	%rdi, %r9
	lea	\flags(%rbp), %rax	/* all lead to its page 0 */
	mov	$GUEST_PT_WINDOW, %edi
	mov	$512, %ecx
	rep stosq
	mov	%r9, %rdi
	mov	$GUEST_WINDOW, %r8d
	mov	$GUEST_ARENA, %r10d
	.endm

	/* #PF: a copy takes the place of the page that may not be written to. */
	.globl	handler_cow
handler_cow:
	add	$8, %rsp		/* the error code */
	xor	%esi, %esi
	mov	%r10, %rdi
	mov	$512, %ecx
	rep movsq
	mov	%r9, %rdi
	mov	%cr2, %rbx
	mov	%ebx, %ecx
	sub	$GUEST_WINDOW, %ecx
	shr	$12, %ecx
	lea	3(%rbp, %r10), %rax	/* present, writable */
	mov	%rax, GUEST_PT_WINDOW(, %rcx, 8)
	invlpg	(%rbx)
	add	$GUEST_PAGE, %r10
	iretq

	.globl	body_cow
body_cow:
	cow_prologue cow, 1
	jmp	body_cow_loop
	measured cow_loop
	movb	$1, (%r8)
	add	$GUEST_PAGE, %r8
	end_measured cow_loop

	/*
	 * What fork does for each page: it takes the right to write away, enters the
	 * page into the child's table too, flushes the TLB; then the parent writes.
	 * R11: the entry.
	 */
	.globl	body_fork
body_fork:
	cow_prologue fork, 3
	mov	$GUEST_PT_WINDOW, %r11d
	jmp	body_fork_loop
	measured fork_loop
	mov	(%r11), %rax
	btr	$1, %rax
	mov	%rax, (%r11)
	mov	%rax, GUEST_FORK_PT - GUEST_PT_WINDOW(%r11)
	mov	%cr3, %rax
	mov	%rax, %cr3
	movb	$1, (%r8)
	add	$GUEST_PAGE, %r8
	add	$8, %r11
	end_measured fork_loop

	/*
	 * Interrupts: the APIC is in x2APIC mode already, and its registers are MSRs
	 * (SDM vol. 3, 11.12.1; APM vol. 2, 16.11). Clobbers RAX, RCX, RDX.
	 */
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

	/*
	 * Hypercalls by port (hypercalls.h).
	 */
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

guest_code_end:
	.section .note.GNU-stack, "", @progbits
