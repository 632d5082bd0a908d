/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The address spaces that one vCPU was seen in, each known by its top page table.
 *
 * Like the tally it has one writer, the thread in KVM_RUN, and plain stores:
 * readers on other CPUs see each counter whole. Memory comes as spaces do, up to
 * 68 KiB; what finds no room is added up in 'others'.
 */
#ifndef KVMSTAT_SPACES_H
#define KVMSTAT_SPACES_H

#include <linux/compiler.h>
#include <linux/types.h>

#define SPACES_MAX		1024
#define SPACES_CHUNK		64
#define SPACES_CHUNKS		(SPACES_MAX / SPACES_CHUNK)
#define SPACES_SLOT_BITS	11
#define SPACES_SLOTS		(1 << SPACES_SLOT_BITS)

#define SPACES_NONE		(~0ULL)		/* no CR3 is this */

/* Page table isolation has two top tables for a process, in one aligned pair of pages. */
#define SPACES_PARTNER		0x1000

struct space {
	u64 cr3;
	u64 entries;
	u64 switches;
	u64 from_partner;	/* of the switches */
	u64 first, last;	/* TSC */
	u32 flags;		/* KVMSTAT_SPACE_* */
};

struct spaces {
	u64 last;		/* the space of the last entry, or SPACES_NONE */
	struct space *counted;	/* where that is counted */
	u64 unread;		/* entries whose CR3 is out of reach */
	u32 epoch;		/* of guest_spaces.c; another one: all is 0 */
	u32 nr;
	bool nested;		/* nested paging: loads of CR3 do not exit */
	struct space others;
	struct space *chunks[SPACES_CHUNKS];
	u16 *slots;		/* hash table of indices, counted from 1; NULL: no memory yet */
};

/* All to zero, by the writer; the memory stays. 'epoch' is the last thing that changes. */
void spaces_restart(struct spaces *s, u32 epoch);
void spaces_free(struct spaces *s);

/* The vCPU is in another space than at the last entry. */
void spaces_switch(struct spaces *s, u64 cr3, u64 now);

static __always_inline void spaces_entry(struct spaces *s, u64 cr3, u32 flags, u64 now)
{
	if (unlikely(cr3 != s->last))
		spaces_switch(s, cr3, now);
	s->counted->entries++;
	s->counted->last = now;
	s->counted->flags |= flags;
}

static inline const struct space *spaces_get(const struct spaces *s, u32 index)
{
	return &s->chunks[index / SPACES_CHUNK][index % SPACES_CHUNK];
}

#endif
