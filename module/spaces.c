// SPDX-License-Identifier: GPL-2.0-only
/* The address spaces that one vCPU was seen in: found, made, forgotten. */
#include <linux/hash.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/barrier.h>

#include "spaces.h"
#include "uapi/kvmstat.h"

#define GFP_PROBE	(GFP_ATOMIC | __GFP_NOWARN)

void spaces_restart(struct spaces *s, u32 epoch)
{
	if (s->slots)
		memset(s->slots, 0, SPACES_SLOTS * sizeof(*s->slots));
	s->others = (struct space) { .flags = KVMSTAT_SPACE_OTHERS };
	s->counted = &s->others;
	s->last = SPACES_NONE;
	s->unread = 0;
	s->nr = 0;
	/* Pairs with guest_spaces_current(). */
	smp_store_release(&s->epoch, epoch);
}

void spaces_free(struct spaces *s)
{
	int i;

	for (i = 0; i < SPACES_CHUNKS; i++)
		kfree(s->chunks[i]);
	kfree(s->slots);
}

/* Where the space is, or its index is to be noted: half of the slots stay free. */
static u16 *find_slot(const struct spaces *s, u64 cr3)
{
	u32 i = hash_64(cr3, SPACES_SLOT_BITS);

	while (s->slots[i] && spaces_get(s, s->slots[i] - 1)->cr3 != cr3)
		i = (i + 1) % SPACES_SLOTS;
	return &s->slots[i];
}

/* Room for one more. */
static struct space *make_room(struct spaces *s)
{
	struct space **chunk = &s->chunks[s->nr / SPACES_CHUNK];

	if (s->nr == SPACES_MAX)
		return NULL;
	if (!*chunk)
		*chunk = kmalloc_array(SPACES_CHUNK, sizeof(**chunk), GFP_PROBE);
	return *chunk ? *chunk + s->nr % SPACES_CHUNK : NULL;
}

static struct space *find_or_make(struct spaces *s, u64 cr3, u64 now)
{
	struct space *space;
	u16 *slot;

	if (!s->slots)
		s->slots = kcalloc(SPACES_SLOTS, sizeof(*s->slots), GFP_PROBE);
	if (!s->slots)
		return NULL;
	slot = find_slot(s, cr3);
	if (*slot)
		return (struct space *)spaces_get(s, *slot - 1);
	space = make_room(s);
	if (!space)
		return NULL;
	*space = (struct space) { .cr3 = cr3, .first = now };
	/* A reader that sees the number also sees the space. */
	smp_store_release(&s->nr, s->nr + 1);
	*slot = s->nr;
	return space;
}

void spaces_switch(struct spaces *s, u64 cr3, u64 now)
{
	struct space *space = find_or_make(s, cr3, now);

	if (!space) {
		space = &s->others;
		if (!space->first)
			space->first = now;
	}
	if (s->last != SPACES_NONE) {
		space->switches++;
		if ((s->last ^ cr3) == SPACES_PARTNER)
			space->from_partner++;
	}
	s->counted = space;
	s->last = cr3;
}
