// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Results as comma-separated values, for spreadsheets and scripts: a line with
 * the columns' names, then one for each row of the view. Counts and TSC cycles as
 * they are; a cell is empty where there is no such number. Columns have the names
 * that JSON has. There is no line of totals, which would be added to the rest.
 */
#include <math.h>
#include <time.h>

#include "csv.h"
#include "format.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* What has to hold for a column to be there. */
#define OF_REASONS	(1U << 0)	/* rows of single reasons, or their details */
#define OF_CLASSES	(1U << 1)
#define OF_COUNTS	(1U << 2)	/* both of these */
#define OF_DETAILS	(1U << 3)
#define OF_MACHINES	(1U << 4)	/* VMs, vCPUs */
#define OF_VMS		(1U << 5)
#define OF_VCPUS	(1U << 6)
#define SPLIT		(1U << 7)	/* kernel, user and off-CPU cycles are told apart */
#define SEVERAL		(1U << 8)	/* the mean of several runs */
#define INTERVAL	(1U << 9)
#define ALONE		(1U << 10)	/* of machines, without reasons */

static unsigned int of_rows(const struct view *view)
{
	static const unsigned int by[] = {
		[BY_REASON] = OF_COUNTS | OF_REASONS,
		[BY_DETAIL] = OF_COUNTS | OF_REASONS | OF_DETAILS,
		[BY_CLASS] = OF_COUNTS | OF_CLASSES,
		[BY_VM] = ALONE, [BY_VCPU] = ALONE,
	};
	static const unsigned int per[] = {
		[PER_VM] = OF_MACHINES | OF_VMS, [PER_VCPU] = OF_MACHINES | OF_VCPUS,
	};

	return by[view->by] | per[view_per(view)];
}

/* The end of the interval, in UTC: the source tells CLOCK_MONOTONIC, a saved report nothing. */
static void time_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	struct timespec wall, monotonic;
	char date[32], text[48];
	struct tm tm;
	int64_t ns;
	time_t s;

	(void)g;
	if (!run->time_ns) {
		csv_empty(csv);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	ns = (wall.tv_sec - monotonic.tv_sec) * 1000000000LL + wall.tv_nsec - monotonic.tv_nsec +
	     (int64_t)run->time_ns;
	s = ns / 1000000000;
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", gmtime_r(&s, &tm));
	snprintf(text, sizeof(text), "%s.%03dZ", date, (int)(ns % 1000000000 / 1000000));
	csv_text(csv, text);
}

static void window_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)g;
	csv_count(csv, run->window_ns);
}

static void name_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_text(csv, g->reason->name);
}

static void level_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->reason->level);
}

static void detail_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	char name[DETAIL_NAME_MAX];

	(void)run;
	csv_text(csv, detail_name(g->reason->detail, name));
}

static void code_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->reason->code);
}

static void class_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_text(csv, g->reason->class);
}

/* VMs that are not kept one by one have neither id nor pid. */
static void vm_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	if (g->vm->retired)
		csv_empty(csv);
	else
		csv_count(csv, g->vm->id);
}

static void vcpu_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	if (g->vm->retired)
		csv_empty(csv);
	else
		csv_count(csv, g->vcpu->id);
}

static void pid_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	if (g->vm->retired)
		csv_empty(csv);
	else
		csv_count(csv, g->vm->pid);
}

static void comm_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_text(csv, g->vm->retired ? "(earlier VMs)" : g->vm->comm);
}

static void vm_name_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_text(csv, g->vm->name);
}

static void alive_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->vm->alive);
}

static void vcpus_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->vm->nr_vcpus);
}

static void exits_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->exits);
}

static void cycles_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, cycles_sum(&g->cycles));
}

static void kernel_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->cycles.kernel);
}

static void user_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->cycles.user);
}

static void offcpu_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->cycles.offcpu);
}

static void guest_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->totals->guest_cycles);
}

static void wall_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->totals->wall_cycles);
}

static void untraced_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->totals->untraced);
}

static void mean_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	double mean = g->exits ? (double)g->cycles.kernel / g->exits : 0;

	(void)run;
	csv_count(csv, llround(g->reason ? reason_mean(g->reason) : mean));
}

static void ended_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_count(csv, g->reason->histogram.ended);
}

static void sd_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_number(csv, histogram_sd(&g->reason->histogram));
}

/* Of single exits, of which there may be none that ended. */
static void of_ended(struct csv *csv, const struct group *g, uint64_t value)
{
	if (g->reason->histogram.ended)
		csv_count(csv, value);
	else
		csv_empty(csv);
}

static void min_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	of_ended(csv, g, g->reason->histogram.min);
}

static void p50_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	of_ended(csv, g, histogram_percentile(&g->reason->histogram, 0.5));
}

static void p90_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	of_ended(csv, g, histogram_percentile(&g->reason->histogram, 0.9));
}

static void p99_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	of_ended(csv, g, histogram_percentile(&g->reason->histogram, 0.99));
}

static void max_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	of_ended(csv, g, g->reason->histogram.max);
}

static void bounds_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	of_ended(csv, g, g->reason->histogram.bounds);
}

static void exits_sd_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_number(csv, g->reason->exits_spread.sd);
}

static void cycles_sd_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_number(csv, g->reason->cycles_spread.sd);
}

static void kernel_sd_cell(struct csv *csv, const struct run *run, const struct group *g)
{
	(void)run;
	csv_number(csv, g->reason->kernel_spread.sd);
}

static const struct run_column {
	const char *title;
	unsigned int needs;
	void (*cell)(struct csv *csv, const struct run *run, const struct group *g);
} run_columns[] = {
	{ "time", INTERVAL, time_cell },
	{ "window_ns", INTERVAL, window_cell },
	{ "name", OF_REASONS, name_cell },
	{ "level", OF_REASONS, level_cell },
	{ "detail", OF_DETAILS, detail_cell },
	{ "code", OF_REASONS, code_cell },
	{ "class", OF_COUNTS, class_cell },
	{ "vm", OF_MACHINES, vm_cell },
	{ "vcpu", OF_VCPUS, vcpu_cell },
	{ "pid", OF_MACHINES, pid_cell },
	{ "comm", OF_MACHINES, comm_cell },
	{ "vm_name", OF_MACHINES, vm_name_cell },
	{ "alive", OF_VMS, alive_cell },
	{ "vcpus", OF_VMS, vcpus_cell },
	{ "exits", 0, exits_cell },
	{ "cycles", 0, cycles_cell },
	{ "kernel_cycles", SPLIT, kernel_cell },
	{ "user_cycles", SPLIT, user_cell },
	{ "offcpu_cycles", SPLIT, offcpu_cell },
	{ "guest_cycles", ALONE, guest_cell },
	{ "wall_cycles", ALONE | SPLIT, wall_cell },
	{ "untraced", ALONE, untraced_cell },
	{ "mean", 0, mean_cell },
	{ "ended", OF_COUNTS | SPLIT, ended_cell },
	{ "min", OF_COUNTS | SPLIT, min_cell },
	{ "sd", OF_COUNTS | SPLIT, sd_cell },
	{ "p50", OF_COUNTS | SPLIT, p50_cell },
	{ "p90", OF_COUNTS | SPLIT, p90_cell },
	{ "p99", OF_COUNTS | SPLIT, p99_cell },
	{ "max", OF_COUNTS | SPLIT, max_cell },
	{ "bounds", OF_COUNTS | SPLIT, bounds_cell },
	{ "exits_sd", OF_COUNTS | SEVERAL, exits_sd_cell },
	{ "cycles_sd", OF_COUNTS | SEVERAL, cycles_sd_cell },
	{ "kernel_cycles_sd", OF_COUNTS | SEVERAL | SPLIT, kernel_sd_cell },
};

static bool is_there(unsigned int needs, unsigned int have)
{
	return (needs & have) == needs;
}

static void run_line(struct csv *csv, const struct run *run, const struct group *g,
		     unsigned int have)
{
	size_t i;

	for (i = 0; i < NR(run_columns); i++) {
		if (!is_there(run_columns[i].needs, have))
			continue;
		if (g)
			run_columns[i].cell(csv, run, g);
		else
			csv_text(csv, run_columns[i].title);
	}
	csv_end_line(csv);
}

/* Several intervals are one table. */
static void csv_run(FILE *out, const struct run *run, const struct view *view)
{
	unsigned int have = of_rows(view) | (run->split ? SPLIT : 0) |
			    (run->runs > 1 ? SEVERAL : 0) |
			    (run->window == WINDOW_INTERVAL ? INTERVAL : 0);
	struct csv csv = { .out = out };
	struct groups groups;
	size_t i;

	if (!view->interval)
		run_line(&csv, run, NULL, have);
	groups_make(&groups, run, view);
	for (i = 0; i < groups.nr; i++)
		run_line(&csv, run, &groups.list[i], have);
	groups_free(&groups);
}

enum metric { EXITS, CYCLES, KERNEL };

static const char * const metric_names[] = {
	[EXITS] = "exits", [CYCLES] = "cycles", [KERNEL] = "kernel_cycles",
};
static const char * const ratio_names[] = {
	[EXITS] = "ratio", [CYCLES] = "cycles_ratio", [KERNEL] = "kernel_ratio",
};
static const char * const significant_names[] = {
	[EXITS] = "significant", [CYCLES] = "cycles_significant", [KERNEL] = "kernel_significant",
};

static struct spread side_spread(const struct side *side, enum metric metric)
{
	switch (metric) {
	case EXITS:
		return side->exits;
	case CYCLES:
		return side->cycles;
	case KERNEL:
		return side->kernel;
	}
	return (struct spread){ NAN, NAN };
}

static const struct change *row_change(const struct row *row, enum metric metric)
{
	switch (metric) {
	case EXITS:
		return &row->exits;
	case CYCLES:
		return &row->cycles;
	case KERNEL:
		return &row->kernel;
	}
	return NULL;
}

static void metric_titles(struct csv *csv, enum metric metric, bool several)
{
	static const char * const sides[] = { "before", "after" };
	char title[40];
	size_t i;

	for (i = 0; i < NR(sides); i++) {
		snprintf(title, sizeof(title), "%s_%s", sides[i], metric_names[metric]);
		csv_text(csv, title);
		snprintf(title, sizeof(title), "%s_%s_sd", sides[i], metric_names[metric]);
		if (several)
			csv_text(csv, title);
	}
	csv_text(csv, ratio_names[metric]);
	if (!several)
		return;
	snprintf(title, sizeof(title), "%s_change", metric_names[metric]);
	csv_text(csv, title);
	snprintf(title, sizeof(title), "%s_change_ci95", metric_names[metric]);
	csv_text(csv, title);
	csv_text(csv, significant_names[metric]);
}

static void metric_cells(struct csv *csv, const struct row *row, enum metric metric, bool several,
			 double tsc_scale)
{
	double scale = metric == EXITS ? 1 : tsc_scale;
	struct spread before = side_spread(&row->before, metric);
	struct spread after = side_spread(&row->after, metric);
	const struct change *change = row_change(row, metric);

	csv_number(csv, before.mean);
	if (several)
		csv_number(csv, before.sd);
	csv_number(csv, after.mean);
	if (several)
		csv_number(csv, after.sd);
	csv_number(csv, before.mean > 0 ? scale * after.mean / before.mean : NAN);
	if (!several)
		return;
	csv_number(csv, change->mean);
	csv_number(csv, change->half);
	csv_count(csv, change->significant);
}

static void row_titles(struct csv *csv, enum by by)
{
	if (by != BY_CLASS) {
		csv_text(csv, "name");
		csv_text(csv, "level");
	}
	if (by == BY_DETAIL)
		csv_text(csv, "detail");
	csv_text(csv, "class");
}

static void row_keys(struct csv *csv, const struct row *row, enum by by)
{
	char detail[DETAIL_NAME_MAX];

	if (by != BY_CLASS) {
		csv_text(csv, row->name);
		csv_count(csv, row->level);
	}
	if (by == BY_DETAIL)
		csv_text(csv, detail_name(row->detail, detail));
	csv_text(csv, row->class);
}

/*
 * Of several runs these are means, with their standard deviations; the 95 % confidence
 * interval of a change is from change - ci95 to change + ci95.
 */
static void csv_comparison(FILE *out, const struct comparison *c, const struct view *view)
{
	enum metric last = comparison_has_kernel(c) ? KERNEL : CYCLES, metric;
	bool several = c->runs > 1;
	struct csv csv = { .out = out };
	size_t i;

	(void)view;
	row_titles(&csv, c->by);
	for (metric = EXITS; metric <= last; metric++)
		metric_titles(&csv, metric, several);
	csv_end_line(&csv);
	for (i = 0; i < c->nr_rows; i++) {
		row_keys(&csv, &c->rows[i], c->by);
		for (metric = EXITS; metric <= last; metric++)
			metric_cells(&csv, &c->rows[i], metric, several, comparison_tsc_scale(c));
		csv_end_line(&csv);
	}
}

const struct format format_csv = {
	.name = "csv",
	.run = csv_run,
	.comparison = csv_comparison,
};
