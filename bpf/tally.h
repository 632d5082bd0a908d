/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tally of one vCPU, event by event, as module/tally.h describes it: the same
 * states, the same places for time, and the same one writer at a time. What is
 * different is what BPF is: cells have indices, not addresses, and of a VMX exit
 * that tells more than its code that is known a little later (reason.h). Then its
 * count waits until it is: the state is VCPU_KERNEL_PENDING, and no longer than
 * until the vCPU's next event of any kind.
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
	u32 octave = 0;

	if (rest >> 16) {
		rest >>= 16;
		octave += 16;
		if (rest >> 16) {
			rest >>= 16;
			octave += 16;
		}
	}
	if (rest >> 8) {
		rest >>= 8;
		octave += 8;
	}
	if (rest >> 4) {
		rest >>= 4;
		octave += 4;
	}
	if (rest >> 2) {
		rest >>= 2;
		octave += 2;
	}
	octave += rest >> 1;
	return octave * 4 + (u32)(cycles >> octave);
}

static __always_inline u8 tally_slot(u64 key)
{
	return (u8)key ^ (u8)((key >> 32) * 37) ^ (u8)((key >> KEY_DETAIL_SHIFT) * 101);
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
	struct cell *cell;

	if (!v)
		return 0;
	cell = cell_at(v->slots[slot]);
	if (cell && cell->key == key)
		return v->slots[slot];
	nr = v->nr_cells;
	/* Its first exit, or its slot went to another one. */
	for (i = 0; i < COLLECTOR_CELLS && i < nr; i++) {
		index = v->cells[i];
		cell = cell_at(index);
		if (cell && cell->key == key) {
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

static __always_inline void add_square(struct cell *cell, u64 cycles)
{
	/* (high * 2^32 + low)^2, of which high^2 is beyond any time there is. */
	u64 low = (u32)cycles, high = cycles >> 32, cross = low * high;
	u64 sum = low * low, shifted = cross << 33;

	sum += shifted;
	cell->squares_high += (sum < shifted) + (cross >> 31) + high * high;
	cell->squares_low += sum;
	cell->squares_high += cell->squares_low < sum;
}

/* A new extreme, or more than the histogram has room for. */
__noinline int tally_close_slow(struct cell *cell, u64 cycles)
{
	if (!cell)
		return 0;
	cell->kernel_cycles += cycles;
	add_square(cell, cycles);
	if (cycles < cell->min)
		cell->min = cycles;
	if (cycles < COLLECTOR_HUGE) {
		u32 bucket = tally_bucket(cycles);

		if (cycles > cell->max)
			cell->max = cycles;
		if (bucket < COLLECTOR_BUCKETS)
			cell->histogram[bucket]++;
		return 0;
	}
	if (cycles > cell->huge)
		cell->huge = cycles;
	cell->histogram[COLLECTOR_BUCKETS - 1]++;
	return 0;
}

static __always_inline void tally_close(struct cell *cell, u64 cycles)
{
	u32 bucket;
	u64 square;

	if (unlikely(cycles < cell->min) || unlikely(cycles > cell->max) ||
	    unlikely(cycles >> 32)) {
		tally_close_slow(cell, cycles);
		return;
	}
	cell->kernel_cycles += cycles;
	square = cycles * cycles;
	cell->squares_low += square;
	if (unlikely(cell->squares_low < square))
		cell->squares_high++;
	bucket = tally_bucket(cycles);
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
	u64 away, gone;
	struct cell *open;
	u32 state;

	if (!v)
		return 0;
	away = v->away;
	gone = elapsed(away, now);
	state = v->state;
	if (state < VCPU_LEAVING || state == VCPU_LATE)
		return 0;
	open = cell_at(v->open);
	if (!open)
		return 0;
	begin_change(v);
	v->state = VCPU_KERNEL;
	if (state == VCPU_OFF) {
		open->offcpu_cycles += gone;
	} else if (state == VCPU_LATE_OFF) {
		v->late_off += gone;
		v->state = VCPU_LATE;
	} else {
		open->user_cycles += gone;
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
		v->guest_cycles += elapsed(v->mark, now);
		v->mark = now;
	}
}

/* The cell that the exit goes into is known. */
static __always_inline void open_cell(struct vcpu *v, u32 index)
{
	struct cell *cell = cell_at(index);

	if (!cell)
		return;
	if (v->late_off) {
		/* The exit's own time began when the thread was switched out. */
		begin_change(v);
		cell->offcpu_cycles += v->late_off;
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
	v->exits++;
	open_cell(v, tally_cell(v, key));
}

static __always_inline void tally_exit_pending(struct vcpu *v, u64 key, u64 now)
{
	leave_guest(v, now);
	v->exits++;
	v->pending = key;
	v->state = VCPU_KERNEL_PENDING;
}

/* What comes without an exit now has skipped it. */
static __always_inline bool tally_exit_due(const struct vcpu *v)
{
	return v->state == VCPU_GUEST || v->state == VCPU_LATE;
}

/* False while an exit is due. */
static __always_inline bool tally_entry_slow(struct vcpu *v, u64 now)
{
	struct cell *open;

	settle(v, now);
	if (tally_exit_due(v))
		return false;
	if (v->state == VCPU_UNKNOWN) {
		start(v, now);
	} else {
		open = cell_at(v->open);
		if (open)
			tally_close_slow(open, elapsed(v->mark, now));
	}
	v->mark = now;
	v->state = VCPU_GUEST;
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
	struct cell *open;

	tally_skipped(v, key, now);
	open = cell_at(v->open);
	if (open)
		open->kernel_cycles += elapsed(v->mark, now);
	v->mark = now;
	v->state = VCPU_GUEST;
}

/* Exits that were not even noticed in their order; their time is not known. */
static __always_inline void tally_unseen(struct vcpu *v, u64 exits)
{
	struct cell *cell = cell_at(tally_cell(v, KEY_NO_REASON));

	if (cell)
		cell->exits += exits;
	v->exits += exits;
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
		v->guest_cycles += elapsed(v->mark, now);
		v->mark = now;
		go(v, VCPU_LATE_OFF, now);
		break;
	case VCPU_LATE:
		go(v, VCPU_LATE_OFF, now);
		break;
	}
}

/* False: it was not within KVM_RUN that it was switched out. */
static __always_inline bool tally_in(struct vcpu *v, u64 now)
{
	if (v->state != VCPU_OFF && v->state != VCPU_LATE_OFF)
		return false;
	settle(v, now);
	return true;
}

#endif
