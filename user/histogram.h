/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What single exits cost: a log-linear histogram as the module keeps it
 * (kvmstat.h), and what goes with it. Histograms of the same thing can be
 * added, and of two snapshots the earlier be taken from the later.
 */
#ifndef KVMSTAT_HISTOGRAM_H
#define KVMSTAT_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "../module/uapi/kvmstat.h"

struct histogram {
	uint64_t ended;			/* exits in it: those whose entry was seen */
	uint64_t sum;			/* of their cycles */
	__uint128_t squares;		/* sum of the squares of their cycles */
	uint64_t min, max;		/* 0 where there is no exit */
	bool bounds;			/* min and max are no more than bounds */
	uint64_t buckets[KVMSTAT_HISTOGRAM_BUCKETS];
};

unsigned int histogram_bucket(uint64_t value);
/* First and last value of a bucket; the last bucket has no end. */
uint64_t histogram_lower(unsigned int bucket);
uint64_t histogram_upper(unsigned int bucket);

void histogram_add(struct histogram *sum, const struct histogram *h);
/*
 * Takes what is in 'amount' from 'from', and from 'amount' what could be taken.
 * The extremes of what is left are not known: they become bounds.
 */
void histogram_take(struct histogram *from, struct histogram *amount);
/* The tightest bounds that the buckets allow, and min and max as they are. */
void histogram_bound(struct histogram *h);

/*
 * The value that a share p of all, 0 < p <= 1, does not exceed (nearest rank):
 * the middle of its bucket, so it is wrong by 12.5 % at most, and exact below 8.
 * 0 where there is none.
 */
uint64_t histogram_percentile(const struct histogram *h, double p);
/* How many of all do not exceed the value, each taken for the middle of its bucket. */
uint64_t histogram_at_most(const struct histogram *h, double value);
/* Rounded; 0 where there is none. */
uint64_t histogram_mean(const struct histogram *h);
/* Of a sample (n - 1); NAN where it cannot be told. */
double histogram_sd(const struct histogram *h);
/* The squares that give this sd. False where there are none so big. */
bool histogram_set_sd(struct histogram *h, double sd);

#endif
