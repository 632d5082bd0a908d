// SPDX-License-Identifier: GPL-2.0-or-later
/* 64-bit mode: register state and page tables. */
#include <string.h>

#include <asm/processor-flags.h>

#include "long_mode.h"
#include "memory_map.h"

/* IA32_EFER; the others are in the UAPI headers. */
#define EFER_LME	(1ULL << 8)
#define EFER_LMA	(1ULL << 10)

#define PTE_PRESENT	(1ULL << 0)
#define PTE_WRITABLE	(1ULL << 1)
#define PTE_LARGE	(1ULL << 7)

static const struct kvm_segment code_segment = {
	.limit = 0xffffffff, .selector = 0x8,
	.type = 0xb,		/* execute, read, accessed */
	.present = 1, .s = 1, .l = 1, .g = 1,
};

static const struct kvm_segment data_segment = {
	.limit = 0xffffffff, .selector = 0x10,
	.type = 0x3,		/* read, write, accessed */
	.present = 1, .s = 1, .db = 1, .g = 1,
};

void long_mode_sregs(struct kvm_sregs *sregs)
{
	sregs->cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_PG;
	sregs->cr3 = GUEST_PML4;
	sregs->cr4 = X86_CR4_PAE;
	sregs->efer = EFER_LME | EFER_LMA;
	sregs->cs = code_segment;
	sregs->ds = data_segment;
	sregs->es = data_segment;
	sregs->fs = data_segment;
	sregs->gs = data_segment;
	sregs->ss = data_segment;
}

static void set_entry(uint8_t *memory, uint64_t table, unsigned int index, uint64_t entry)
{
	memcpy(memory + table + index * sizeof(entry), &entry, sizeof(entry));
}

void long_mode_page_tables(uint8_t *memory)
{
	const uint64_t rw = PTE_PRESENT | PTE_WRITABLE;
	uint64_t address;

	set_entry(memory, GUEST_PML4, 0, GUEST_PDPT | rw);
	set_entry(memory, GUEST_PDPT, 0, GUEST_PD | rw);
	set_entry(memory, GUEST_PDPT, GUEST_WINDOW >> 30, GUEST_PD_WINDOW | rw);
	set_entry(memory, GUEST_PDPT, GUEST_MMIO >> 30, GUEST_PD_MMIO | rw);
	set_entry(memory, GUEST_PD_WINDOW, 0, GUEST_PT_WINDOW | rw);
	set_entry(memory, GUEST_PD_MMIO, GUEST_MMIO >> 21 & 511, GUEST_MMIO | rw | PTE_LARGE);
	for (address = 0; address < GUEST_MEMORY; address += GUEST_PAGE)
		set_entry(memory, GUEST_PT, address / GUEST_PAGE, address | rw);
	for (address = 0; address < GUEST_MEMORY; address += 512 * GUEST_PAGE)
		set_entry(memory, GUEST_PD, address >> 21, (GUEST_PT + (address >> 21) * GUEST_PAGE) | rw);
}
