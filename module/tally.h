/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tally of one vCPU: how often it exited, why, and where its time went.
 *
 * Hot path. It has exactly one writer at a time: the thread that holds
 * vcpu->mutex in KVM_RUN, or the scheduler as it switches that thread out and
 * in. So it needs no lock and no atomic: plain stores into memory that no
 * other vCPU writes. Readers on other CPUs see each counter whole (aligned
 * 64-bit stores) and never write one.
 *
 * A vCPU's time is cut at these events, and each piece goes to one place:
 *
 *   exit     the vCPU left the guest              what came before is guest time
 *   entry    it is about to enter it              … kernel time of the exit
 *   leave    KVM_RUN lets go of the vCPU
 *   left     KVM_RUN is over                      … kernel time of the exit
 *   back     KVM_RUN has the vCPU again           … user time of the exit
 *   out, in  its thread is switched out, and in   … off-CPU time between them
 *
 * and an exit that fired no event is told when it is noticed: skipped.
 *
 * Exit and entry are all that most exits have. Their common case is here, and
 * calls nothing; whatever is unusual is the business of tally.c. An exit's
 * kernel time is complete at its entry, and enters the histogram there; an exit
 * that is followed by no entry has no kernel time.
 *
 * A reason owns a cell from its first exit on. 'slot' leads from its key to the
 * cell; the cell's own key confirms it, so a collision costs a search, never a
 * wrong count.
 */
#ifndef KVMSTAT_TALLY_H
#define KVMSTAT_TALLY_H

#ifdef __KERNEL__
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/types.h>
#else
#include "tally_user.h"
#endif

/*
 * What an exit is counted under: its raw 32-bit code, and above that what the
 * exit tells besides.
 */
#define TALLY_CODE(key)		((u32)(key))
#define TALLY_NO_REASON		(1ULL << 32)	/* untraced, and the reason is not known */
#define TALLY_L2		(1ULL << 33)	/* exits from a guest of the guest */
#define TALLY_OTHER		(1ULL << 34)	/* all that found no cell */
#define TALLY_DETAIL_SHIFT	40
#define TALLY_DETAIL(key)	((u32)((key) >> TALLY_DETAIL_SHIFT))	/* KVMSTAT_DETAIL_* */

/* As uapi/kvmstat.h describes it. */
#define TALLY_BUCKETS		140
#define TALLY_HUGE		(1ULL << 36)	/* above all but the last bucket */

/*
 * More than any guest is known to use at once, and what keeps a vCPU's memory
 * below 64 KiB. Exits beyond that are counted in 'other'.
 */
#define TALLY_CELLS		48
#define TALLY_SLOTS		256

struct tally_cell {
	u64 key;
	u64 exits;
	u64 kernel_cycles;
	u64 user_cycles;
	u64 offcpu_cycles;
	u64 min, max;		/* kernel cycles of one exit; max below TALLY_HUGE */
	u64 huge;		/* max, where it is not */
	__uint128_t squares;	/* sum of their squares */
	u64 histogram[TALLY_BUCKETS];
};

enum tally_state {
	TALLY_UNKNOWN,		/* nothing seen yet: time counts from the next event on */
	TALLY_GUEST,
	TALLY_KERNEL,
	TALLY_LEAVING,		/* KVM_RUN has let go of the vCPU, and is on its way back */
	TALLY_USER,
	TALLY_OFF,		/* switched out of KERNEL */
	/* Switched out of GUEST, and in: the event of the exit comes late. */
	TALLY_LATE_OFF,
	TALLY_LATE,
};

struct tally {
	u64 mark;		/* TSC of the last exit or entry, plus what was away since */
	u64 guest_cycles;
	struct tally_cell *open;	/* where the last exit is counted; never NULL */
	u32 state;		/* enum tally_state */
	u32 nr_cells;
	struct tally_cell *slot[TALLY_SLOTS];	/* never NULL */
	u64 away;		/* TSC since when it is in USER or switched out */
	u64 late_off;		/* off-CPU cycles of an exit whose event is yet to come */
	u64 first;		/* TSC of the first event */
	u64 untraced;
	u32 changes;		/* of the fields that tally_read() takes together; odd: in one */
	struct tally_cell *cells[TALLY_CELLS];
	struct tally_cell other;
};

/* A zeroed cell, or NULL; whoever builds the tally provides it. */
struct tally_cell *tally_cell_alloc(void);

void tally_init(struct tally *t);
/* All counters to zero, by their writer; the cells stay. */
void tally_restart(struct tally *t);

/* The cell of any key, made where there is none yet. */
struct tally_cell *tally_cell(struct tally *t, u64 key);

/* In any state. An entry is refused, false, while an exit is due. */
void tally_exit_slow(struct tally *t, struct tally_cell *cell, u64 now);
bool tally_entry_slow(struct tally *t, u64 now);
void tally_leave(struct tally *t, u64 now);
void tally_left(struct tally *t, u64 now);
void tally_back(struct tally *t, u64 now);
void tally_out(struct tally *t, u64 now);
/* False: it was not within KVM_RUN that it was switched out. */
bool tally_in(struct tally *t, u64 now);

/* What comes without an exit now has skipped it. */
static inline bool tally_exit_due(const struct tally *t)
{
	return t->state == TALLY_GUEST || t->state == TALLY_LATE;
}

/* It fired no event; where a VM entry told of it, the vCPU is in the guest again. */
void tally_skipped(struct tally *t, u64 key, u64 now);
void tally_skipped_at_entry(struct tally *t, u64 key, u64 now);
/* Exits that were not even noticed in their order; their time is not known. */
void tally_unseen(struct tally *t, u64 exits);

/* Of all cells. */
u64 tally_exits(const struct tally *t);
void tally_add_cell(struct tally_cell *to, const struct tally_cell *from);

/*
 * For a reader on another CPU, who may come while the vCPU has been away for
 * long: the time since then is already in what it reads, and it gets it once.
 */
struct tally_reading {
	const struct tally_cell *open;
	u64 user_cycles, offcpu_cycles;		/* of 'open' */
	/* From the first event to where all time has gone somewhere: not into an open exit. */
	u64 wall;
};

/* now 0: it will not come back. */
struct tally_reading tally_read(const struct tally *t, u64 now);

/* For less than TALLY_HUGE. */
static inline u32 tally_bucket(u64 cycles)
{
	u32 octave = __fls(cycles >> 2 | 1);

	return octave * 4 + (u32)(cycles >> octave);
}

/*
 * Where a key's cell is looked for. One-to-one for VMX's codes (below 0x100) and
 * SVM's (0x000-0x0a7): the others of SVM, 0x400-0x404 and -1, fall on codes that
 * KVM does not intercept, or have details and so a place of their own.
 */
static inline u8 tally_slot_of_code(u32 code)
{
	return code;
}

static inline u8 tally_slot(u64 key)
{
	return tally_slot_of_code(key) ^ (u8)((key >> 32) * 37) ^
	       (u8)((key >> TALLY_DETAIL_SHIFT) * 101);
}

/*
 * The vCPU left the guest. False: the key has no cell yet, or not in this slot, or
 * the vCPU is not where it should be, and nothing was done.
 */
static __always_inline bool tally_exit(struct tally *t, u64 key, u8 slot, u64 now)
{
	struct tally_cell *cell = t->slot[slot];
	u64 cycles = now - t->mark;

	if (unlikely(cell->key != key) || unlikely(t->state != TALLY_GUEST))
		return false;
	OPTIMIZER_HIDE_VAR(cycles);	/* or else one load and store more */
	t->guest_cycles += cycles;
	cell->exits++;
	t->open = cell;
	t->mark = now;
	t->state = TALLY_KERNEL;
	return true;
}

void tally_close_slow(struct tally_cell *cell, u64 cycles);

static __always_inline void tally_close(struct tally_cell *cell, u64 cycles)
{
	if (unlikely(cycles < cell->min) || unlikely(cycles > cell->max)) {
		tally_close_slow(cell, cycles);
		return;
	}
	cell->kernel_cycles += cycles;
	cell->squares += (__uint128_t)cycles * cycles;
	cell->histogram[tally_bucket(cycles)]++;
}

/* The vCPU is about to enter the guest. False as above. */
static __always_inline bool tally_entry(struct tally *t, u64 now)
{
	u64 cycles = now - t->mark;

	if (unlikely(t->state != TALLY_KERNEL))
		return false;
	t->mark = now;
	t->state = TALLY_GUEST;
	tally_close(t->open, cycles);
	return true;
}

#endif
