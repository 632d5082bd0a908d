// SPDX-License-Identifier: GPL-2.0-only
/* The cold side of the tally: new reasons, rare events, and whatever is unusual. */
#ifdef __KERNEL__
#include <linux/limits.h>
#include <linux/processor.h>
#include <linux/string.h>
#include <asm/barrier.h>
#endif

#include "tally.h"

static void clear_cell(struct tally_cell *cell, u64 key)
{
	memset(cell, 0, sizeof(*cell));
	cell->key = key;
	cell->min = U64_MAX;
}

void tally_init(struct tally *t)
{
	u32 i;

	memset(t, 0, sizeof(*t));
	clear_cell(&t->other, TALLY_OTHER);
	t->open = &t->other;
	for (i = 0; i < TALLY_SLOTS; i++)
		t->slot[i] = &t->other;
}

void tally_restart(struct tally *t)
{
	u32 i;

	clear_cell(&t->other, TALLY_OTHER);
	for (i = 0; i < t->nr_cells; i++)
		clear_cell(t->cells[i], t->cells[i]->key);
	t->guest_cycles = 0;
	t->untraced = 0;
	t->mark = 0;
	t->first = 0;
	t->late_off = 0;
	t->open = &t->other;
	t->state = TALLY_UNKNOWN;
}

static struct tally_cell *new_cell(struct tally *t, u64 key)
{
	struct tally_cell *cell;

	if (t->nr_cells == TALLY_CELLS)
		return NULL;
	cell = tally_cell_alloc();
	if (!cell)
		return NULL;
	clear_cell(cell, key);
	t->cells[t->nr_cells] = cell;
	/* A reader that sees the number also sees the cell. */
	smp_store_release(&t->nr_cells, t->nr_cells + 1);
	return cell;
}

struct tally_cell *tally_cell(struct tally *t, u64 key)
{
	struct tally_cell **slot = &t->slot[tally_slot(key)];
	struct tally_cell *cell;
	u32 i;

	if ((*slot)->key == key)
		return *slot;
	/* Its first exit, or its slot went to another one. */
	for (i = 0; i < t->nr_cells; i++)
		if (t->cells[i]->key == key)
			return *slot = t->cells[i];
	cell = new_cell(t, key);
	if (!cell)
		return &t->other;
	*slot = cell;
	return cell;
}

/*
 * The TSCs of two CPUs may disagree by a few cycles. Where a thread may have
 * moved, time does not run backwards.
 */
static u64 elapsed(u64 from, u64 to)
{
	return to > from ? to - from : 0;
}

/* 'changes' is even again in the end, whatever it was. */
static void begin_change(struct tally *t)
{
	WRITE_ONCE(t->changes, t->changes | 1);
	smp_wmb();	/* pairs with tally_read(), as does the next one */
}

static void end_change(struct tally *t)
{
	smp_wmb();	/* the change first, then that it is over */
	WRITE_ONCE(t->changes, (t->changes | 1) + 1);
}

static void start(struct tally *t, u64 now)
{
	begin_change(t);
	t->first = now;
	t->mark = now;
	end_change(t);
}

/*
 * The vCPU's thread is on its CPU and in KVM again. The time away is moved out
 * of the exit's kernel time: 'mark' moves on by it, backwards, too.
 */
static void settle(struct tally *t, u64 now)
{
	u64 away = t->away, gone = elapsed(away, now);
	u32 state = t->state;

	if (state < TALLY_LEAVING || state == TALLY_LATE)
		return;
	begin_change(t);
	t->state = TALLY_KERNEL;
	if (state == TALLY_OFF) {
		t->open->offcpu_cycles += gone;
	} else if (state == TALLY_LATE_OFF) {
		t->late_off += gone;
		t->state = TALLY_LATE;
	} else {
		t->open->user_cycles += gone;
	}
	t->mark += now - away;
	end_change(t);
}

void tally_exit_slow(struct tally *t, struct tally_cell *cell, u64 now)
{
	settle(t, now);		/* where 'in' or 'back' was missed */
	switch (t->state) {
	case TALLY_UNKNOWN:
		start(t, now);
		break;
	case TALLY_LATE:
		/* The exit's own time began when the thread was switched out. */
		begin_change(t);
		cell->offcpu_cycles += t->late_off;
		t->late_off = 0;
		end_change(t);
		break;
	default:
		/*
		 * GUEST, or KERNEL: no entry since the last exit, for KVM went
		 * back into the guest at once (the loop of vcpu_enter_guest() up
		 * to 6.9 tells nobody). That is guest time but for the fastpath.
		 */
		t->guest_cycles += elapsed(t->mark, now);
		t->mark = now;
		break;
	}
	cell->exits++;
	t->open = cell;
	t->state = TALLY_KERNEL;
}

bool tally_entry_slow(struct tally *t, u64 now)
{
	settle(t, now);
	if (tally_exit_due(t))
		return false;
	if (t->state == TALLY_UNKNOWN)
		start(t, now);
	else
		tally_close(t->open, elapsed(t->mark, now));
	t->mark = now;
	t->state = TALLY_GUEST;
	return true;
}

/* A new extreme, or more than the histogram has room for. */
void tally_close_slow(struct tally_cell *cell, u64 cycles)
{
	cell->kernel_cycles += cycles;
	cell->squares += (__uint128_t)cycles * cycles;
	if (cycles < cell->min)
		cell->min = cycles;
	if (cycles < TALLY_HUGE) {
		if (cycles > cell->max)
			cell->max = cycles;
		cell->histogram[tally_bucket(cycles)]++;
		return;
	}
	if (cycles > cell->huge)
		cell->huge = cycles;
	cell->histogram[TALLY_BUCKETS - 1]++;
}

static void count_skipped(struct tally *t, u64 key, u64 now)
{
	tally_exit_slow(t, tally_cell(t, key), now);
	t->untraced++;
}

void tally_skipped(struct tally *t, u64 key, u64 now)
{
	if (tally_exit_due(t))
		count_skipped(t, key, now);
}

/* When the exit was in this time cannot be told: it is all guest time. */
void tally_skipped_at_entry(struct tally *t, u64 key, u64 now)
{
	count_skipped(t, key, now);
	t->open->kernel_cycles += elapsed(t->mark, now);
	t->mark = now;
	t->state = TALLY_GUEST;
}

void tally_unseen(struct tally *t, u64 exits)
{
	tally_cell(t, TALLY_NO_REASON)->exits += exits;
	t->untraced += exits;
}

static void go(struct tally *t, enum tally_state where, u64 since)
{
	begin_change(t);
	t->away = since;
	t->state = where;
	end_change(t);
}

/*
 * KVM_RUN is about to give the vCPU up. Its way back to userspace is the
 * kernel's time still, if tally_left() shows how long it was.
 */
void tally_leave(struct tally *t, u64 now)
{
	if (t->state == TALLY_KERNEL)
		go(t, TALLY_LEAVING, now);
}

void tally_left(struct tally *t, u64 now)
{
	if (t->state == TALLY_KERNEL || t->state == TALLY_LEAVING)
		go(t, TALLY_USER, now);
}

void tally_back(struct tally *t, u64 now)
{
	if (t->state == TALLY_USER || t->state == TALLY_LEAVING)
		settle(t, now);
}

void tally_out(struct tally *t, u64 now)
{
	switch (t->state) {
	case TALLY_KERNEL:
		go(t, TALLY_OFF, now);
		break;
	case TALLY_LEAVING:
		/* Nothing tells this thread's return; or it was in userspace already. */
		go(t, TALLY_USER, t->away);
		break;
	case TALLY_GUEST:
		t->guest_cycles += elapsed(t->mark, now);
		t->mark = now;
		go(t, TALLY_LATE_OFF, now);
		break;
	case TALLY_LATE:
		go(t, TALLY_LATE_OFF, now);
		break;
	}
}

bool tally_in(struct tally *t, u64 now)
{
	if (t->state != TALLY_OFF && t->state != TALLY_LATE_OFF)
		return false;
	settle(t, now);
	return true;
}

struct tally_reading tally_read(const struct tally *t, u64 now)
{
	struct tally_reading r;
	u32 changes;
	u64 gone;

	do {
		while ((changes = READ_ONCE(t->changes)) & 1)
			cpu_relax();
		smp_rmb();	/* pairs with begin_change() and end_change() */
		r.open = READ_ONCE(t->open);
		r.user_cycles = READ_ONCE(r.open->user_cycles);
		r.offcpu_cycles = READ_ONCE(r.open->offcpu_cycles);
		r.wall = READ_ONCE(t->mark) - READ_ONCE(t->first) - READ_ONCE(t->late_off);
		gone = elapsed(READ_ONCE(t->away), now);
		if (READ_ONCE(t->state) == TALLY_USER)
			r.user_cycles += gone;
		else if (READ_ONCE(t->state) == TALLY_OFF)
			r.offcpu_cycles += gone;
		else
			gone = 0;
		r.wall += gone;
		smp_rmb();	/* the same */
	} while (READ_ONCE(t->changes) != changes);
	return r;
}

u64 tally_exits(const struct tally *t)
{
	u64 sum = t->other.exits;
	u32 i;

	for (i = 0; i < t->nr_cells; i++)
		sum += t->cells[i]->exits;
	return sum;
}

static u64 larger(u64 a, u64 b)
{
	return a > b ? a : b;
}

void tally_add_cell(struct tally_cell *to, const struct tally_cell *from)
{
	u32 i;

	to->exits += from->exits;
	to->kernel_cycles += from->kernel_cycles;
	to->user_cycles += from->user_cycles;
	to->offcpu_cycles += from->offcpu_cycles;
	to->squares += from->squares;
	to->min = from->min < to->min ? from->min : to->min;
	to->max = larger(to->max, from->max);
	to->huge = larger(to->huge, from->huge);
	for (i = 0; i < TALLY_BUCKETS; i++)
		to->histogram[i] += from->histogram[i];
}
