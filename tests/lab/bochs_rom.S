/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system ROM of the lab's Intel machine, in the place of a BIOS: from the
 * reset vector into long mode and into the kernel. Everything else was put in
 * memory before the first instruction (bochs_image.c has the layout).
 */
	.set	LOW, 0x10000		/* page tables, boot_params, command line */
	.set	BOOT_PARAMS, LOW + 0x6000
	.set	LAYOUT, LOW + 0x7f00	/* what bochs_image.c says: three 64-bit words */
	.set	SEGMENT, 0xf000		/* the ROM's last 64 KiB */

	.code16
	.globl	_start
_start:
	cli
	cld
	mov	$2, %al			/* A20 (port 0x92) */
	out	%al, $0x92
	mov	$0xff, %al		/* no interrupts from the 8259s until they are set up */
	out	%al, $0x21
	out	%al, $0xa1
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	gdt_pointer
	mov	$LOW, %eax
	mov	%eax, %cr3
	mov	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx	/* EFER */
	rdmsr
	or	$0x100, %eax		/* LME */
	wrmsr
	mov	$0x80000011, %eax	/* PG, ET, PE */
	mov	%eax, %cr0
	ljmpl	$0x10, $(SEGMENT << 4) + long_mode

	.code64
long_mode:
	mov	$0x18, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%eax, %fs
	mov	%eax, %gs
	/*
	 * Bochs 2.7 gives memory to the guest block by block (128 KiB), in the
	 * order in which blocks are first touched, but reads an image as if they
	 * lay in a row: so they are touched in a row.
	 */
	mov	LAYOUT, %rax		/* where the image begins */
	mov	LAYOUT + 8, %rbx	/* where it ends */
1:	mov	(%rax), %cl
	add	$0x20000, %rax
	cmp	%rbx, %rax
	jb	1b
	/* Documentation/x86/boot.rst, 64-bit boot protocol */
	mov	$0x9f000, %esp
	mov	$BOOT_PARAMS, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	xor	%ebx, %ebx
	mov	LAYOUT + 16, %rax	/* the kernel's 64-bit entry */
	jmp	*%rax

	.balign	8
gdt:	.quad	0, 0
	.quad	0x00af9a000000ffff	/* 0x10: code, 64 bits */
	.quad	0x00cf92000000ffff	/* 0x18: data */
gdt_pointer:
	.word	. - gdt - 1
	.long	(SEGMENT << 4) + gdt

	.org	0xfff0			/* the reset vector */
	.code16
	ljmp	$SEGMENT, $_start
	.org	0x10000
