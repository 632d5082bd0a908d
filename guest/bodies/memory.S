/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page tables and what is behind them. */

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
