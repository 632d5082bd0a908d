/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tally of one vCPU: how often it exited, why, and what each exit cost.
 *
 * Hot path. It has exactly one writer, the thread that holds vcpu->mutex in
 * KVM_RUN, from one VM entry to the next, so it needs no lock and no atomic:
 * plain stores into memory that no other vCPU writes. Readers on other CPUs
 * see each counter whole (aligned 64-bit stores) and never write one; a reset
 * is a baseline that the reader subtracts (registry.h).
 *
 * A reason owns a cell from its first exit on. 'index' leads from a hash of
 * the exit code to the cell; the cell's own code confirms it, so a collision
 * costs a search (tally.c), never a wrong count.
 */
#ifndef KVMSTAT_TALLY_H
#define KVMSTAT_TALLY_H

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/types.h>
#else
#include "tally_user.h"
#endif

/*
 * More than any guest is known to use at once: KVM handles about 60 exit
 * codes per vendor. Exits beyond that are counted in cell 0.
 */
#define TALLY_CELLS	64
#define TALLY_INDEX	256
#define TALLY_NO_CODE	(~0ULL)		/* wider than any raw exit code */
#define TALLY_NO_REASON	(1ULL << 32)	/* untraced, and the reason is not known */

struct tally_cell {
	u64 code;		/* raw 32-bit exit code */
	u64 exits;
	u64 cycles;		/* exit to entry */
	u64 spare;		/* keeps the stride a power of two */
};

struct tally {
	u64 entered;		/* TSC of the last entry; 0 when not in the guest */
	u64 exited;		/* TSC of the last exit */
	struct tally_cell *open;	/* where the exit being handled is counted */
	u64 guest_cycles;
	u64 untraced;
	u32 nr_cells;		/* in use; cell 0 always is */
	u8 index[TALLY_INDEX];
	struct tally_cell cells[TALLY_CELLS];
};

void tally_init(struct tally *t);
struct tally_cell *tally_find_slow(struct tally *t, u64 code);
void tally_untraced(struct tally *t, u64 code, u64 now);

/*
 * Spreads SVM's codes (0x000-0x0a7, 0x400-0x404, -1) and VMX's (below 0x100)
 * over the index: one-to-one below 0x100, and nested page faults (0x400)
 * fall where no code of today does.
 */
static inline u8 tally_hash(u32 code)
{
	return code ^ (code >> 3);
}

static inline struct tally_cell *tally_find(struct tally *t, u32 code)
{
	struct tally_cell *cell = &t->cells[t->index[tally_hash(code)]];

	if (likely(cell->code == code))
		return cell;
	return tally_find_slow(t, code);
}

/* TSCs of two CPUs may disagree by a few cycles; time never runs backwards. */
static inline u64 tally_elapsed(u64 from, u64 to)
{
	return likely(to > from) ? to - from : 0;
}

/* The vCPU left the guest for the reason 'code'. Counted here, once, always. */
static inline void tally_exit(struct tally *t, u32 code, u64 now)
{
	struct tally_cell *cell = tally_find(t, code);

	cell->exits++;
	t->open = cell;
	t->exited = now;
	if (likely(t->entered))		/* 0: entered before the probes were there */
		t->guest_cycles += tally_elapsed(t->entered, now);
	t->entered = 0;
}

/*
 * The vCPU is about to enter the guest. False: it had not left it as far as
 * kvm_exit tells, so one exit fired no event; the caller finds its reason
 * and calls tally_untraced().
 */
static inline bool tally_entry(struct tally *t, u64 now)
{
	if (unlikely(t->entered))
		return false;
	if (likely(t->open))
		t->open->cycles += tally_elapsed(t->exited, now);
	t->open = NULL;
	t->entered = now;
	return true;
}

#endif
