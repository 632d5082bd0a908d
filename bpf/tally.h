/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tally of one vCPU, event by event, as module/tally.h describes it: the same
 * states, the same places for time, and the same one writer at a time. What is
 * different is what BPF is: cells have indices, not addresses, and of a VMX exit
 * that tells more than its code that is known a little later (reason.h). Then its
 * count waits until it is: the state is VCPU_KERNEL_PENDING, and no longer than
 * until the vCPU's next event, but for being switched out and in.
 */
#ifndef KVMSTAT_BPF_TALLY_H
#define KVMSTAT_BPF_TALLY_H

#include "maps.h"

/* A cell for that key, 0 when there is none left (records.h). */
__noinline u32 new_cell(u64 key);

/* For less than COLLECTOR_HUGE. */
static __always_inline u32 tally_bucket(u64 cycles)
{
	u64 rest = cycles >> 2 | 1;
	u32 octave = 0, step;

	for (step = 32; step; step >>= 1) {
		if (rest >> step) {
			rest >>= step;
			octave += step;
		}
	}
	return octave * 4 + (u32)(cycles >> octave);
}

static __always_inline u8 tally_slot(u64 key)
{
	u32 slot = (u32)key ^ (u32)(key >> 32) * 37 ^ (u32)(key >> KEY_DETAIL_SHIFT) * 101;

	hide(slot);	/* or clang knows the range, and leaves out what tells the verifier */
	return slot;
}

static __always_inline u64 elapsed(u64 from, u64 to)
{
	return to > from ? to - from : 0;
}

/* x86 keeps the order of stores, and of loads; only the compiler is to be told. */
static __always_inline void begin_change(struct vcpu *v)
{
	v->changes |= 1;
	barrier();
}

static __always_inline void end_change(struct vcpu *v)
{
	barrier();
	v->changes = (v->changes | 1) + 1;
}

/* The index of any key's cell, made where there is none yet. */
__noinline u32 tally_cell(struct vcpu *v, u64 key)
{
	u8 slot = tally_slot(key);
	u32 i, index, nr;

	if (!v)
		return 0;
	index = v->slots[slot];
	if (cell_at(index)->key == key)
		return index;
	/* Its first exit, or its slot went to another one. */
	nr = v->nr_cells;
	for (i = 0; i < COLLECTOR_CELLS && i < nr; i++) {
		index = v->cells[i];
		if (cell_at(index)->key == key) {
			v->slots[slot] = index;
			return index;
		}
	}
	if (nr >= COLLECTOR_CELLS)
		return v->other;
	index = new_cell(key);
	if (!index)
		return v->other;
	v->cells[nr] = index;
	barrier();	/* A reader that sees the number also sees the cell. */
	v->nr_cells = nr + 1;
	v->slots[slot] = index;
	return index;
}

static __always_inline void add_square(struct cell *cell, u64 ns)
{
	/* (high * 2^32 + low)^2 */
	u64 low = (u32)ns, high = ns >> 32, cross = low * high;
	u64 square = low * low, shifted = cross << 33;

	square += shifted;
	cell->squares_high += (square < shifted) + (cross >> 31) + high * high;
	cell->squares_low += square;
	cell->squares_high += cell->squares_low < square;
}

/* The kernel time of an exit: any. The clock may go back a little between two CPUs. */
__noinline int tally_close_slow(struct cell *cell, u64 ns)
{
	u64 cycles;
	u32 bucket;

	if (!cell)
		return 0;
	if ((s64)ns < 0)
		ns = 0;
	cycles = cycles_of_ns(ns, settings.cycles_per_ns);
	bucket = cycles < COLLECTOR_HUGE ? tally_bucket(cycles) : COLLECTOR_BUCKETS - 1;
	cell->kernel_ns += ns;
	add_square(cell, ns);
	if (ns < cell->min)
		cell->min = ns;
	if (ns > cell->max)
		cell->max = ns;
	if (bucket < COLLECTOR_BUCKETS)
		cell->histogram[bucket]++;
	return 0;
}

/* That of most exits, neither a new extreme nor beyond the table. */
static __always_inline void tally_close(struct cell *cell, u64 ns)
{
	u64 squares, before;
	u32 bucket;

	hide(cell);	/* or its address is calculated anew for each use */
	if (unlikely(ns >= BUCKET_END) || unlikely(ns < cell->min) || unlikely(ns > cell->max)) {
		tally_close_slow(cell, ns);
		return;
	}
	cell->kernel_ns += ns;
	before = cell->squares_low;
	squares = before + ns * ns;
	hide(squares);	/* or a carry is calculated, and then asked for */
	if (unlikely(squares < before))
		cell->squares_high++;
	cell->squares_low = squares;
	bucket = bucket_of[ns];
	if (likely(bucket < COLLECTOR_BUCKETS))
		cell->histogram[bucket]++;
}

static __always_inline void start(struct vcpu *v, u64 now)
{
	begin_change(v);
	v->first = now;
	v->mark = now;
	end_change(v);
}

/* The vCPU's thread is on its CPU and in KVM again: 'mark' moves on by the time away. */
__noinline int settle(struct vcpu *v, u64 now)
{
	struct cell *open;
	u64 away, gone;
	u32 state;

	if (!v)
		return 0;
	away = v->away;
	gone = elapsed(away, now);
	state = v->state;
	if (state < VCPU_LEAVING || state == VCPU_LATE)
		return 0;
	open = cell_at(v->open);
	begin_change(v);
	v->state = VCPU_KERNEL;
	if (state == VCPU_OFF) {
		open->offcpu_ns += gone;
	} else if (state == VCPU_LATE_OFF || state == VCPU_PENDING_OFF) {
		v->late_off += gone;
		v->state = state == VCPU_LATE_OFF ? VCPU_LATE : VCPU_KERNEL_PENDING;
	} else {
		open->user_ns += gone;
	}
	v->mark += now - away;
	end_change(v);
	return 0;
}

/* Time up to an exit. */
static __always_inline void leave_guest(struct vcpu *v, u64 now)
{
	settle(v, now);		/* where 'in' or 'back' was missed */
	if (v->state == VCPU_UNKNOWN) {
		start(v, now);
	} else if (v->state != VCPU_LATE) {
		/*
		 * GUEST, or KERNEL: no entry since the last exit, for KVM went back
		 * into the guest at once. That is guest time but for the fastpath.
		 */
		v->guest_ns += elapsed(v->mark, now);
		v->mark = now;
	}
}

/* The cell that the exit goes into is known. */
static __always_inline void open_cell(struct vcpu *v, u32 index)
{
	struct cell *cell = cell_at(index);

	if (v->late_off) {
		/* The exit's own time began when the thread was switched out. */
		begin_change(v);
		cell->offcpu_ns += v->late_off;
		v->late_off = 0;
		end_change(v);
	}
	cell->exits++;
	v->open = index;
	v->state = VCPU_KERNEL;
}

static __always_inline void tally_exit_slow(struct vcpu *v, u64 key, u64 now)
{
	leave_guest(v, now);
	open_cell(v, tally_cell(v, key));
}

static __always_inline void tally_exit_pending(struct vcpu *v, u64 key, u64 now)
{
	leave_guest(v, now);
	v->pending = key;
	v->state = VCPU_KERNEL_PENDING;
}

/* The vCPU, in VCPU_GUEST, left the guest, and the exit is of this cell. */
static __always_inline void tally_exit(struct vcpu *v, u32 index, struct cell *cell, u64 now)
{
	v->guest_ns += now - v->mark;
	v->mark = now;
	v->open = index;
	v->state = VCPU_KERNEL;
	cell->exits++;
}

/* The vCPU, in VCPU_KERNEL, is about to enter the guest. */
static __always_inline void tally_entry(struct vcpu *v, u64 now)
{
	u64 ns = now - v->mark;

	v->mark = now;
	v->state = v->guest_state;
	tally_close(cell_at(v->open), ns);
}

/* What comes without an exit now has skipped it. */
static __always_inline bool tally_exit_due(const struct vcpu *v)
{
	return v->state == VCPU_GUEST || v->state == VCPU_GUEST_SLOW || v->state == VCPU_LATE;
}

/* False while an exit is due. */
static __always_inline bool tally_entry_slow(struct vcpu *v, u64 now)
{
	settle(v, now);
	if (tally_exit_due(v))
		return false;
	if (v->state == VCPU_UNKNOWN)
		start(v, now);
	else
		tally_close_slow(cell_at(v->open), elapsed(v->mark, now));
	v->mark = now;
	v->state = v->guest_state;
	return true;
}

static __always_inline void tally_skipped(struct vcpu *v, u64 key, u64 now)
{
	tally_exit_slow(v, key, now);
	v->untraced++;
}

/* When the exit was in this time cannot be told: it is all guest time. */
static __always_inline void tally_skipped_at_entry(struct vcpu *v, u64 key, u64 now)
{
	tally_skipped(v, key, now);
	cell_at(v->open)->kernel_ns += elapsed(v->mark, now);
	v->mark = now;
	v->state = v->guest_state;
}

/* Exits that were not even noticed in their order; their time is not known. */
static __always_inline void tally_unseen(struct vcpu *v, u64 exits)
{
	cell_at(tally_cell(v, KEY_NO_REASON))->exits += exits;
	v->untraced += exits;
}

static __always_inline void go(struct vcpu *v, u32 where, u64 since)
{
	begin_change(v);
	v->away = since;
	v->state = where;
	end_change(v);
}

static __always_inline void tally_leave(struct vcpu *v, u64 now)
{
	if (v->state == VCPU_KERNEL)
		go(v, VCPU_LEAVING, now);
}

static __always_inline void tally_left(struct vcpu *v, u64 now)
{
	if (v->state == VCPU_KERNEL || v->state == VCPU_LEAVING)
		go(v, VCPU_USER, now);
}

static __always_inline void tally_back(struct vcpu *v, u64 now)
{
	if (v->state == VCPU_USER || v->state == VCPU_LEAVING)
		settle(v, now);
}

static __always_inline void tally_out(struct vcpu *v, u64 now)
{
	switch (v->state) {
	case VCPU_KERNEL:
		go(v, VCPU_OFF, now);
		break;
	case VCPU_LEAVING:
		/* Nothing tells this thread's return; or it was in userspace already. */
		go(v, VCPU_USER, v->away);
		break;
	case VCPU_GUEST:
	case VCPU_GUEST_SLOW:
		v->guest_ns += elapsed(v->mark, now);
		v->mark = now;
		go(v, VCPU_LATE_OFF, now);
		break;
	case VCPU_LATE:
		go(v, VCPU_LATE_OFF, now);
		break;
	case VCPU_KERNEL_PENDING:
		/* KVM may not have come to look at it yet. */
		go(v, VCPU_PENDING_OFF, now);
		break;
	}
}

/* In all cells, and the one that is pending. */
static __always_inline u64 tally_exits(const struct vcpu *v)
{
	u64 sum = cell_at(v->other)->exits + (v->state == VCPU_KERNEL_PENDING || v->state == VCPU_PENDING_OFF);
	u32 i;

	for (i = 0; i < COLLECTOR_CELLS && i < v->nr_cells; i++)
		sum += cell_at(v->cells[i])->exits;
	return sum;
}

/* False: it was not within KVM_RUN that it was switched out. */
static __always_inline bool tally_in(struct vcpu *v, u64 now)
{
	if (v->state != VCPU_OFF && v->state != VCPU_LATE_OFF && v->state != VCPU_PENDING_OFF)
		return false;
	settle(v, now);
	return true;
}

#endif
