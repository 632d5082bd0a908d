// SPDX-License-Identifier: GPL-2.0-or-later
/* Two runs side by side as a table, for people. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "format_table.h"
#include "head.h"
#include "table.h"
#include "text.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

struct shown {
	const struct comparison *c;
	const struct view *view;
	bool kernel;		/* kernel cycles; else all: one of the runs does not tell them apart */
	bool several;		/* runs on each side, so that there are confidence intervals */
};

/* Cells that a total has, too. */

static void exits_cells(struct table *table, double before, double after)
{
	char buf[TEXT_CELL];

	/* Halves go up, as in the rounded mean that JSON and the totals have. */
	snprintf(buf, sizeof(buf), "%.0f", round(before));
	table_cell(table, buf);
	snprintf(buf, sizeof(buf), "%.0f", round(after));
	table_cell(table, buf);
	table_cell(table, text_ratio(buf, before, after));
}

/* Times, unless one of the two is not known: then cycles. */
static uint64_t khz_of(const struct shown *s, const struct run *run)
{
	return s->c->before->tsc_khz && s->c->after->tsc_khz ? run->tsc_khz : 0;
}

static void cost_cells(struct table *table, const struct shown *s, double before, double after)
{
	char buf[TEXT_CELL];

	table_cell(table, cycles_text(buf, before, khz_of(s, s->c->before), s->view));
	table_cell(table, cycles_text(buf, after, khz_of(s, s->c->after), s->view));
	table_cell(table, text_ratio(buf, before, after * (s->view->cycles ? 1 : comparison_tsc_scale(s->c))));
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

static void print_notes(FILE *out, const struct comparison *c)
{
	char note[NOTE_MAX], line[NOTE_MAX + 8];
	unsigned int i;

	for (i = 0; comparison_note(c, i, note); i++) {
		snprintf(line, sizeof(line), "Note: %s.", note);
		text_wrap(out, 0, line);
	}
}

static void print_comparison_head(FILE *out, const struct comparison *c)
{
	if (c->before->command[0] && !strcmp(c->before->command, c->after->command))
		print_command(out, c->before);
	if (!strcmp(c->before->source, c->after->source))
		print_source(out, c->before);
	print_side(out, "Before: ", c->before);
	print_side(out, "After:  ", c->after);
	if (c->mode_verified)
		fputs("The paging mode in force was verified before and after each run.\n", out);
	print_notes(out, c);
	fputc('\n', out);
}

/* Half the width of the change's confidence interval. */
static void exits_interval_cell(struct table *table, const struct change *change)
{
	char buf[TEXT_CELL];

	table_cell(table, isnan(change->half) ? "" : text_real(buf, change->half));
}

static void cost_interval_cell(struct table *table, const struct shown *s,
			       const struct change *change)
{
	char buf[TEXT_CELL];

	table_cell(table, isnan(change->half) ? "" :
		   cycles_text(buf, change->half, khz_of(s, s->c->before), s->view));
}

static enum accent accent_of(const struct change *change)
{
	if (!change->significant)
		return ACCENT_NONE;
	return change->mean > 0 ? ACCENT_MORE : ACCENT_LESS;
}

/* What sleep is in it says nothing about the cost of an exit: kernel time is compared. */
static void make_row(struct table *table, const struct shown *s, const struct row *row)
{
	const struct change *cost = s->kernel ? &row->kernel : &row->cycles;

	table_row(table);
	table_accent(table, accent_of(&row->exits));
	table_cell(table, row->label);
	exits_cells(table, row->before.exits.mean, row->after.exits.mean);
	if (s->several) {
		exits_interval_cell(table, &row->exits);
		table_cell(table, row->exits.significant ? "*" : "");
	}
	if (s->kernel)
		cost_cells(table, s, row->before.kernel.mean, row->after.kernel.mean);
	else
		cost_cells(table, s, row->before.cycles.mean, row->after.cycles.mean);
	if (s->several) {
		cost_interval_cell(table, s, cost);
		table_cell(table, cost->significant ? "*" : "");
	}
}

static void total_row(struct table *table, const struct shown *s)
{
	const struct totals *before = &s->c->before->totals, *after = &s->c->after->totals;

	table_row(table);
	table_cell(table, "total");
	exits_cells(table, before->exits, after->exits);
	if (s->several) {
		table_cell(table, "");
		table_cell(table, "");
	}
	if (s->kernel)
		cost_cells(table, s, before->cycles.kernel, after->cycles.kernel);
	else
		cost_cells(table, s, cycles_sum(&before->cycles), cycles_sum(&after->cycles));
}

static size_t three_columns(struct column *columns, const char *before, const char *after)
{
	columns[0] = (struct column){ .title = before };
	columns[1] = (struct column){ .title = after };
	columns[2] = (struct column){ .title = "ratio" };
	return 3;
}

static size_t interval_columns(struct column *columns, const struct shown *s, unsigned char drop)
{
	if (!s->several)
		return 0;
	columns[0] = (struct column){ .title = "+-", .drop = drop };
	columns[1] = (struct column){ .title = "", .left = true };
	return 2;
}

static void print_rows(FILE *out, const struct shown *s)
{
	const struct comparison *c = s->c;
	bool modes = strcmp(c->before->paging, c->after->paging) != 0;
	const char *before = modes ? c->before->paging : "before";
	const char *after = modes ? c->after->paging : "after";
	char exits_title[40], cost_title[40];
	struct column columns[TABLE_COLUMNS] = {
		{ .title = c->by == BY_CLASS ? "CLASS" : "REASON", .left = true },
	};
	struct table table;
	size_t nr = 1, i;

	snprintf(exits_title, sizeof(exits_title), "EXITS %s", before);
	snprintf(cost_title, sizeof(cost_title), "%s %s", s->kernel ? "KERNEL" : "TIME", before);
	nr += three_columns(columns + nr, exits_title, after);
	nr += interval_columns(columns + nr, s, 1);
	nr += three_columns(columns + nr, cost_title, after);
	nr += interval_columns(columns + nr, s, 2);
	table_start(&table, columns, nr);
	for (i = 0; i < c->nr_rows; i++)
		make_row(&table, s, &c->rows[i]);
	total_row(&table, s);
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

static bool paging_is_known(const struct run *run)
{
	return strcmp(run->paging, "unknown") != 0;
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

void table_comparison(FILE *out, const struct comparison *c, const struct view *view)
{
	const struct shown shown = {
		.c = c, .view = view, .kernel = comparison_has_kernel(c), .several = c->runs > 1,
	};

	print_comparison_head(out, c);
	print_rows(out, &shown);
	print_left_out(out, c->left_out);
	print_why(out, c);
	if (shown.several)
		fputs("+- half of the change's 95% confidence interval; * more than chance (Welch's t-test):\n"
		      "of 20 rows that nothing happened to, one has a * all the same\n", out);
	if (c->folded)
		fputs("Classes that one of the two runs cannot tell apart are merged.\n", out);
	print_doubts(out, c->before, " before");
	print_doubts(out, c->after, " after");
}
