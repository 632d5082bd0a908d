// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest's page tables, written and read. */
#include <string.h>

#include "memory_map.h"
#include "paging.h"

const struct paging_format paging_32 = {
	.levels = 2, .entry_size = 4, .index_bits = 10, .names = { [2] = "PD", [1] = "PT" },
};

const struct paging_format paging_64 = {
	.levels = 4, .entry_size = 8, .index_bits = 9,
	.names = { [4] = "PML4", [3] = "PDPT", [2] = "PD", [1] = "PT" },
};

static void set(const struct paging_format *format, uint8_t *part, uint64_t table,
		unsigned int index, uint64_t entry)
{
	memcpy(part + table + index * format->entry_size, &entry, format->entry_size);
}

/* All of the part in 4 KiB pages, their tables one after the other from GUEST_PT on. */
static void map_part(const struct paging_format *format, uint8_t *part, uint64_t base, uint64_t pd)
{
	const uint64_t rw = PTE_PRESENT | PTE_WRITABLE, table = paging_span(format, 2);
	uint64_t address;

	for (address = 0; address < GUEST_PART; address += GUEST_PAGE)
		set(format, part, GUEST_PT, address / GUEST_PAGE, (base + address) | rw);
	for (address = 0; address < GUEST_PART; address += table)
		set(format, part, pd, address / table,
		    (base + GUEST_PT + address / table * GUEST_PAGE) | rw);
}

void paging_map_32(uint8_t *part, uint64_t base)
{
	map_part(&paging_32, part, base, GUEST_PML4);
}

void paging_map_64(uint8_t *part, uint64_t base)
{
	const uint64_t rw = PTE_PRESENT | PTE_WRITABLE;

	set(&paging_64, part, GUEST_PML4, 0, (base + GUEST_PDPT) | rw);
	set(&paging_64, part, GUEST_PDPT, 0, (base + GUEST_PD) | rw);
	set(&paging_64, part, GUEST_PDPT, GUEST_WINDOW >> 30, (base + GUEST_PD_WINDOW) | rw);
	set(&paging_64, part, GUEST_PDPT, GUEST_MMIO >> 30, (base + GUEST_PD_MMIO) | rw);
	set(&paging_64, part, GUEST_PD_WINDOW, 0, (base + GUEST_PT_WINDOW) | rw);
	set(&paging_64, part, GUEST_PD_MMIO, GUEST_MMIO >> 21 & 511, GUEST_MMIO | rw | PTE_LARGE);
	map_part(&paging_64, part, base, GUEST_PD);
}

uint64_t paging_entry(const struct paging_format *format, const uint8_t *memory, uint64_t table,
		      unsigned int index)
{
	uint64_t entry = 0;

	memcpy(&entry, memory + table + index * format->entry_size, format->entry_size);
	return entry;
}

uint64_t paging_span(const struct paging_format *format, int level)
{
	return (uint64_t)GUEST_PAGE << (level - 1) * format->index_bits;
}

bool paging_is_leaf(int level, uint64_t entry)
{
	return level == 1 || entry & PTE_LARGE;
}
