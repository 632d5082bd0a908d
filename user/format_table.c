// SPDX-License-Identifier: GPL-2.0-or-later
/* Results as tables, for people. */
#include <math.h>
#include <inttypes.h>
#include <string.h>

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

static void print_head(FILE *out, const struct run *run)
{
	if (run->command[0])
		print_command(out, run);
	print_machine(out, run);
	fputc('\n', out);
	print_window(out, run);
	if (run->runs == 1)
		print_vm_count(out, run);
	fputs("\n\n", out);
}

/* What a reader must know before believing a table; nothing, mostly. */
static void print_doubts(FILE *out, const struct run *run, const char *which)
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

/* EXITS, SHARE, TIME, SHARE, MEAN of a row; with spreads where there are some. */
static void count_cells(struct table *table, const struct run *run, uint64_t exits,
			uint64_t cycles, const struct reason *spread)
{
	char buf[TEXT_CELL];

	count_cell(table, exits);
	if (run->runs > 1)
		table_cell(table, spread ? text_scaled(buf, spread->exits_spread.sd) : "");
	share_cell(table, exits, run->totals.exits);
	time_cell(table, run, cycles);
	if (run->runs > 1)
		table_cell(table, spread ? text_time(buf, spread->cycles_spread.sd, run->tsc_khz) : "");
	share_cell(table, cycles, run->totals.cycles);
	if (exits)
		time_cell(table, run, (double)cycles / exits);
	else
		table_cell(table, "-");
}

static const struct column count_columns[] = {
	{ .title = "EXITS" }, { .title = "SHARE" },
	{ .title = "TIME" }, { .title = "SHARE" }, { .title = "MEAN" },
};
static const struct column spread_columns[] = {
	{ .title = "EXITS" }, { .title = "+-" }, { .title = "SHARE" },
	{ .title = "TIME" }, { .title = "+-" }, { .title = "SHARE" }, { .title = "MEAN" },
};

static const struct column reason_columns[] = {
	{ .title = "REASON", .left = true }, { .title = "CLASS", .left = true, .optional = true },
};
static const struct column class_columns[] = { { .title = "CLASS", .left = true } };
static const struct column vm_columns[] = {
	{ .title = "VM" }, { .title = "PID" }, { .title = "COMMAND", .left = true },
	{ .title = "STATE", .left = true }, { .title = "VCPUS", .optional = true },
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
	[BY_VM] = { vm_columns, NR(vm_columns) },
	[BY_VCPU] = { vcpu_columns, NR(vcpu_columns) },
};

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
	if (key == BY_VM || key == BY_VCPU) {
		vm_cells(table, group->vm, key, group->vcpu);
		return;
	}
	table_cell(table, group->name);
	if (key == BY_REASON)
		table_cell(table, group->reason->class);
}

/* "total" stands under the names: COMMAND of VMs and vCPUs. */
static void total_row(struct table *table, const struct run *run, size_t nr_keys, enum by key)
{
	size_t label = key == BY_VM || key == BY_VCPU ? 2 + (key == BY_VCPU) : 0, i;

	table_row(table);
	for (i = 0; i < nr_keys; i++)
		table_cell(table, i == label ? "total" : "");
	count_cells(table, run, run->totals.exits, run->totals.cycles, NULL);
}

static void print_groups(FILE *out, const struct run *run, const struct view *view)
{
	const struct column *counts = run->runs > 1 ? spread_columns : count_columns;
	size_t nr_counts = run->runs > 1 ? NR(spread_columns) : NR(count_columns);
	size_t nr_keys = key_columns[view->by].nr, i;
	struct column columns[TABLE_COLUMNS];
	struct groups groups;
	struct table table;

	memcpy(columns, key_columns[view->by].columns, nr_keys * sizeof(*columns));
	memcpy(columns + nr_keys, counts, nr_counts * sizeof(*columns));
	table_start(&table, columns, nr_keys + nr_counts);
	groups_make(&groups, run, view);
	for (i = 0; i < groups.nr; i++) {
		const struct group *group = &groups.list[i];

		table_row(&table);
		key_cells(&table, group, view->by);
		count_cells(&table, run, group->exits, group->cycles, group->reason);
	}
	total_row(&table, run, nr_keys, view->by);
	table_print(&table, out, 1);
	print_left_out(out, groups.left_out);
	groups_free(&groups);
}

static void table_run(FILE *out, const struct run *run, const struct view *view)
{
	print_head(out, run);
	print_groups(out, run, view);
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

static void print_rows(FILE *out, const struct comparison *c)
{
	bool modes = strcmp(c->before->paging, c->after->paging) != 0;
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

	snprintf(exits_title, sizeof(exits_title), "EXITS %s", modes ? c->before->paging : "before");
	snprintf(cycles_title, sizeof(cycles_title), "CYCLES %s",
		 modes ? c->before->paging : "before");
	table_start(&table, columns, NR(columns) - (c->runs < 2));
	for (i = 0; i < c->nr_rows; i++) {
		const struct row *row = &c->rows[i];

		table_row(&table);
		table_cell(&table, row->name);
		exit_cells(&table, row->before.exits.mean, row->after.exits.mean);
		side_cells(&table, row->before.cycles.mean, row->after.cycles.mean);
		if (c->runs > 1)
			table_cell(&table, row->significant ? "*" : "");
	}
	table_row(&table);
	table_cell(&table, "total");
	exit_cells(&table, c->before->totals.exits, c->after->totals.exits);
	side_cells(&table, c->before->totals.cycles, c->after->totals.cycles);
	table_print(&table, out, 1);
}

static void table_comparison(FILE *out, const struct comparison *c, const struct view *view)
{
	(void)view;
	print_comparison_head(out, c);
	print_rows(out, c);
	print_left_out(out, c->left_out);
	if (c->runs > 1)
		fputs("* the numbers of exits differ by more than chance (Welch's t-test, 5%)\n", out);
	if (c->folded)
		fputs("Classes that one of the two machines cannot tell apart are merged.\n", out);
	print_doubts(out, c->before, " before");
	print_doubts(out, c->after, " after");
}

const struct format format_table = {
	.name = "table",
	.run = table_run,
	.comparison = table_comparison,
};
