// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvmstat-report's histograms against the samples themselves: every boundary
 * of every bucket, percentiles as sorting gives them, what addition and
 * subtraction leave. Prints TAP.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/histogram.h"

#define LAST (KVMSTAT_HISTOGRAM_BUCKETS - 1)
#define SAMPLES 5000

static int tests, failures;

static void ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	failures += !good;
}

static void is(uint64_t got, uint64_t wanted, const char *name)
{
	ok(got == wanted, name);
	if (got != wanted)
		printf("# got %llu, wanted %llu\n", (unsigned long long)got,
		       (unsigned long long)wanted);
}

/* xorshift64: the same samples in each run. */
static uint64_t random64(void)
{
	static uint64_t x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static void count(struct histogram *h, uint64_t value)
{
	if (!h->ended || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->ended++;
	h->sum += value;
	h->squares += (__uint128_t)value * value;
	h->buckets[histogram_bucket(value)]++;
}

static struct histogram histogram_of(const uint64_t *values, size_t nr)
{
	struct histogram h = { 0 };
	size_t i;

	for (i = 0; i < nr; i++)
		count(&h, values[i]);
	return h;
}

static void boundaries(void)
{
	unsigned int i, wrong = 0, gaps = 0, wide = 0;

	for (i = 0; i <= LAST; i++) {
		uint64_t lower = histogram_lower(i), upper = histogram_upper(i);

		wrong += histogram_bucket(lower) != i || histogram_bucket(upper) != i;
		gaps += i && lower != histogram_upper(i - 1) + 1;
		wide += i >= 4 && i < LAST && (upper - lower + 1) * 4 > lower;
	}
	is(wrong, 0, "both ends of each bucket are in it");
	is(gaps, 0, "none lies between two of them");
	is(wide, 0, "none is wider than a quarter of its lower bound");
	is(histogram_lower(0), 0, "the first begins at 0");
	is(histogram_upper(LAST), UINT64_MAX, "the last has no end");
	/* Worked out by hand from what kvmstat.h says: e = 9, 4 * 7 + (1000 >> 7). */
	is(histogram_bucket(1000), 35, "1000 is in bucket 35");
	is(histogram_lower(35), 896, "which begins at 896");
	is(histogram_upper(35), 1023, "and ends at 1023");
	is(histogram_lower(LAST), 7ULL << 33, "the last begins at 7 * 2^33");
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The exact value by nearest rank: of sorted values. */
static uint64_t exact(const uint64_t *sorted, size_t nr, unsigned int percent)
{
	return sorted[(nr * percent + 99) / 100 - 1];
}

/* Uniform in the logarithm, up to 2^bits; every one far below the last bucket. */
static void fill(uint64_t *values, size_t nr, unsigned int bits)
{
	size_t i;

	for (i = 0; i < nr; i++)
		values[i] = random64() >> (64 - 1 - random64() % bits);
}

/* The greatest relative error of all percentiles. */
static double worst_error(uint64_t *values, size_t nr)
{
	struct histogram h = histogram_of(values, nr);
	double worst = 0;
	unsigned int p;

	qsort(values, nr, sizeof(*values), ascending);
	for (p = 1; p <= 100; p++) {
		uint64_t want = exact(values, nr, p), got = histogram_percentile(&h, p / 100.0);
		double error = fabs((double)got - want) / (want ?: 1);

		if (want < 8 && got != want)
			return INFINITY;
		worst = fmax(worst, error);
	}
	return worst;
}

static void percentiles(void)
{
	static uint64_t values[SAMPLES];
	double worst = 0;
	unsigned int bits;
	size_t nr;

	for (bits = 1; bits <= 35; bits++)
		for (nr = 1; nr <= SAMPLES; nr = 3 * nr + 1) {
			fill(values, nr, bits);
			worst = fmax(worst, worst_error(values, nr));
		}
	ok(worst <= 0.125, "percentiles are wrong by 12.5% at most, below 8 not at all");
	ok(worst > 0.05, "and they are no exact ones");
	printf("# the worst is wrong by %.2f%%\n", 100 * worst);
}

static void extremes(void)
{
	const uint64_t same[] = { 1000, 1000, 1000 }, one[] = { 1020 }, far[] = { 5, 1ULL << 60 };
	const uint64_t last[] = { 1ULL << 40, 1ULL << 41 };
	struct histogram h = histogram_of(same, 3);

	is(histogram_percentile(&h, 0.5), 1000, "what is always the same is that");
	is(histogram_percentile(&h, 1), 1000, "the last of it, too");
	h = histogram_of(one, 1);
	is(histogram_percentile(&h, 0.01), 1020, "one exit is its own percentile");
	h.bounds = true;
	h.min = 896;
	h.max = 1023;
	is(histogram_percentile(&h, 0.01), 959, "without its extremes it is the middle of its bucket");
	h = histogram_of(far, 2);
	is(histogram_percentile(&h, 0.5), 5, "half of two is the first");
	ok(histogram_percentile(&h, 0.51) <= 1ULL << 60, "no percentile is above the greatest");
	h = histogram_of(last, 2);
	is(histogram_percentile(&h, 0.5), ((7ULL << 33) + (1ULL << 41)) / 2,
	   "the last bucket ends at the greatest");
	memset(&h, 0, sizeof(h));
	is(histogram_percentile(&h, 0.5), 0, "of nothing it is 0");
}

static bool same(const struct histogram *a, const struct histogram *b)
{
	return a->ended == b->ended && a->sum == b->sum && a->squares == b->squares &&
	       !memcmp(a->buckets, b->buckets, sizeof(a->buckets));
}

static void additions(void)
{
	static uint64_t values[SAMPLES];
	struct histogram first, second, both, sum = { 0 };

	fill(values, SAMPLES, 40);
	first = histogram_of(values, 2000);
	second = histogram_of(values + 2000, SAMPLES - 2000);
	both = histogram_of(values, SAMPLES);
	histogram_add(&sum, &first);
	histogram_add(&sum, &second);
	ok(same(&sum, &both), "two halves make the whole");
	ok(sum.min == both.min && sum.max == both.max && !sum.bounds, "with its extremes");
	second.bounds = true;
	histogram_add(&first, &second);
	ok(first.bounds, "a bound makes the sum's a bound");
	memset(&second, 0, sizeof(second));
	second.bounds = true;
	histogram_add(&both, &second);
	ok(!both.bounds && both.min == sum.min, "nothing adds nothing");
}

static void subtractions(void)
{
	static uint64_t values[SAMPLES];
	struct histogram before, window, after, rest;

	fill(values, SAMPLES, 30);
	before = histogram_of(values, 2000);
	window = histogram_of(values + 2000, SAMPLES - 2000);
	after = histogram_of(values, SAMPLES);
	rest = before;
	histogram_take(&after, &rest);
	ok(same(&after, &window), "what was before is taken away");
	ok(!rest.ended && !rest.sum && !rest.squares, "all of it");
	ok(after.bounds && after.min <= window.min && after.max >= window.max,
	   "the extremes become bounds, which hold");
	ok(histogram_bucket(after.max) == histogram_bucket(window.max) &&
	   histogram_bucket(after.min) == histogram_bucket(window.min), "and are as tight as buckets are");
	rest = after;
	histogram_take(&rest, &window);
	ok(!rest.ended && !rest.min && !rest.max && !rest.bounds, "nothing is left of all");
	memset(&window, 0, sizeof(window));
	rest = before;
	histogram_take(&rest, &window);
	ok(same(&rest, &before) && !rest.bounds && rest.max == before.max,
	   "where nothing was before, the extremes are those of the window");
	rest = before;
	window = before;
	histogram_add(&window, &before);
	histogram_take(&rest, &window);
	ok(!rest.ended && window.ended == 2000, "what cannot be taken is left over");
}

/* 10 and 30 ended before, 100, 1000 and 1001 in the window. */
static void bounds(void)
{
	const uint64_t values[] = { 10, 30, 100, 1000, 1001 };
	struct histogram after = histogram_of(values, 5), before = histogram_of(values, 2);

	histogram_take(&after, &before);
	is(after.min, 96, "the least is bound by the lowest bucket");
	is(after.max, 1001, "the greatest by that of all time where it is in the highest");
	before = histogram_of(values + 3, 2);
	histogram_take(&after, &before);
	is(after.max, 111, "else by the highest bucket");
	is(after.ended, 1, "in which there is one");
	after.max = 50;
	histogram_bound(&after);
	is(after.max, 111, "an extreme that no bucket has is not believed");
}

static void deviations(void)
{
	const uint64_t values[] = { 2, 4, 4, 4, 5, 5, 7, 9 }, big[] = { 1ULL << 62, (1ULL << 62) + 2 };
	struct histogram h = histogram_of(values, 8), copy;

	is(histogram_mean(&h), 5, "the mean");
	ok(fabs(histogram_sd(&h) - sqrt(32.0 / 7)) < 1e-12, "the standard deviation of a sample");
	copy = h;
	copy.squares = 0;
	ok(isnan(histogram_sd(&copy)), "which is not known without the squares");
	ok(histogram_set_sd(&copy, sqrt(32.0 / 7)) && copy.squares == h.squares,
	   "the squares come back from it");
	ok(!histogram_set_sd(&copy, 1e30), "unless it is out of all bounds");
	h = histogram_of(big, 2);
	ok(fabs(histogram_sd(&h) - sqrt(2)) < 1e-9, "big numbers lose nothing");
	h = histogram_of(values, 1);
	ok(isnan(histogram_sd(&h)), "one exit has no spread");
	h = histogram_of(values + 1, 2);
	is(llround(histogram_sd(&h)), 0, "what never varies has 0");
	h = histogram_of(values + 3, 2);
	is(histogram_mean(&h), 5, "halves go up");
}

int main(void)
{
	boundaries();
	percentiles();
	extremes();
	additions();
	subtractions();
	bounds();
	deviations();
	printf("1..%d\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
