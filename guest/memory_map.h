/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are in a guest's memory, and the ports at which a guest talks to
 * its VMM. For C and for the guests.
 *
 * Each vCPU has a part of the VM's memory, all to itself, and runs in it as if
 * nothing else were there: its addresses start at 0 where its part starts, by
 * its page tables, or by the base of its segments where it has none. In real
 * mode a part is 64 KiB, for that is as far as its segments go; else it is
 * GUEST_PART. The first vCPU's part starts at guest-physical 0.
 *
 *   0x00000000  real mode's vector table; the answer (at 0x400); what an exception
 *               leads to that the guest has no handler for (at 0x600)
 *   0x00001000  page tables: the top one here, the next two or three behind it
 *   0x00007000  GDT, IDT (and in real mode the guest's code, at 0x7c00)
 *   0x00008000  stack, down from 0x9000
 *   0x00009000  code for a vCPU that starts in real mode, that of 'smp-start'
 *   0x0000f000  a child's page table, that of 'fork'
 *   0x00010000  page tables: each maps 2 MiB (32-bit: 4 MiB) in 4 KiB pages
 *   0x00100000  the guest's code, all of guest/bodies.S
 *   0x00200000  the arena: pages that nobody has touched yet
 *               (a guest of the user's own: its stack, down from 0x00100000, and
 *               from there on all that its file has)
 *   0x04000000  end of the part; what is behind it is not mapped
 *   0xd0000000  no memory: a device, as far as the guest knows
 *   0x80000000  (virtual only) a window whose page table the guest edits
 */
#ifndef KVMSTAT_GUEST_MEMORY_MAP_H
#define KVMSTAT_GUEST_MEMORY_MAP_H

#define GUEST_PAGE	0x1000

#define GUEST_ANSWER	0x400
#define GUEST_SCRATCH	0x500		/* for what an instruction stores */
#define GUEST_EXCEPTIONS 0x600		/* a stub for each vector, and at the end … */
/* … where a guest's first function returns to */
#define GUEST_RETURN	(GUEST_EXCEPTIONS + EXCEPTION_VECTORS * EXCEPTION_STUB)
#define GUEST_STUBS_END	(GUEST_RETURN + EXCEPTION_STUB)
#define GUEST_PML4	0x1000		/* 32-bit: the page directory */
#define GUEST_PDPT	0x2000
#define GUEST_PD	0x3000		/* the first GiB */
#define GUEST_PD_WINDOW	0x4000		/* the third: the window */
#define GUEST_PD_MMIO	0x5000		/* the fourth: the device */
#define GUEST_PT_WINDOW	0x6000
#define GUEST_GDT	0x7000
#define GUEST_IDT	0x7100
#define GUEST_CODE_REAL	0x7c00		/* where PC firmware puts a boot sector */
#define GUEST_STACK	0x9000		/* its top */
#define GUEST_START	0x9000		/* where another vCPU starts, in real mode */
#define GUEST_FORK_PT	0xf000		/* a page table that nobody uses */
#define GUEST_PT	0x10000
#define GUEST_PT_END	0x30000
#define GUEST_CODE	0x100000
#define GUEST_OWN_STACK	GUEST_CODE	/* its top */
#define GUEST_ARENA	0x200000
#define GUEST_PART	0x4000000
#define GUEST_PART_SHIFT 26
#define GUEST_PART_REAL	0x10000
#define GUEST_WINDOW	0x80000000
#define GUEST_MMIO	0xd0000000
#define GUEST_TSS	0xfffbd000	/* three pages that KVM keeps for itself */

/* Of each 2 MiB of the arena the last page is for warming up. */
#define GUEST_ARENA_PAGES	((GUEST_PART - GUEST_ARENA) / 0x200000 * 511)
#define GUEST_WINDOW_PAGES	510

#define EXCEPTION_VECTORS	32
#define EXCEPTION_STUB		8	/* bytes */

#define SELECTOR_CODE	0x8
#define SELECTOR_DATA	0x10

/* OUTs of a byte; hypercalls.h has those that do more. */
#define PORT_PUTC	0xe9		/* for the guest's output */
#define PORT_MARK	0xf4		/* MARK_START, MARK_STOP, MARK_HOST */
#define PORT_NOBODY	0xf5		/* nothing behind it: the VMM ignores it */
#define PORT_EXCEPTION	0xf6		/* it did not expect the vector that it pushed */
#define PORT_EVENT	0xf7		/* where an eventfd listens: guest 'ioeventfd' */

/* What one REP OUTSB and one REP INSB move. */
#define OUTS_BYTES	16
#define INS_BYTES	512
#define CR3_SPACES	8		/* a power of 2 */

#define MARK_START	1
#define MARK_STOP	2
#define MARK_HOST	3		/* the host does now what it does to this guest */

#define THE_ANSWER	42

/* What comes from an APIC, and its registers in x2APIC mode. */
#define INTERRUPT_VECTOR	0x40
#define X2APIC_EOI		0x80b
#define X2APIC_SIVR		0x80f
#define X2APIC_ICR		0x830
#define X2APIC_LVT_TIMER	0x832
#define X2APIC_INITIAL_COUNT	0x838
#define X2APIC_DIVIDE		0x83e
#define X2APIC_SELF_IPI		0x83f

#endif
