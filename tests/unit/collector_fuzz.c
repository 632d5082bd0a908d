// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF collector's programs against the module's tally: random lives of vCPUs, any
 * event at any time. Prints TAP. collector_fuzz [LIVES [SEED]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "collector_twin.h"

#define EVENTS 300

static void buckets(void)
{
	unsigned int wrong = 0;
	u64 i, k;

	for (i = 0; i < 1 << 16; i++)
		wrong += collector_bucket(i) != tally_bucket(i);
	for (k = 2; k < 36; k++)
		for (i = (1ULL << k) - 1; i <= (1ULL << k) + 1; i++)
			wrong += collector_bucket(i) != tally_bucket(i);
	wrong += collector_bucket(TALLY_HUGE - 1) != TALLY_BUCKETS - 1;
	for (k = 0; k < 1000000; k++) {
		i = below(TALLY_HUGE) >> below(36);
		wrong += collector_bucket(i) != tally_bucket(i);
	}
	verdict(wrong, "every bucket begins where the module's does");
}

/* The kernel times of exits; the histogram is of cycles, the rest of nanoseconds. */
static unsigned int wrong_closes(u32 khz, unsigned int bits)
{
	struct tally_cell in_cycles = { .min = UINT64_MAX }, in_ns = in_cycles;
	u64 per_ns = ((u64)khz << CYCLES_SHIFT) / 1000000;
	/* Soon there is a carry, by the fast path, too. */
	struct cell cell = { .min = UINT64_MAX, .squares_low = ~0ULL << 20 };
	unsigned int i, wrong = 0;

	in_ns.squares = cell.squares_low;
	collector_new(0);
	collector_clock(per_ns);
	for (i = 0; i < 100000; i++) {
		u64 ns = below(1ULL << bits) >> below(bits);

		collector_close(&cell, ns);
		tally_close_slow(&in_cycles, cycles_of_ns(ns, per_ns));
		tally_close_slow(&in_ns, ns);
		if (i % 16)
			continue;
		memcpy(in_ns.histogram, in_cycles.histogram, sizeof(in_ns.histogram));
		wrong += !same_cell(&cell, &in_ns);
	}
	return wrong;
}

static void closes(void)
{
	unsigned int wrong = 0, bits;

	for (bits = 6; bits < 62; bits += 5)
		wrong += wrong_closes(2100000, bits) + wrong_closes(3999999, bits);
	verdict(wrong, "kernel times of any length: extremes, histogram, squares");
}

static void clocks(void)
{
	static const u32 khz[] = { 1000000, 1400001, 1996250, 2399999, 3000000, 4294967, 6000001 };
	unsigned int i, j, far = 0, back = 0, relative = 0;

	for (i = 0; i < 7 * 100000; i++) {
		u32 freq = khz[i % 7];
		u64 per_ns = ((u64)freq << CYCLES_SHIFT) / 1000000;
		u64 ns = below(1ULL << 58) >> below(58);	/* 9 years */

		if (!below(4))
			ns = (((ns >> CYCLES_SHIFT) + 1) << CYCLES_SHIFT) - below(2);
		for (j = 0; j < 3; j++, ns++) {
			u64 exact = (__uint128_t)ns * freq / 1000000;
			u64 got = cycles_of_ns(ns, per_ns);

			/* One for each 2^29 ns, as the factor is cut off there. */
			far += exact - got > 1 + (ns >> CYCLES_SHIFT) + 1;
			relative += exact - got > 1 + exact / 500000000;
			back += cycles_of_ns(ns + 1, per_ns) < got;
		}
	}
	verdict(far, "nanoseconds become cycles, to the cycle but for what the factor lacks");
	verdict(relative, "that is below 2e-9 of them from 1 GHz on");
	verdict(back, "and never run backwards");
}

/* Lives of one vCPU; 'cells': as many as there are for it, 'wild': as in struct twin. */
static void lives(unsigned int nr, bool scarce, bool wild, const char *name)
{
	unsigned int i, j, states = 0, cells = 0, readings = 0, full = 0;
	static struct twin w;
	char text[200];

	for (i = 0; i < nr; i++) {
		cells_left = scarce ? below(TALLY_CELLS) : TALLY_CELLS + 1;
		collector_new(0);
		/* With 'other', and often not at home. */
		collector_room(1, below(2) ? 1 : 1000, cells_left + 1);
		fake_kernel(below(2));
		twin_begin(&w, 1, below(100), 1 + below(2));
		w.wild = wild;
		now = 1 + below(1ULL << 40);
		for (j = 0; j < EVENTS; j++) {
			any_event(&w);
			states += !same_state(&w);
			if (w.pending || !known(&w))
				continue;
			cells += !same_cells(&w);
			if (!below(20))
				readings += !same_reading(&w);
		}
		full += w.t.nr_cells == TALLY_CELLS;
		twin_end(&w);
	}
	snprintf(text, sizeof(text), "%s: the same states, marks, guest time and exits", name);
	verdict(states, text);
	snprintf(text, sizeof(text), "%s: the same cells, to the last bucket and bit", name);
	verdict(cells, text);
	snprintf(text, sizeof(text), "%s: the same for a reader at any time", name);
	verdict(readings, text);
	if (!scarce)
		verdict(!full, "some had more reasons than there are cells");
}


int main(int argc, char **argv)
{
	unsigned int nr = argc > 1 ? strtoul(argv[1], NULL, 10) : 300;

	srand(argc > 2 ? strtoul(argv[2], NULL, 10) : 1);
	buckets();
	closes();
	clocks();
	lives(nr, false, false, "random lives");
	lives(nr, false, true, "clocks that go back");
	lives(nr, true, false, "no cells left");
	return done_testing();
}
