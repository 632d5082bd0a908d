/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's page tables: 32-bit paging and 4-level paging (SDM vol. 3, 4.3 and
 * 4.5; APM vol. 2, 5.2 and 5.3), written, and read as the CPU reads them.
 */
#ifndef KVMSTAT_GUEST_PAGING_H
#define KVMSTAT_GUEST_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#define PTE_PRESENT	(1ULL << 0)
#define PTE_WRITABLE	(1ULL << 1)
#define PTE_USER	(1ULL << 2)
#define PTE_ACCESSED	(1ULL << 5)
#define PTE_DIRTY	(1ULL << 6)
#define PTE_LARGE	(1ULL << 7)
#define PTE_NX		(1ULL << 63)
#define PTE_ADDRESS	0x000ffffffffff000ULL

/* Maps the vCPU's memory, and the device, for a part at guest-physical 'base'. */
void paging_map_32(uint8_t *part, uint64_t base);
void paging_map_64(uint8_t *part, uint64_t base);

/* How a table of some level is indexed; level 1 is a page table. */
struct paging_format {
	int levels;
	int entry_size;		/* bytes */
	int index_bits;
	const char *names[5];	/* by level */
};

extern const struct paging_format paging_32, paging_64;

/* An entry of the table at 'table', in memory that starts at guest-physical 0. */
uint64_t paging_entry(const struct paging_format *format, const uint8_t *memory, uint64_t table,
		      unsigned int index);
/* Bytes that one entry of this level maps. */
uint64_t paging_span(const struct paging_format *format, int level);
/* It maps memory, and leads to no other table. */
bool paging_is_leaf(int level, uint64_t entry);

#endif
