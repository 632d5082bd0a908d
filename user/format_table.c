// SPDX-License-Identifier: GPL-2.0-or-later
/* Results as tables, for people. */
#include <math.h>

#include "format.h"
#include "format_table.h"
#include "head.h"
#include "table.h"
#include "text.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

char *cycles_text(char buf[TEXT_CELL], double cycles, uint64_t tsc_khz,
		  const struct view *view)
{
	if (!view->cycles)
		return text_time(buf, cycles, tsc_khz);
	snprintf(buf, TEXT_CELL, "%.0f", cycles);
	return buf;
}

/* What is shown: the run, and how. */
struct shown {
	const struct run *run;
	const struct view *view;
	bool named;		/* some VM has a name */
};

static void count_cell(struct table *table, uint64_t n)
{
	char buf[TEXT_CELL];

	table_cell(table, text_count(buf, n));
}

static void time_cell(struct table *table, const struct shown *s, double cycles)
{
	char buf[TEXT_CELL];

	table_cell(table, cycles_text(buf, cycles, s->run->tsc_khz, s->view));
}

static void share_cell(struct table *table, double part, double whole)
{
	char buf[TEXT_CELL];

	table_cell(table, text_share(buf, part, whole));
}

/* The cells of a row's counts. The spread of a total is not known. */

static void exits_cell(struct table *table, const struct shown *s, const struct group *g)
{
	(void)s;
	count_cell(table, g->exits);
}

static void exits_sd_cell(struct table *table, const struct shown *s, const struct group *g)
{
	double sd = g->reason->exits_spread.sd;
	char buf[TEXT_CELL];

	(void)s;
	table_cell(table, isnan(sd) ? "" : text_scaled(buf, sd));
}

static void exits_share_cell(struct table *table, const struct shown *s, const struct group *g)
{
	share_cell(table, g->exits, s->run->totals.exits);
}

static void rate_cell(struct table *table, const struct shown *s, const struct group *g)
{
	char buf[TEXT_CELL];

	if (s->run->window_ns)
		table_cell(table, text_real(buf, g->exits * 1e9 / s->run->window_ns));
	else
		table_cell(table, "-");
}

static void guest_cell(struct table *table, const struct shown *s, const struct group *g)
{
	time_cell(table, s, g->totals->guest_cycles);
}

static void kernel_cell(struct table *table, const struct shown *s, const struct group *g)
{
	time_cell(table, s, g->cycles.kernel);
}

static void kernel_sd_cell(struct table *table, const struct shown *s, const struct group *g)
{
	double sd = g->reason->kernel_spread.sd;

	if (isnan(sd))
		table_cell(table, "");
	else
		time_cell(table, s, sd);
}

static void kernel_share_cell(struct table *table, const struct shown *s, const struct group *g)
{
	share_cell(table, g->cycles.kernel, s->run->totals.cycles.kernel);
}

static void user_cell(struct table *table, const struct shown *s, const struct group *g)
{
	time_cell(table, s, g->cycles.user);
}

static void user_share_cell(struct table *table, const struct shown *s, const struct group *g)
{
	share_cell(table, g->cycles.user, s->run->totals.cycles.user);
}

static void offcpu_cell(struct table *table, const struct shown *s, const struct group *g)
{
	time_cell(table, s, g->cycles.offcpu);
}

static void offcpu_share_cell(struct table *table, const struct shown *s, const struct group *g)
{
	share_cell(table, g->cycles.offcpu, s->run->totals.cycles.offcpu);
}

/* Of an exit that is being handled nothing is known yet. */
static void mean_cell(struct table *table, const struct shown *s, const struct group *g)
{
	if (g->reason->histogram.ended || g->cycles.kernel)
		time_cell(table, s, reason_mean(g->reason));
	else
		table_cell(table, "-");
}

static void percentile_cell(struct table *table, const struct shown *s, const struct group *g,
			    double p)
{
	const struct histogram *h = &g->reason->histogram;

	if (h->ended)
		time_cell(table, s, histogram_percentile(h, p));
	else
		table_cell(table, "-");
}

static void p50_cell(struct table *table, const struct shown *s, const struct group *g)
{
	percentile_cell(table, s, g, 0.5);
}

static void p99_cell(struct table *table, const struct shown *s, const struct group *g)
{
	percentile_cell(table, s, g, 0.99);
}

/* "<" where it is no more than a bound. */
static void max_cell(struct table *table, const struct shown *s, const struct group *g)
{
	const struct histogram *h = &g->reason->histogram;
	char buf[TEXT_CELL], time[TEXT_CELL];

	cycles_text(time, h->max, s->run->tsc_khz, s->view);
	snprintf(buf, sizeof(buf), "%s%.*s", h->bounds ? "<" : "", TEXT_CELL - 2, time);
	table_cell(table, h->ended ? buf : "-");
}

/* The cells that say what a row is of. */

static void vm_cell(struct table *table, const struct shown *s, const struct group *g)
{
	(void)s;
	if (g->vm->retired)
		table_cell(table, "-");
	else
		count_cell(table, g->vm->id);
}

static void vcpu_cell(struct table *table, const struct shown *s, const struct group *g)
{
	(void)s;
	count_cell(table, g->vcpu->id);
}

static void pid_cell(struct table *table, const struct shown *s, const struct group *g)
{
	(void)s;
	if (g->vm->retired)
		table_cell(table, "-");
	else
		count_cell(table, g->vm->pid);
}

static void comm_cell(struct table *table, const struct shown *s, const struct group *g)
{
	(void)s;
	table_cell(table, g->vm->retired ? "(earlier VMs)" : g->vm->comm);
}

static void name_cell(struct table *table, const struct shown *s, const struct group *g)
{
	(void)s;
	table_cell(table, g->vm->name);
}

static void state_cell(struct table *table, const struct shown *s, const struct group *g)
{
	(void)s;
	table_cell(table, g->vm->alive ? "alive" : "gone");
}

static void vcpus_cell(struct table *table, const struct shown *s, const struct group *g)
{
	(void)s;
	count_cell(table, g->vm->nr_vcpus);
}

static void label_cell(struct table *table, const struct shown *s, const struct group *g)
{
	(void)s;
	table_cell(table, g->name);
}

/* What has to hold for a column to be there. */
#define KEY		(1U << 0)	/* says what the row is of: not in the total */
#define OF_VMS		(1U << 1)
#define OF_VCPUS	(1U << 2)
#define OF_MACHINES	(1U << 3)	/* both of these, and no reasons */
#define OF_REASONS	(1U << 4)	/* or details */
#define OF_CLASSES	(1U << 5)
#define OF_COUNTS	(1U << 6)	/* both of these */
#define CROSSED		(1U << 7)	/* of machines, too */
#define SPLIT		(1U << 8)	/* kernel, user and off-CPU cycles are told apart */
#define WHOLE		(1U << 9)	/* they are not */
#define SEVERAL		(1U << 10)	/* the mean of several runs */
#define NAMED		(1U << 11)	/* some VM has a name */

/* SHARE is of the column before it. */
static const struct row_column {
	struct column column;
	unsigned int needs;
	void (*cell)(struct table *table, const struct shown *s, const struct group *g);
} row_columns[] = {
	{ { .title = "VM" }, KEY | OF_VMS, vm_cell },
	{ { .title = "VM" }, KEY | OF_VCPUS, vm_cell },
	{ { .title = "VCPU" }, KEY | OF_VCPUS, vcpu_cell },
	{ { .title = "PID" }, KEY | OF_MACHINES, pid_cell },
	{ { .title = "PID", .drop = 12 }, KEY | CROSSED, pid_cell },
	{ { .title = "COMMAND", .left = true }, KEY | OF_MACHINES, comm_cell },
	{ { .title = "COMMAND", .left = true, .drop = 1 }, KEY | CROSSED, comm_cell },
	{ { .title = "NAME", .left = true }, KEY | OF_MACHINES | NAMED, name_cell },
	{ { .title = "NAME", .left = true, .drop = 1 }, KEY | CROSSED | NAMED, name_cell },
	{ { .title = "STATE", .left = true, .drop = 3 }, KEY | OF_VMS | OF_MACHINES, state_cell },
	{ { .title = "VCPUS", .drop = 6 }, KEY | OF_VMS | OF_MACHINES, vcpus_cell },
	{ { .title = "REASON", .left = true }, KEY | OF_REASONS, label_cell },
	{ { .title = "CLASS", .left = true }, KEY | OF_CLASSES, label_cell },
	{ { .title = "EXITS" }, 0, exits_cell },
	{ { .title = "+-" }, OF_COUNTS | SEVERAL, exits_sd_cell },
	{ { .title = "SHARE", .drop = 5 }, 0, exits_share_cell },
	{ { .title = "RATE/s", .drop = 9 }, 0, rate_cell },
	{ { .title = "GUEST" }, OF_MACHINES, guest_cell },
	{ { .title = "KERNEL" }, SPLIT, kernel_cell },
	{ { .title = "TIME" }, WHOLE, kernel_cell },
	{ { .title = "+-" }, OF_COUNTS | SEVERAL, kernel_sd_cell },
	{ { .title = "SHARE", .drop = 4 }, OF_COUNTS, kernel_share_cell },
	{ { .title = "USER", .drop = 2 }, SPLIT, user_cell },
	{ { .title = "SHARE", .drop = 10 }, OF_COUNTS | SPLIT, user_share_cell },
	{ { .title = "OFFCPU", .drop = 1 }, SPLIT, offcpu_cell },
	{ { .title = "SHARE", .drop = 11 }, OF_COUNTS | SPLIT, offcpu_share_cell },
	{ { .title = "MEAN" }, OF_COUNTS, mean_cell },
	{ { .title = "P50", .drop = 8 }, OF_COUNTS | SPLIT, p50_cell },
	{ { .title = "P99", .drop = 3 }, OF_COUNTS | SPLIT, p99_cell },
	{ { .title = "MAX" }, OF_COUNTS | SPLIT, max_cell },
};

static unsigned int of_view(const struct view *view)
{
	static const unsigned int by[] = {
		[BY_REASON] = OF_COUNTS | OF_REASONS, [BY_DETAIL] = OF_COUNTS | OF_REASONS,
		[BY_CLASS] = OF_COUNTS | OF_CLASSES,
		[BY_VM] = OF_MACHINES, [BY_VCPU] = OF_MACHINES,
	};
	static const unsigned int per[] = { [PER_VM] = OF_VMS, [PER_VCPU] = OF_VCPUS };

	return by[view->by] | per[view_per(view)] | (view->per == PER_ALL ? 0 : CROSSED);
}

static bool has_names(const struct run *run)
{
	size_t i;

	for (i = 0; i < run->nr_vms; i++)
		if (run->vms[i].name[0])
			return true;
	return false;
}

static bool is_there(const struct row_column *column, const struct shown *s)
{
	unsigned int have = KEY | of_view(s->view) | (s->run->split ? SPLIT : WHOLE) |
			    (s->run->runs > 1 ? SEVERAL : 0) | (s->named ? NAMED : 0);

	return (column->needs & have) == column->needs;
}

static size_t make_columns(struct column columns[TABLE_COLUMNS], const struct shown *s)
{
	size_t nr = 0, i;

	for (i = 0; i < NR(row_columns); i++)
		if (is_there(&row_columns[i], s))
			columns[nr++] = row_columns[i].column;
	return nr;
}

static void make_row(struct table *table, const struct shown *s, const struct group *group)
{
	size_t i;

	table_row(table);
	for (i = 0; i < NR(row_columns); i++)
		if (is_there(&row_columns[i], s))
			row_columns[i].cell(table, s, group);
}

/* "total" stands where a row says first what it is of. */
static void total_row(struct table *table, const struct shown *s)
{
	const struct run *run = s->run;
	struct reason all = { .exits = run->totals.exits, .cycles = run->totals.cycles };
	const struct group total = {
		.reason = &all, .totals = &run->totals,
		.exits = all.exits, .cycles = all.cycles,
	};
	size_t i;

	all.exits_spread.sd = NAN;
	all.kernel_spread.sd = NAN;
	for (i = 0; i < run->reasons.nr; i++)
		histogram_add(&all.histogram, &run->reasons.list[i].histogram);
	table_row(table);
	for (i = 0; i < NR(row_columns); i++) {
		if (!is_there(&row_columns[i], s))
			continue;
		if (row_columns[i].needs & KEY)
			table_cell(table, table->next ? "" : "total");
		else
			row_columns[i].cell(table, s, &total);
	}
}

static void print_groups(FILE *out, const struct run *run, const struct view *view)
{
	const struct shown s = { run, view, has_names(run) };
	struct column columns[TABLE_COLUMNS];
	struct groups groups;
	struct table table;
	size_t i;

	table_start(&table, columns, make_columns(columns, &s));
	groups_make(&groups, run, view);
	for (i = 0; i < groups.nr; i++)
		make_row(&table, &s, &groups.list[i]);
	total_row(&table, &s);
	table_print(&table, out, 1);
	print_left_out(out, groups.left_out);
	groups_free(&groups);
}

/* "vCPU time: guest 61.2%, kernel 12.1%, user 3.0%, off CPU 23.7%" */
static void print_vcpu_time(FILE *out, const struct run *run)
{
	const struct totals *t = &run->totals;
	double all = (double)t->guest_cycles + cycles_sum(&t->cycles);
	char guest[TEXT_CELL], kernel[TEXT_CELL], user[TEXT_CELL], offcpu[TEXT_CELL];

	if (!run->split || all <= 0)
		return;
	fprintf(out, "vCPU time: guest %s, kernel %s, user %s, off CPU %s\n",
		text_share(guest, t->guest_cycles, all), text_share(kernel, t->cycles.kernel, all),
		text_share(user, t->cycles.user, all), text_share(offcpu, t->cycles.offcpu, all));
}

static void table_run(FILE *out, const struct run *run, const struct view *view)
{
	print_head(out, run);
	fputc('\n', out);
	print_groups(out, run, view);
	print_vcpu_time(out, run);
	print_doubts(out, run, "");
	if (run->window == WINDOW_INTERVAL)
		fputc('\n', out);
}

const struct format format_table = {
	.name = "table",
	.run = table_run,
	.comparison = table_comparison,
};
