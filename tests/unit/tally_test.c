// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's tally, event by event. Prints TAP. What random sequences of
 * events do to it is in tally_fuzz.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../module/tally.h"

static int tests, failures;
static int cells_left = -1;	/* that tally_cell_alloc() still gives; -1: any number */

struct tally_cell *tally_cell_alloc(void)
{
	if (!cells_left)
		return NULL;
	cells_left -= cells_left > 0;
	return calloc(1, sizeof(struct tally_cell));
}

static void is(u64 got, u64 wanted, const char *name)
{
	printf("%sok %d - %s\n", got == wanted ? "" : "not ", ++tests, name);
	if (got == wanted)
		return;
	printf("# got %llu, wanted %llu\n", (unsigned long long)got, (unsigned long long)wanted);
	failures++;
}

static void end(struct tally *t)
{
	u32 i;

	for (i = 0; i < t->nr_cells; i++)
		free(t->cells[i]);
}

static u64 wall_of(const struct tally *t)
{
	return tally_read(t, 0).wall;
}

/* As the module's probes do it. */
static void leave_guest(struct tally *t, u64 key, u64 now)
{
	if (tally_exit(t, key, tally_slot(key), now))
		return;
	tally_exit_slow(t, tally_cell(t, key), now);
}

static bool enter(struct tally *t, u64 now)
{
	return tally_entry(t, now) || tally_entry_slow(t, now);
}

static const struct tally_cell *cell_of(struct tally *t, u64 key)
{
	return tally_cell(t, key);
}

/* One entry at 'in', one exit at 'out'. */
static void visit(struct tally *t, u64 key, u64 in, u64 out)
{
	enter(t, in);
	leave_guest(t, key, out);
}

static void times(void)
{
	struct tally t;

	tally_init(&t);
	is(enter(&t, 100), true, "the first entry");
	leave_guest(&t, 0x72, 150);
	is(t.guest_cycles, 50, "entry to exit is guest time");
	is(cell_of(&t, 0x72)->exits, 1, "an exit counts before its entry");
	is(cell_of(&t, 0x72)->kernel_cycles, 0, "and has no time yet");
	is(enter(&t, 180), true, "the next entry");
	is(cell_of(&t, 0x72)->kernel_cycles, 30, "exit to entry is kernel time");
	leave_guest(&t, 0x72, 200);
	enter(&t, 260);
	is(cell_of(&t, 0x72)->min, 30, "its least");
	is(cell_of(&t, 0x72)->max, 60, "its most");
	is(cell_of(&t, 0x72)->squares, 30 * 30 + 60 * 60, "its squares");
	is(cell_of(&t, 0x72)->histogram[tally_bucket(30)], 1, "one in the histogram");
	is(cell_of(&t, 0x72)->histogram[tally_bucket(60)], 1, "and the other one");
	is(wall_of(&t), 160, "first event to last entry");
	end(&t);
}

/* A HLT: asleep, woken on another CPU; the VMM then takes its time. */
static void away(void)
{
	const struct tally_cell *hlt;
	struct tally t;

	tally_init(&t);
	visit(&t, 0x78, 100, 150);
	tally_out(&t, 170);
	tally_in(&t, 1170);
	tally_leave(&t, 1180);
	tally_left(&t, 1190);
	tally_back(&t, 3190);
	tally_out(&t, 3200);
	tally_in(&t, 3230);
	enter(&t, 3240);
	hlt = cell_of(&t, 0x78);
	is(hlt->offcpu_cycles, 1030, "switched out twice: off-CPU time");
	is(hlt->user_cycles, 2000, "KVM_RUN over until back: user time");
	is(hlt->kernel_cycles, 20 + 10 + 10 + 10 + 10, "the rest is kernel time");
	is(hlt->histogram[tally_bucket(60)], 1, "which is one entry of the histogram");
	is(wall_of(&t), 3140, "all of it adds up");
	end(&t);
}

/* The way back to userspace without kvm_userspace_exit, as a thread is switched out there. */
static void let_go(void)
{
	struct tally t;

	tally_init(&t);
	visit(&t, 0x7b, 100, 150);
	tally_leave(&t, 160);
	tally_back(&t, 260);
	enter(&t, 270);
	is(cell_of(&t, 0x7b)->user_cycles, 100, "let go until back is user time");
	is(cell_of(&t, 0x7b)->kernel_cycles, 20, "and no kernel time");
	leave_guest(&t, 0x7b, 300);
	tally_leave(&t, 310);
	tally_out(&t, 315);
	tally_in(&t, 1315);
	tally_left(&t, 1320);
	tally_back(&t, 1400);
	enter(&t, 1405);
	is(cell_of(&t, 0x7b)->kernel_cycles, 35, "switched out on the way: kernel time until it was let go");
	is(cell_of(&t, 0x7b)->user_cycles, 1190, "and user time from there");
	end(&t);
}

/* Up to 6.9 AMD's event comes when interrupts are on again. */
static void late_exit(void)
{
	struct tally t;

	tally_init(&t);
	enter(&t, 100);
	tally_out(&t, 150);
	tally_in(&t, 1150);
	tally_out(&t, 1160);
	tally_in(&t, 1260);
	is(wall_of(&t), 50, "time of an exit that is not known yet is nowhere yet");
	leave_guest(&t, 0x60, 1265);
	enter(&t, 1270);
	is(t.guest_cycles, 50, "switched out before the event: guest time ended there");
	is(cell_of(&t, 0x60)->offcpu_cycles, 1100, "off-CPU time goes to the exit that caused it");
	is(cell_of(&t, 0x60)->kernel_cycles, 20, "so does the rest");
	is(wall_of(&t), 1170, "all of it adds up");
	end(&t);
}

/* The probes come while the vCPU is in the guest, or in the host. */
static void beginnings(void)
{
	struct tally t;

	tally_init(&t);
	leave_guest(&t, 0x72, 500);
	is(cell_of(&t, 0x72)->exits, 1, "an exit whose entry was not seen");
	is(t.guest_cycles, 0, "has no guest time");
	is(t.untraced, 0, "and nothing is untraced");
	enter(&t, 520);
	is(cell_of(&t, 0x72)->kernel_cycles, 20, "its own time is there");
	end(&t);

	tally_init(&t);
	tally_out(&t, 500);
	tally_in(&t, 600);
	tally_back(&t, 650);
	enter(&t, 700);
	is(wall_of(&t), 0, "what was before the first exit or entry is not counted");
	end(&t);
}

static void exits_without_entry(void)
{
	struct tally t;

	tally_init(&t);
	enter(&t, 10);
	leave_guest(&t, 0x72, 20);
	leave_guest(&t, 0x60, 40);
	enter(&t, 70);
	is(tally_exits(&t), 2, "two exits and no entry between: both count");
	is(cell_of(&t, 0x72)->kernel_cycles, 0, "the open time of the first is not invented");
	is(t.guest_cycles, 30, "it went back at once, so that was guest time");
	is(cell_of(&t, 0x60)->kernel_cycles, 30, "the second has its own");
	end(&t);
}

static void untraced(void)
{
	struct tally t;

	tally_init(&t);
	enter(&t, 10);
	is(enter(&t, 30), false, "an entry after an entry");
	tally_skipped_at_entry(&t, 0x7b, 30);
	is(t.untraced, 1, "is one untraced exit");
	is(cell_of(&t, 0x7b)->exits, 1, "under its reason");
	is(cell_of(&t, 0x7b)->kernel_cycles, 0, "whose time is not known");
	leave_guest(&t, 0x72, 60);
	is(t.guest_cycles, 50, "the guest's time goes on");
	enter(&t, 70);
	tally_skipped(&t, TALLY_NO_REASON, 80);
	tally_left(&t, 85);
	is(cell_of(&t, TALLY_NO_REASON)->exits, 1, "KVM_RUN over while in the guest: another, without reason");
	tally_skipped(&t, TALLY_NO_REASON, 90);
	is(t.untraced, 2, "and only one");
	tally_unseen(&t, 5);
	is(t.untraced, 7, "what KVM alone has counted is untraced");
	is(tally_exits(&t), 8, "and all are exits");
	end(&t);

	tally_init(&t);
	enter(&t, 10);
	tally_out(&t, 20);
	tally_in(&t, 30);
	is(enter(&t, 40), false, "switched out in the guest, then an entry");
	tally_skipped_at_entry(&t, 0x60, 40);
	is(cell_of(&t, 0x60)->offcpu_cycles, 10, "the untraced exit has the off-CPU time");
	is(wall_of(&t), t.guest_cycles + 10 + cell_of(&t, 0x60)->kernel_cycles, "all of it adds up");
	end(&t);
}

static void histogram(void)
{
	unsigned int wrong = 0;
	struct tally t;
	u64 v, low;

	for (v = 0, low = 0; v < 1 << 20; v++) {
		if (tally_bucket(v) != tally_bucket(low))
			low = v;
		wrong += v - low > low / 4;
		wrong += v && tally_bucket(v) < tally_bucket(v - 1);
	}
	is(wrong, 0, "a bucket is no wider than a quarter of where it begins");
	is(tally_bucket(3), 3, "below 4 each value has its own");
	is(tally_bucket(TALLY_HUGE - 1), TALLY_BUCKETS - 1, "the last one");

	tally_init(&t);
	visit(&t, 0x72, 1, 2);
	enter(&t, 2 + 3 * TALLY_HUGE);
	is(cell_of(&t, 0x72)->histogram[TALLY_BUCKETS - 1], 1, "has all that is too big");
	is(cell_of(&t, 0x72)->huge, 3 * TALLY_HUGE, "whose greatest is kept");
	is(cell_of(&t, 0x72)->squares == (__uint128_t)9 * TALLY_HUGE * TALLY_HUGE, 1,
	   "squares have 128 bits");
	end(&t);
}

/* Each code that KVM knows alone, and two with the same slot in turn. */
static void every_code(void)
{
	static const struct { u32 first, last; } ranges[] = {
		{ 0x000, 0x0ff }, { 0x400, 0x404 }, { 0xf0000000, 0xf0000001 },
		{ 0xffffffff, 0xffffffff }, { 0x80000021, 0x80000021 },
	};
	unsigned int wrong = 0;
	struct tally t;
	size_t i;
	u64 code;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		for (code = ranges[i].first; code <= ranges[i].last; code++) {
			tally_init(&t);
			visit(&t, code, 1, 2);
			visit(&t, code ^ 0x100, 3, 4);
			visit(&t, code | TALLY_L2, 5, 6);
			visit(&t, code | 2ULL << TALLY_DETAIL_SHIFT, 7, 8);
			visit(&t, code, 9, 10);
			wrong += cell_of(&t, code)->exits != 2 ||
				 cell_of(&t, code ^ 0x100)->exits != 1 ||
				 cell_of(&t, code | TALLY_L2)->exits != 1 || t.nr_cells != 4;
			end(&t);
		}
	is(wrong, 0, "every code of both ISAs is counted as itself, and apart in L2 and by detail");

	tally_init(&t);
	for (i = 0; i < 1000; i++)
		visit(&t, i % 2 ? 0x72 : 0x172, 2 * i, 2 * i + 1);
	is(tally_slot_of_code(0x72), tally_slot_of_code(0x172), "two codes with one slot");
	is(cell_of(&t, 0x72)->exits, 500, "stay apart");
	is(t.nr_cells, 2, "in a cell each");
	end(&t);
}

/* However many and in whatever order: no exit is lost, and those that got a cell are exact. */
static void too_many(void)
{
	u64 model[300] = { 0 }, in_cells = 0;
	unsigned int i, wrong = 0;
	struct tally t;

	tally_init(&t);
	srand(1);
	for (i = 0; i < 200000; i++) {
		unsigned int code = rand() % 300;

		model[code]++;
		visit(&t, code, 2 * i + 1, 2 * i + 2);
	}
	is(tally_exits(&t), 200000, "more codes than cells: no exit is lost");
	is(t.nr_cells, TALLY_CELLS, "all cells are in use");
	for (i = 0; i < t.nr_cells; i++) {
		wrong += t.cells[i]->exits != model[t.cells[i]->key];
		in_cells += t.cells[i]->exits;
	}
	is(wrong, 0, "each code with a cell has exactly its exits");
	is(t.other.exits, 200000 - in_cells, "'other' has the rest");
	end(&t);

	tally_init(&t);
	cells_left = 1;
	for (i = 0; i < 10; i++)
		visit(&t, i % 2, 2 * i, 2 * i + 1);
	is(t.other.exits, 5, "no memory for a cell: its exits are in 'other'");
	cells_left = -1;
	visit(&t, 1, 100, 101);
	is(cell_of(&t, 1)->exits, 1, "until there is some");
	is(tally_exits(&t), 11, "none is lost");
	end(&t);
}

static void restart(void)
{
	struct tally t;

	tally_init(&t);
	visit(&t, 0x72, 10, 20);
	enter(&t, 50);
	visit(&t, 0x72, 60, 70);
	tally_restart(&t);
	is(tally_exits(&t), 0, "a restart: no exits");
	is(t.guest_cycles + wall_of(&t) + cell_of(&t, 0x72)->max, 0, "and no time");
	enter(&t, 80);
	is(cell_of(&t, 0x72)->kernel_cycles, 0, "an exit of before has none now");
	leave_guest(&t, 0x72, 90);
	enter(&t, 97);
	is(cell_of(&t, 0x72)->exits, 1, "it counts on");
	is(cell_of(&t, 0x72)->min, 7, "with extremes of its own");
	end(&t);
}

/* A reader does not wait for the vCPU to come back. */
static void reading(void)
{
	struct tally t;

	tally_init(&t);
	visit(&t, 0x78, 0, 100);
	tally_out(&t, 110);
	is(tally_read(&t, 1110).offcpu_cycles, 1000, "off the CPU: what has passed so far is read");
	is(tally_read(&t, 1110).wall, 1100, "and is part of the wall clock");
	is(tally_read(&t, 100).offcpu_cycles, 0, "a clock that is behind takes nothing away");
	is(cell_of(&t, 0x78)->offcpu_cycles, 0, "reading changes nothing");
	tally_in(&t, 2110);
	is(tally_read(&t, 5000).offcpu_cycles, 2000, "when it is back it is all of it, once");
	tally_leave(&t, 2200);
	is(tally_read(&t, 3000).user_cycles, 0, "on its way out it is not with the VMM yet");
	tally_left(&t, 2210);
	is(tally_read(&t, 3210).user_cycles, 1000, "with the VMM: the same");
	is(tally_read(&t, 3210).open == cell_of(&t, 0x78), true, "for the exit that led there");
	is(tally_read(&t, 0).user_cycles, 0, "unless it will not come back");
	tally_back(&t, 3210);
	tally_leave(&t, 3300);
	tally_out(&t, 4300);
	is(tally_read(&t, 5300).user_cycles, 3000, "switched out on its way: with the VMM from there");
	end(&t);
}

int main(void)
{
	times();
	reading();
	away();
	let_go();
	late_exit();
	beginnings();
	exits_without_entry();
	untraced();
	histogram();
	every_code();
	too_many();
	restart();
	printf("1..%d\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
