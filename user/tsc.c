// SPDX-License-Identifier: GPL-2.0-or-later
/* The TSC's frequency, by CLOCK_MONOTONIC_RAW. */
#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

#include "tsc.h"

struct moment {
	uint64_t tsc;
	double ms;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* The closest pair of several, so that being interrupted does not matter. */
static struct moment sample(void)
{
	struct moment best = { 0, 0 };
	double closest = 1e9;
	int i;

	for (i = 0; i < 100; i++) {
		double before = now_ms();
		uint64_t tsc = __rdtsc();
		double after = now_ms();

		if (after - before < closest) {
			closest = after - before;
			best = (struct moment){ tsc, (before + after) / 2 };
		}
	}
	return best;
}

double tsc_khz(unsigned int ms)
{
	const struct timespec wait = { ms / 1000, ms % 1000 * 1000000L };
	struct moment first = sample(), last;

	nanosleep(&wait, NULL);
	last = sample();
	return (last.tsc - first.tsc) / (last.ms - first.ms);
}
