// SPDX-License-Identifier: GPL-2.0-or-later
/* Several runs of the same command: their mean, and how far they spread. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "sample.h"

static const struct reason *find(const struct reasons *reasons, const struct reason *like)
{
	size_t i;

	for (i = 0; i < reasons->nr; i++)
		if (reason_same(&reasons->list[i], like))
			return &reasons->list[i];
	return NULL;
}

/* n - 1 below the sum of squares: the runs are a sample (Bessel). */
static struct spread spread_of(const double *values, size_t nr)
{
	struct spread s = { 0, 0 };
	double squares = 0;
	size_t i;

	for (i = 0; i < nr; i++)
		s.mean += values[i] / nr;
	for (i = 0; i < nr; i++)
		squares += (values[i] - s.mean) * (values[i] - s.mean);
	if (nr > 1)
		s.sd = sqrt(squares / (nr - 1));
	return s;
}

typedef const struct reasons *(*reasons_of)(const struct run *run);

static const struct reasons *details_of_run(const struct run *run)
{
	return &run->details;
}

static const struct reasons *reasons_of_run(const struct run *run)
{
	return &run->reasons;
}

static const struct reasons *classes_of_run(const struct run *run)
{
	return &run->classes;
}

typedef double (*value_of)(const struct reason *reason);

static double exits_value(const struct reason *reason)
{
	return reason->exits;
}

static double cycles_value(const struct reason *reason)
{
	return cycles_sum(&reason->cycles);
}

static double kernel_value(const struct reason *reason)
{
	return reason->cycles.kernel;
}

static double user_value(const struct reason *reason)
{
	return reason->cycles.user;
}

static double offcpu_value(const struct reason *reason)
{
	return reason->cycles.offcpu;
}

/* The rows of each run that are the same as 'like'; of a run without, NULL. */
struct same {
	const struct reason **rows;
	size_t nr;
};

/* A run that did not have the reason had it 0 times. */
static struct spread spread_over(const struct same *same, value_of value)
{
	double *values = xcalloc(same->nr, sizeof(*values));
	struct spread spread;
	size_t i;

	for (i = 0; i < same->nr; i++)
		values[i] = same->rows[i] ? value(same->rows[i]) : 0;
	spread = spread_of(values, same->nr);
	free(values);
	return spread;
}

static struct same find_same(const struct reason *like, const struct run *runs, size_t nr,
			     reasons_of of)
{
	struct same same = { xcalloc(nr, sizeof(*same.rows)), nr };
	size_t i;

	for (i = 0; i < nr; i++)
		same.rows[i] = find(of(&runs[i]), like);
	return same;
}

/* Counts and cycles are means, the histogram has the exits of all runs. */
static void mean_of_reason(struct reason *mean, const struct run *runs, size_t nr, reasons_of of)
{
	struct same same = find_same(mean, runs, nr, of);
	size_t i;

	mean->exits_spread = spread_over(&same, exits_value);
	mean->cycles_spread = spread_over(&same, cycles_value);
	mean->kernel_spread = spread_over(&same, kernel_value);
	mean->exits = llround(mean->exits_spread.mean);
	mean->cycles.kernel = llround(mean->kernel_spread.mean);
	mean->cycles.user = llround(spread_over(&same, user_value).mean);
	mean->cycles.offcpu = llround(spread_over(&same, offcpu_value).mean);
	memset(&mean->histogram, 0, sizeof(mean->histogram));
	for (i = 0; i < nr; i++)
		if (same.rows[i])
			histogram_add(&mean->histogram, &same.rows[i]->histogram);
	free(same.rows);
}

static void mean_of_reasons(struct reasons *mean, const struct run *runs, size_t nr, reasons_of of)
{
	size_t i, j;

	memset(mean, 0, sizeof(*mean));
	for (i = 0; i < nr; i++)
		for (j = 0; j < of(&runs[i])->nr; j++)
			if (!find(mean, &of(&runs[i])->list[j]))
				reasons_append(mean, &of(&runs[i])->list[j]);
	for (i = 0; i < mean->nr; i++)
		mean_of_reason(&mean->list[i], runs, nr, of);
}

/* What was rounded at its finest is added up, so that all sums close. */
static void close_sums(struct reasons *mean, const struct reasons *sums)
{
	size_t i;

	for (i = 0; i < mean->nr; i++) {
		const struct reason *sum = find(sums, &mean->list[i]);

		if (!sum)
			continue;
		mean->list[i].exits = sum->exits;
		mean->list[i].cycles = sum->cycles;
	}
}

static void mean_of_rows(struct run *mean, const struct run *runs, size_t nr)
{
	struct reasons reasons = { 0 }, classes = { 0 };

	mean_of_reasons(&mean->details, runs, nr, details_of_run);
	mean_of_reasons(&mean->reasons, runs, nr, reasons_of_run);
	mean_of_reasons(&mean->classes, runs, nr, classes_of_run);
	reasons_add_up(&reasons, mean->isa, &mean->details);
	classes_add_up(&classes, &mean->details);
	close_sums(&mean->reasons, &reasons);
	close_sums(&mean->classes, &classes);
	reasons_clear(&reasons);
	reasons_clear(&classes);
}

static void mean_of_totals(struct run *mean, const struct run *runs, size_t nr)
{
	double guest = 0, wall = 0, untraced = 0, lost = 0, window = 0;
	size_t i;

	for (i = 0; i < nr; i++) {
		guest += (double)runs[i].totals.guest_cycles / nr;
		wall += (double)runs[i].totals.wall_cycles / nr;
		untraced += (double)runs[i].totals.untraced / nr;
		lost += (double)runs[i].totals.lost / nr;
		window += (double)runs[i].window_ns / nr;
	}
	mean->totals.exits = 0;
	mean->totals.cycles = (struct cycles){ 0 };
	for (i = 0; i < mean->reasons.nr; i++) {
		mean->totals.exits += mean->reasons.list[i].exits;
		cycles_add(&mean->totals.cycles, &mean->reasons.list[i].cycles);
	}
	mean->totals.guest_cycles = llround(guest);
	mean->totals.wall_cycles = llround(wall);
	mean->totals.untraced = llround(untraced);
	mean->totals.lost = ceil(lost);
	mean->window_ns = llround(window);
	mean->tsc = 0;
}

void sample_mean(struct run *mean, const struct run *runs, size_t nr)
{
	if (nr == 1) {
		run_copy(mean, runs);
		return;
	}
	*mean = runs[nr - 1];
	mean->runs = nr;
	mean->vms = NULL;
	mean->nr_vms = 0;
	mean_of_rows(mean, runs, nr);
	mean_of_totals(mean, runs, nr);
}

struct spread exits_spread(const struct reason *reason, unsigned int runs)
{
	return runs > 1 ? reason->exits_spread : (struct spread){ reason->exits, 0 };
}

struct spread cycles_spread(const struct reason *reason, unsigned int runs)
{
	return runs > 1 ? reason->cycles_spread :
			  (struct spread){ cycles_sum(&reason->cycles), 0 };
}

struct spread kernel_spread(const struct reason *reason, unsigned int runs)
{
	return runs > 1 ? reason->kernel_spread : (struct spread){ reason->cycles.kernel, 0 };
}

/* Student's t for 97.5 %; below 1 degree of freedom there is no test. */
static double critical_t(double freedom)
{
	static const double table[] = {
		12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
		2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
		2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
	};
	size_t whole = freedom;

	if (whole < 1)
		return INFINITY;
	if (whole <= sizeof(table) / sizeof(table[0]))
		return table[whole - 1];
	return whole < 60 ? 2.042 : whole < 120 ? 2.000 : 1.980;
}

/*
 * Of the mean. Whole numbers that are all the same need not be so the next time:
 * rounding alone has a variance of 1/12 (Sheppard's correction).
 */
static double variance(struct spread s, unsigned int runs)
{
	return (s.sd * s.sd + 1.0 / 12) / runs;
}

struct change change_of(struct spread before, unsigned int runs_before,
			struct spread after, unsigned int runs_after)
{
	struct change change = { .mean = after.mean - before.mean, .half = NAN };
	double a = variance(before, runs_before), b = variance(after, runs_after), freedom;

	if (runs_before < 2 || runs_after < 2 || isnan(a) || isnan(b))
		return change;
	/* Welch-Satterthwaite */
	freedom = (a + b) * (a + b) / (a * a / (runs_before - 1) + b * b / (runs_after - 1));
	change.half = critical_t(freedom) * sqrt(a + b);
	change.significant = fabs(change.mean) > change.half;
	return change;
}
