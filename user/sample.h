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

/*
 * Do two means differ? Welch's t-test, two-sided, 5 %. False where it cannot
 * be told: fewer than two runs, or a spread that is not known.
 */
bool spread_differs(struct spread a, unsigned int runs_a, struct spread b, unsigned int runs_b);

#endif
