/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several runs of the same command: their mean, and how far they spread. */
#ifndef KVMSTAT_SAMPLE_H
#define KVMSTAT_SAMPLE_H

#include "run.h"

/*
 * What one run of nr was like. Counts are rounded means of the finest rows, and all
 * else adds those up, so that the sums still close; histograms have the exits
 * of all runs; 'lost' is rounded up, so that it never disappears. Of one run it is that run, VMs and all; of several it
 * has no VMs, for each run had its own.
 */
void sample_mean(struct run *mean, const struct run *runs, size_t nr);

/* Of the row's exits or cycles; of a single run, the count itself and 0. */
struct spread exits_spread(const struct reason *reason, unsigned int runs);
struct spread cycles_spread(const struct reason *reason, unsigned int runs);
struct spread kernel_spread(const struct reason *reason, unsigned int runs);

/* From one mean to another. */
struct change {
	double mean;
	double half;		/* of the width of its 95 % confidence interval; NAN: not known */
	bool significant;	/* the interval is without 0: more than chance */
};

/*
 * Welch's t-test, two-sided, 5 %, of values that were rounded to whole numbers. It
 * takes two runs on each side, and spreads that are known.
 */
struct change change_of(struct spread before, unsigned int runs_before,
			struct spread after, unsigned int runs_after);

#endif
