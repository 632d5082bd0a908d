/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The address spaces of one VM, and which of them belong together. */
#ifndef KVMSTAT_SPACES_H
#define KVMSTAT_SPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"

struct space {
	uint64_t cr3;
	uint64_t entries;
	uint64_t switches;
	uint64_t from_partner;	/* of the switches: from cr3 ^ 0x1000 */
	uint64_t first, last;	/* TSC */
	uint32_t flags;		/* KVMSTAT_SPACE_PCID_* */
};

struct vm_spaces {
	uint64_t vm;		/* its id */
	bool sampled;		/* nested paging: not each load of CR3 was seen */
	bool folded;		/* pairs of page table isolation are one */
	size_t nr_vcpus;
	uint64_t unread;	/* entries whose CR3 was out of reach */
	uint64_t first;		/* TSC of the first entry */
	struct space *list;	/* by cr3, each once */
	size_t nr;
	struct space others;	/* those that the module had no room for */
};

enum pairs { PAIRS_AUTO, PAIRS_FOLD, PAIRS_KEEP };

/* Those of all its vCPUs together; none where nr_vcpus is 0. To be freed. */
void spaces_of_vm(struct vm_spaces *to, const struct spaces_copy *from, uint64_t vm);
void spaces_free(struct vm_spaces *spaces);

/*
 * Page table isolation gives each process two top tables: X for the kernel, X +
 * 0x1000 for the user. PAIRS_AUTO makes them one where the VM is seen to do so.
 */
void spaces_fold(struct vm_spaces *spaces, enum pairs pairs);

/* Those with the most switches first. */
void spaces_sort(struct vm_spaces *spaces);

/* All switches, all entries. */
struct space spaces_total(const struct vm_spaces *spaces);

#endif
