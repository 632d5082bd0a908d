// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * module/tally.h on this machine's own CPU: what one exit and the entry after it
 * cost, reasons and times changing. Prints nanoseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../module/tally.h"

/* Short ones, and the best of them: other programs run on this machine. */
#define UPDATES	1000000UL
#define REPEATS	200

struct tally_cell *tally_cell_alloc(void)
{
	return calloc(1, sizeof(struct tally_cell));
}

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static double update_ns(struct tally *t)
{
	static const u32 codes[] = { 0x72, 0x7b, 0x7c, 0x400, 0x72, 0x60, 0x78, 0x72 };
	double start = now_ns();
	unsigned long i;
	u64 now = 1;

	for (i = 0; i < UPDATES; i++) {
		now += 1000 + i % 512;
		if (!tally_exit(t, codes[i % 8], tally_slot_of_code(codes[i % 8]), now))
			tally_exit_slow(t, tally_cell(t, codes[i % 8]), now);
		now += 2000 + i % 1024;
		if (!tally_entry(t, now))
			tally_entry_slow(t, now);
		__asm__ volatile("" ::: "memory");	/* each is stored */
	}
	return (now_ns() - start) / UPDATES;
}

int main(void)
{
	static struct tally t;
	double best = 1e9;
	int i;

	tally_init(&t);
	for (i = 0; i < REPEATS; i++) {
		double ns = update_ns(&t);

		if (ns < best)
			best = ns;
	}
	printf("%.2f\n", best);
	return fflush(stdout) ? 1 : 0;
}
