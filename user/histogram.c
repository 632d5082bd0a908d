// SPDX-License-Identifier: GPL-2.0-or-later
/* What single exits cost: a log-linear histogram. */
#include <math.h>
#include <stddef.h>

#include "histogram.h"

#define LAST (KVMSTAT_HISTOGRAM_BUCKETS - 1)

unsigned int histogram_bucket(uint64_t value)
{
	unsigned int e, bucket;

	if (value < 4)
		return value;
	e = 63 - __builtin_clzll(value);
	bucket = (e - 2) * 4 + (value >> (e - 2));
	return bucket < LAST ? bucket : LAST;
}

uint64_t histogram_lower(unsigned int bucket)
{
	if (bucket < 4)
		return bucket;
	return (4ULL + bucket % 4) << (bucket / 4 - 1);
}

uint64_t histogram_upper(unsigned int bucket)
{
	return bucket < LAST ? histogram_lower(bucket + 1) - 1 : UINT64_MAX;
}

static void add_extremes(struct histogram *sum, const struct histogram *h)
{
	if (!sum->ended || h->min < sum->min)
		sum->min = h->min;
	if (!sum->ended || h->max > sum->max)
		sum->max = h->max;
	sum->bounds = h->bounds || (sum->ended && sum->bounds);
}

void histogram_add(struct histogram *sum, const struct histogram *h)
{
	size_t i;

	if (!h->ended)
		return;
	add_extremes(sum, h);
	sum->ended += h->ended;
	sum->sum += h->sum;
	sum->squares += h->squares;
	for (i = 0; i <= LAST; i++)
		sum->buckets[i] += h->buckets[i];
}

/* Values that were lower or higher than any bucket tells are not believed. */
static uint64_t within(uint64_t value, unsigned int bucket, uint64_t otherwise)
{
	return histogram_bucket(value) == bucket ? value : otherwise;
}

/*
 * An extreme of all time that is in the outermost bucket bounds what is left
 * in there better than the bucket's end does.
 */
void histogram_bound(struct histogram *h)
{
	unsigned int low = 0, high = LAST;

	h->bounds = h->ended;
	if (!h->ended) {
		h->min = 0;
		h->max = 0;
		return;
	}
	while (low < LAST && !h->buckets[low])
		low++;
	while (high > low && !h->buckets[high])
		high--;
	h->min = within(h->min, low, histogram_lower(low));
	h->max = within(h->max, high, histogram_upper(high));
}

static void take(uint64_t *from, uint64_t *amount)
{
	uint64_t taken = *amount < *from ? *amount : *from;

	*from -= taken;
	*amount -= taken;
}

/*
 * The squares are two counters, which no reader gets in one piece: what is
 * missing of them is no sign of anything wrong.
 */
static void take_squares(struct histogram *from, struct histogram *amount)
{
	__uint128_t taken = amount->squares < from->squares ? amount->squares : from->squares;

	from->squares -= taken;
	amount->squares -= taken;
}

void histogram_take(struct histogram *from, struct histogram *amount)
{
	size_t i;

	if (!amount->ended)
		return;
	for (i = 0; i <= LAST; i++)
		take(&from->buckets[i], &amount->buckets[i]);
	take(&from->ended, &amount->ended);
	take(&from->sum, &amount->sum);
	take_squares(from, amount);
	histogram_bound(from);
}

/* The last bucket ends at the greatest value there was. */
static uint64_t middle(const struct histogram *h, unsigned int bucket)
{
	uint64_t low = histogram_lower(bucket);
	uint64_t high = bucket < LAST ? histogram_upper(bucket) : h->max;
	uint64_t value = low < high ? low + (high - low) / 2 : low;

	if (value < h->min)
		value = h->min;
	return value < h->max ? value : h->max;
}

uint64_t histogram_percentile(const struct histogram *h, double p)
{
	/* 0.07 of 100 is the 7th, whatever a double makes of it. */
	double rank = ceil(p * h->ended - 1e-6);
	uint64_t seen = 0;
	unsigned int i;

	if (!h->ended)
		return 0;
	for (i = 0; i < LAST; i++) {
		seen += h->buckets[i];
		if (seen && seen >= rank)
			break;
	}
	return middle(h, i);
}

uint64_t histogram_at_most(const struct histogram *h, double value)
{
	uint64_t seen = 0;
	unsigned int i;

	for (i = 0; i <= LAST; i++)
		if (h->buckets[i] && middle(h, i) <= value)
			seen += h->buckets[i];
	return seen;
}

uint64_t histogram_mean(const struct histogram *h)
{
	/* The sum has no room for the half. */
	return h->ended ? h->sum / h->ended + (h->sum % h->ended >= h->ended - h->ended / 2) : 0;
}

double histogram_sd(const struct histogram *h)
{
	long double variation;
	__uint128_t square = (__uint128_t)h->sum * h->sum;

	if (h->ended < 2 || (!h->squares && h->sum))
		return NAN;
	if (h->squares <= square / h->ended)
		return 0;
	variation = h->squares - square / h->ended;
	variation -= (long double)(square % h->ended) / h->ended;
	return variation > 0 ? sqrtl(variation / (h->ended - 1)) : 0;
}

bool histogram_set_sd(struct histogram *h, double sd)
{
	long double variation;
	__uint128_t square = (__uint128_t)h->sum * h->sum;

	if (!h->ended)
		return true;
	variation = (long double)sd * sd * (h->ended - 1);
	if (!(variation < 0x1p126L))
		return false;
	variation += (long double)(square % h->ended) / h->ended;
	h->squares = square / h->ended + (__uint128_t)(variation + 0.5L);
	return true;
}
