// SPDX-License-Identifier: GPL-2.0-or-later
/* Results as tables, for people. */
#include <math.h>
#include <inttypes.h>
#include <string.h>

#include "explain.h"
#include "format.h"
#include "table.h"
#include "text.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const char *isa_title(uint32_t isa)
{
	switch (isa) {
	case KVMSTAT_ISA_VMX:
		return "Intel VMX";
	case KVMSTAT_ISA_SVM:
		return "AMD SVM";
	default:
		return "no exit seen";
	}
}

/* "Linux 6.1.0-49-amd64, AMD SVM, nested paging (npt)" */
static void print_machine(FILE *out, const struct run *run)
{
	const char *paging = run->paging;

	fprintf(out, "Linux %s, %s, ", run->kernel, isa_title(run->isa));
	if (!strcmp(paging, "shadow"))
		fputs("shadow paging", out);
	else if (!strcmp(paging, "unknown"))
		fputs("paging mode unknown", out);
	else
		fprintf(out, "nested paging (%s)", paging);
}

static bool paging_is_known(const struct run *run)
{
	return strcmp(run->paging, "unknown") != 0;
}

static void print_window(FILE *out, const struct run *run)
{
	char time[TEXT_CELL];

	text_ns(time, run->window_ns);
	switch (run->window) {
	case WINDOW_SINCE_RESET:
		fprintf(out, "%s since the module was loaded or reset", time);
		break;
	case WINDOW_INTERVAL:
		fprintf(out, "the last %s", time);
		break;
	case WINDOW_COMMAND:
		fprintf(out, "%s while the command ran", time);
		break;
	}
	if (run->runs > 1)
		fprintf(out, " (mean of %u runs)", run->runs);
}

static void print_vm_count(FILE *out, const struct run *run)
{
	size_t alive = 0, seen = 0, vcpus = 0, i;

	for (i = 0; i < run->nr_vms; i++) {
		if (run->vms[i].retired)
			continue;
		seen++;
		alive += run->vms[i].alive;
		vcpus += run->vms[i].nr_vcpus;
	}
	fprintf(out, "; VMs: %zu (%zu alive), vCPUs: %zu", seen, alive, vcpus);
}

static void print_command(FILE *out, const struct run *run)
{
	const int width = TABLE_WIDTH - (int)sizeof("Command: ");
	bool fits = strlen(run->command) <= (size_t)width;

	fprintf(out, "Command: %.*s%s\n", fits ? width : width - 3, run->command,
		fits ? "" : "...");
}

void print_head(FILE *out, const struct run *run)
{
	if (run->command[0])
		print_command(out, run);
	print_machine(out, run);
	fputc('\n', out);
	print_window(out, run);
	if (run->runs == 1)
		print_vm_count(out, run);
	fputc('\n', out);
}

void print_doubts(FILE *out, const struct run *run, const char *which)
{
	if (run->totals.untraced)
		fprintf(out, "untraced%s: %" PRIu64 " of these exits fired no kvm_exit event\n",
			which, run->totals.untraced);
	if (run->totals.lost)
		fprintf(out, "lost%s: %" PRIu64 " more exits could not be tallied, for want of memory\n",
			which, run->totals.lost);
}

static void print_left_out(FILE *out, size_t left_out)
{
	if (left_out)
		fprintf(out, "(%zu more not shown: --top)\n", left_out);
}

static void count_cell(struct table *table, uint64_t n)
{
	char buf[TEXT_CELL];

	table_cell(table, text_count(buf, n));
}

static void time_cell(struct table *table, const struct run *run, double cycles)
{
	char buf[TEXT_CELL];

	table_cell(table, text_time(buf, cycles, run->tsc_khz));
}

static void share_cell(struct table *table, double part, double whole)
{
	char buf[TEXT_CELL];

	table_cell(table, text_share(buf, part, whole));
}

/* The cells of a row's counts. The spread of a total is not known. */

static void exits_cell(struct table *table, const struct run *run, const struct group *g)
{
	(void)run;
	count_cell(table, g->exits);
}

static void exits_sd_cell(struct table *table, const struct run *run, const struct group *g)
{
	double sd = g->reason->exits_spread.sd;
	char buf[TEXT_CELL];

	(void)run;
	table_cell(table, isnan(sd) ? "" : text_scaled(buf, sd));
}

static void exits_share_cell(struct table *table, const struct run *run, const struct group *g)
{
	share_cell(table, g->exits, run->totals.exits);
}

static void guest_cell(struct table *table, const struct run *run, const struct group *g)
{
	time_cell(table, run, g->totals->guest_cycles);
}

static void kernel_cell(struct table *table, const struct run *run, const struct group *g)
{
	time_cell(table, run, g->cycles.kernel);
}

static void kernel_sd_cell(struct table *table, const struct run *run, const struct group *g)
{
	double sd = g->reason->kernel_spread.sd;
	char buf[TEXT_CELL];

	table_cell(table, isnan(sd) ? "" : text_time(buf, sd, run->tsc_khz));
}

static void kernel_share_cell(struct table *table, const struct run *run, const struct group *g)
{
	share_cell(table, g->cycles.kernel, run->totals.cycles.kernel);
}

static void user_cell(struct table *table, const struct run *run, const struct group *g)
{
	time_cell(table, run, g->cycles.user);
}

static void offcpu_cell(struct table *table, const struct run *run, const struct group *g)
{
	time_cell(table, run, g->cycles.offcpu);
}

/* Of an exit that is being handled nothing is known yet. */
static void mean_cell(struct table *table, const struct run *run, const struct group *g)
{
	if (g->reason->histogram.ended || g->cycles.kernel)
		time_cell(table, run, reason_mean(g->reason));
	else
		table_cell(table, "-");
}

static void p99_cell(struct table *table, const struct run *run, const struct group *g)
{
	const struct histogram *h = &g->reason->histogram;

	if (h->ended)
		time_cell(table, run, histogram_percentile(h, 0.99));
	else
		table_cell(table, "-");
}

/* "<" where it is no more than a bound. */
static void max_cell(struct table *table, const struct run *run, const struct group *g)
{
	const struct histogram *h = &g->reason->histogram;
	char buf[TEXT_CELL], time[TEXT_CELL - 1];

	snprintf(time, sizeof(time), "%s", text_time(buf, h->max, run->tsc_khz));
	snprintf(buf, sizeof(buf), "%s%s", h->bounds ? "<" : "", time);
	table_cell(table, h->ended ? buf : "-");
}

/* What has to hold for a column to be there. */
#define OF_REASONS	(1U << 0)
#define OF_MACHINES	(1U << 1)	/* VMs, vCPUs */
#define SPLIT		(1U << 2)	/* kernel, user and off-CPU cycles are told apart */
#define WHOLE		(1U << 3)	/* they are not */
#define SEVERAL		(1U << 4)	/* the mean of several runs */

static const struct count_column {
	struct column column;
	unsigned int needs;
	void (*cell)(struct table *table, const struct run *run, const struct group *g);
} count_columns[] = {
	{ { .title = "EXITS" }, 0, exits_cell },
	{ { .title = "+-" }, OF_REASONS | SEVERAL, exits_sd_cell },
	{ { .title = "SHARE", .drop = 5 }, 0, exits_share_cell },
	{ { .title = "GUEST" }, OF_MACHINES, guest_cell },
	{ { .title = "KERNEL" }, SPLIT, kernel_cell },
	{ { .title = "TIME" }, WHOLE, kernel_cell },
	{ { .title = "+-" }, OF_REASONS | SEVERAL, kernel_sd_cell },
	{ { .title = "SHARE", .drop = 4 }, OF_REASONS, kernel_share_cell },
	{ { .title = "USER", .drop = 2 }, SPLIT, user_cell },
	{ { .title = "OFFCPU", .drop = 1 }, SPLIT, offcpu_cell },
	{ { .title = "MEAN" }, OF_REASONS, mean_cell },
	{ { .title = "P99", .drop = 3 }, OF_REASONS | SPLIT, p99_cell },
	{ { .title = "MAX" }, OF_REASONS | SPLIT, max_cell },
};

static bool is_shown(const struct count_column *column, const struct run *run, enum by by)
{
	unsigned int have = (by_machines(by) ? OF_MACHINES : OF_REASONS) |
			    (run->split ? SPLIT : WHOLE) | (run->runs > 1 ? SEVERAL : 0);

	return (column->needs & have) == column->needs;
}

static const struct column reason_columns[] = { { .title = "REASON", .left = true } };
static const struct column class_columns[] = { { .title = "CLASS", .left = true } };
static const struct column vm_columns[] = {
	{ .title = "VM" }, { .title = "PID" }, { .title = "COMMAND", .left = true },
	{ .title = "STATE", .left = true, .drop = 3 }, { .title = "VCPUS", .drop = 6 },
};
static const struct column vcpu_columns[] = {
	{ .title = "VM" }, { .title = "VCPU" }, { .title = "PID" }, { .title = "COMMAND", .left = true },
};

static const struct {
	const struct column *columns;
	size_t nr;
} key_columns[] = {
	[BY_REASON] = { reason_columns, NR(reason_columns) },
	[BY_CLASS] = { class_columns, NR(class_columns) },
	[BY_DETAIL] = { reason_columns, NR(reason_columns) },
	[BY_VM] = { vm_columns, NR(vm_columns) },
	[BY_VCPU] = { vcpu_columns, NR(vcpu_columns) },
};

static size_t make_columns(struct column columns[TABLE_COLUMNS], const struct run *run, enum by by)
{
	size_t nr = key_columns[by].nr, i;

	memcpy(columns, key_columns[by].columns, nr * sizeof(*columns));
	for (i = 0; i < NR(count_columns); i++)
		if (is_shown(&count_columns[i], run, by))
			columns[nr++] = count_columns[i].column;
	return nr;
}

static void count_cells(struct table *table, const struct run *run, const struct group *group,
			enum by by)
{
	size_t i;

	for (i = 0; i < NR(count_columns); i++)
		if (is_shown(&count_columns[i], run, by))
			count_columns[i].cell(table, run, group);
}

static void vm_cells(struct table *table, const struct vm *vm, enum by key,
		     const struct vcpu *vcpu)
{
	if (vm->retired)
		table_cell(table, "-");
	else
		count_cell(table, vm->id);
	if (key == BY_VCPU)
		count_cell(table, vcpu->id);
	if (vm->retired)
		table_cell(table, "-");
	else
		count_cell(table, vm->pid);
	table_cell(table, vm->retired ? "(earlier VMs)" : vm->comm);
	if (key == BY_VM) {
		table_cell(table, vm->alive ? "alive" : "gone");
		count_cell(table, vm->nr_vcpus);
	}
}

static void key_cells(struct table *table, const struct group *group, enum by key)
{
	if (by_machines(key))
		vm_cells(table, group->vm, key, group->vcpu);
	else
		table_cell(table, group->name);
}

/* "total" stands under the names: COMMAND of VMs and vCPUs. */
static void total_row(struct table *table, const struct run *run, enum by key)
{
	size_t label = by_machines(key) ? 2 + (key == BY_VCPU) : 0, i;
	struct reason all = { .exits = run->totals.exits, .cycles = run->totals.cycles };
	const struct group total = {
		.reason = &all, .totals = &run->totals,
		.exits = all.exits, .cycles = all.cycles,
	};

	all.exits_spread.sd = NAN;
	all.kernel_spread.sd = NAN;
	for (i = 0; i < run->reasons.nr; i++)
		histogram_add(&all.histogram, &run->reasons.list[i].histogram);
	table_row(table);
	for (i = 0; i < key_columns[key].nr; i++)
		table_cell(table, i == label ? "total" : "");
	count_cells(table, run, &total, key);
}

static void print_groups(FILE *out, const struct run *run, const struct view *view)
{
	struct column columns[TABLE_COLUMNS];
	struct groups groups;
	struct table table;
	size_t i;

	table_start(&table, columns, make_columns(columns, run, view->by));
	groups_make(&groups, run, view);
	for (i = 0; i < groups.nr; i++) {
		table_row(&table);
		key_cells(&table, &groups.list[i], view->by);
		count_cells(&table, run, &groups.list[i], view->by);
	}
	total_row(&table, run, view->by);
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

static void side_cells(struct table *table, double before, double after)
{
	char buf[TEXT_CELL];

	table_cell(table, text_scaled(buf, before));
	table_cell(table, text_scaled(buf, after));
	table_cell(table, text_ratio(buf, before, after));
}

static void exit_cells(struct table *table, double before, double after)
{
	char buf[TEXT_CELL];

	/* Halves go up, as in the rounded mean that JSON and the totals have. */
	snprintf(buf, sizeof(buf), "%.0f", round(before));
	table_cell(table, buf);
	snprintf(buf, sizeof(buf), "%.0f", round(after));
	table_cell(table, buf);
	table_cell(table, text_ratio(buf, before, after));
}

static void print_side(FILE *out, const char *which, const struct run *run)
{
	char time[TEXT_CELL];

	fprintf(out, "%s ", which);
	print_machine(out, run);
	fprintf(out, "; %s", text_ns(time, run->window_ns));
	if (run->runs > 1)
		fprintf(out, ", mean of %u runs", run->runs);
	fputc('\n', out);
}

static void print_comparison_head(FILE *out, const struct comparison *c)
{
	if (c->before->command[0] && !strcmp(c->before->command, c->after->command))
		print_command(out, c->before);
	print_side(out, "Before: ", c->before);
	print_side(out, "After:  ", c->after);
	if (c->mode_verified)
		fputs("The paging mode in force was verified before and after each run.\n", out);
	fputc('\n', out);
}

/*
 * Kernel cycles are compared, for sleep says nothing about the cost of an exit;
 * all cycles where one of the runs does not tell them apart.
 */
static void row_cells(struct table *table, const struct comparison *c, const struct row *row)
{
	table_row(table);
	table_cell(table, row->label);
	exit_cells(table, row->before.exits.mean, row->after.exits.mean);
	if (comparison_has_kernel(c))
		side_cells(table, row->before.kernel.mean, row->after.kernel.mean);
	else
		side_cells(table, row->before.cycles.mean, row->after.cycles.mean);
	if (c->runs > 1)
		table_cell(table, row->significant ? "*" : "");
}

static void total_cells(struct table *table, const struct comparison *c)
{
	const struct totals *before = &c->before->totals, *after = &c->after->totals;

	table_row(table);
	table_cell(table, "total");
	exit_cells(table, before->exits, after->exits);
	if (comparison_has_kernel(c))
		side_cells(table, before->cycles.kernel, after->cycles.kernel);
	else
		side_cells(table, cycles_sum(&before->cycles), cycles_sum(&after->cycles));
}

static void print_rows(FILE *out, const struct comparison *c)
{
	bool modes = strcmp(c->before->paging, c->after->paging) != 0;
	const char *before_title = modes ? c->before->paging : "before";
	const char *after_title = modes ? c->after->paging : "after";
	char exits_title[40], cycles_title[40];
	const struct column columns[] = {
		{ .title = c->by == BY_CLASS ? "CLASS" : "REASON", .left = true },
		{ .title = exits_title }, { .title = after_title }, { .title = "ratio" },
		{ .title = cycles_title }, { .title = after_title }, { .title = "ratio" },
		{ .title = "", .left = true },
	};
	struct table table;
	size_t i;

	snprintf(exits_title, sizeof(exits_title), "EXITS %s", before_title);
	snprintf(cycles_title, sizeof(cycles_title), "%s %s",
		 comparison_has_kernel(c) ? "KERNEL" : "CYCLES", before_title);
	table_start(&table, columns, NR(columns) - (c->runs < 2));
	for (i = 0; i < c->nr_rows; i++)
		row_cells(&table, c, &c->rows[i]);
	total_cells(&table, c);
	table_print(&table, out, 1);
}

/* Why the paging mode changed the row's number; NULL where nothing is known of that. */
static const char *why_changed(const struct comparison *c, const struct row *row)
{
	if (c->by == BY_CLASS || row->level > 1 ||
	    round(row->before.exits.mean) == round(row->after.exits.mean))
		return NULL;
	return reason_why(c->before->isa, row->code);
}

/* Rows with the same reason, of details or of two accesses, have it said once. */
static bool said_above(const struct comparison *c, size_t nr, const char *why)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (why_changed(c, &c->rows[i]) == why)
			return true;
	return false;
}

static void print_why(FILE *out, const struct comparison *c)
{
	bool before = !strcmp(c->before->paging, "shadow");
	bool after = !strcmp(c->after->paging, "shadow");
	char line[400];
	bool any = false;
	size_t i;

	/* Unknown is neither. */
	if (before == after || !paging_is_known(c->before) || !paging_is_known(c->after))
		return;
	for (i = 0; i < c->nr_rows; i++) {
		const char *why = why_changed(c, &c->rows[i]);

		if (!why || said_above(c, i, why))
			continue;
		if (!any)
			fputc('\n', out);
		any = true;
		snprintf(line, sizeof(line), "%s: %s", c->rows[i].name, why);
		text_wrap(out, 0, line);
	}
}

static void table_comparison(FILE *out, const struct comparison *c, const struct view *view)
{
	(void)view;
	print_comparison_head(out, c);
	print_rows(out, c);
	print_left_out(out, c->left_out);
	print_why(out, c);
	if (c->runs > 1)
		fputs("* the numbers of exits differ by more than chance (Welch's t-test, 5%)\n", out);
	if (c->folded)
		fputs("Classes that one of the two runs cannot tell apart are merged.\n", out);
	print_doubts(out, c->before, " before");
	print_doubts(out, c->after, " after");
}

const struct format format_table = {
	.name = "table",
	.run = table_run,
	.comparison = table_comparison,
};
