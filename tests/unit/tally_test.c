// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's tally against a slow and plain model of it: every code of both
 * ISAs, more codes than there are cells, untraced exits, clocks that run back.
 * Prints TAP.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../module/tally.h"

static int tests, failures;

static void is(u64 got, u64 wanted, const char *name)
{
	printf("%sok %d - %s\n", got == wanted ? "" : "not ", ++tests, name);
	if (got == wanted)
		return;
	printf("# got %llu, wanted %llu\n", (unsigned long long)got, (unsigned long long)wanted);
	failures++;
}

static struct tally_cell cell_of(const struct tally *t, u64 code)
{
	struct tally_cell none = { .code = code };
	u32 i;

	for (i = 0; i < t->nr_cells; i++)
		if (t->cells[i].code == code)
			return t->cells[i];
	return none;
}

static u64 exits_of(const struct tally *t, u64 code)
{
	return cell_of(t, code).exits;
}

static u64 cycles_of(const struct tally *t, u64 code)
{
	return cell_of(t, code).cycles;
}

static u64 all_exits(const struct tally *t)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < t->nr_cells; i++)
		sum += t->cells[i].exits;
	return sum;
}

/* One entry at 'in', one exit at 'out'. */
static void visit(struct tally *t, u32 code, u64 in, u64 out)
{
	tally_entry(t, in);
	tally_exit(t, code, out);
}

static void times(void)
{
	struct tally t;

	tally_init(&t);
	is(tally_entry(&t, 100), true, "the first entry");
	tally_exit(&t, 0x72, 150);
	is(t.guest_cycles, 50, "entry to exit is guest time");
	is(exits_of(&t, 0x72), 1, "an exit counts before its entry");
	is(cycles_of(&t, 0x72), 0, "and has no time yet");
	is(tally_entry(&t, 180), true, "the next entry");
	is(cycles_of(&t, 0x72), 30, "exit to entry is its time");
	tally_exit(&t, 0x7b, 200);
	is(tally_entry(&t, 190), true, "an entry of a CPU whose TSC is behind");
	is(cycles_of(&t, 0x7b), 0, "time does not run backwards");
	tally_exit(&t, 0x7b, 180);
	is(t.guest_cycles, 70, "nor does guest time");
}

/* The probes come while the vCPU is in the guest, or in the host. */
static void beginnings(void)
{
	struct tally t;

	tally_init(&t);
	tally_exit(&t, 0x72, 500);
	is(exits_of(&t, 0x72), 1, "an exit whose entry was not seen");
	is(t.guest_cycles, 0, "has no guest time");
	is(t.untraced, 0, "and nothing is untraced");
	tally_entry(&t, 520);
	is(cycles_of(&t, 0x72), 20, "its own time is there");
}

static void exits_without_entry(void)
{
	struct tally t;

	tally_init(&t);
	tally_entry(&t, 10);
	tally_exit(&t, 0x72, 20);
	tally_exit(&t, 0x60, 40);
	tally_entry(&t, 70);
	is(exits_of(&t, 0x72) + exits_of(&t, 0x60), 2, "two exits and no entry between: both count");
	is(cycles_of(&t, 0x72), 0, "the open time of the first is not invented");
	is(cycles_of(&t, 0x60), 30, "the second has its own");
}

static void untraced(void)
{
	struct tally t;

	tally_init(&t);
	tally_entry(&t, 10);
	is(tally_entry(&t, 30), false, "an entry after an entry");
	tally_untraced(&t, 0x7b, 30);
	is(t.untraced, 1, "is one untraced exit");
	is(exits_of(&t, 0x7b), 1, "under its reason");
	tally_exit(&t, 0x72, 60);
	is(t.guest_cycles, 50, "the guest's time goes on");
	tally_entry(&t, 70);
	tally_entry(&t, 80);
	tally_untraced(&t, TALLY_NO_REASON, 80);
	is(exits_of(&t, TALLY_NO_REASON), 1, "or under none");
	is(t.untraced, 2, "both are untraced");
	is(all_exits(&t), 3, "and all are exits");
}

/* Each code that KVM knows alone, and two whose hashes are the same in turn. */
static void every_code(void)
{
	static const struct { u32 first, last; } ranges[] = {
		{ 0x000, 0x0ff }, { 0x400, 0x404 }, { 0xf0000000, 0xf0000001 },
		{ 0xffffffff, 0xffffffff }, { 0x80000021, 0x80000021 },
	};
	unsigned int wrong = 0, collisions = 0;
	struct tally t;
	size_t i;
	u64 code;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		for (code = ranges[i].first; code <= ranges[i].last; code++) {
			tally_init(&t);
			visit(&t, code, 1, 2);
			visit(&t, code ^ 0x100, 3, 4);
			collisions += tally_hash(code) == tally_hash(code ^ 0x100);
			visit(&t, code, 5, 6);
			wrong += exits_of(&t, code) != 2 || exits_of(&t, code ^ 0x100) != 1;
		}
	is(wrong, 0, "every code of both ISAs is counted as itself");

	tally_init(&t);
	for (i = 0; i < 1000; i++)
		visit(&t, i % 2 ? 0x72 : 0x72 + (1 << 16), 2 * i, 2 * i + 1);
	is(tally_hash(0x72) == tally_hash(0x72 + (1 << 16)), true, "two codes with one hash");
	is(exits_of(&t, 0x72), 500, "stay apart");
	is(t.nr_cells, 3, "in a cell each");
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
	is(all_exits(&t), 200000, "more codes than cells: no exit is lost");
	is(t.nr_cells, TALLY_CELLS, "all cells are in use");
	for (i = 1; i < t.nr_cells; i++) {
		wrong += t.cells[i].exits != model[t.cells[i].code];
		in_cells += t.cells[i].exits;
	}
	is(wrong, 0, "each code with a cell has exactly its exits");
	is(t.cells[0].exits, 200000 - in_cells, "cell 0 has the rest");
}

int main(void)
{
	times();
	beginnings();
	exits_without_entry();
	untraced();
	every_code();
	too_many();
	printf("1..%d\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
