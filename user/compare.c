// SPDX-License-Identifier: GPL-2.0-or-later
/* Two runs side by side, reason by reason, class by class or detail by detail. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "memory.h"

static struct row *find_row(const struct comparison *c, const char *label)
{
	size_t i;

	for (i = 0; i < c->nr_rows; i++)
		if (!strcmp(c->rows[i].label, label))
			return &c->rows[i];
	return NULL;
}

/* Reasons of two kernels may have one name and two codes: the label counts. */
static struct row *get_row(struct comparison *c, const struct reason *reason)
{
	char label[LABEL_MAX];
	struct row *row = find_row(c, reason_label(reason, label));

	if (row)
		return row;
	c->rows = xgrow(c->rows, c->nr_rows, sizeof(*row));
	row = &c->rows[c->nr_rows++];
	memset(row, 0, sizeof(*row));
	snprintf(row->label, sizeof(row->label), "%s", label);
	snprintf(row->name, sizeof(row->name), "%s", reason->name);
	snprintf(row->class, sizeof(row->class), "%s", reason->class);
	row->code = reason->code;
	row->level = reason->level;
	row->detail = reason->detail;
	return row;
}

/* The first to come to a side is that side; a second one makes it a sum. */
static void add_spread(struct spread *sum, struct spread s, bool first)
{
	sum->mean += s.mean;
	sum->sd = first ? s.sd : NAN;
}

static void add_side(struct side *side, const struct reason *reason, unsigned int runs)
{
	bool first = side->exits.mean == 0 && side->cycles.mean == 0;

	add_spread(&side->exits, exits_spread(reason, runs), first);
	add_spread(&side->cycles, cycles_spread(reason, runs), first);
	add_spread(&side->kernel, kernel_spread(reason, runs), first);
	histogram_add(&side->histogram, &reason->histogram);
}

/* Does the run have exits of this class that might be of a narrower one? */
static bool cannot_tell(const struct run *run, const char *class)
{
	const char *bare = strncmp(class, L2_PREFIX, strlen(L2_PREFIX)) ? class :
			   class + strlen(L2_PREFIX);
	size_t i;

	for (i = 0; i < run->details.nr; i++) {
		const struct reason *row = &run->details.list[i];

		if (!strcmp(row->class, bare) && (row->level > 1) == (bare != class) &&
		    reason_undecided(run->isa, row->code, row->detail))
			return true;
	}
	return false;
}

/* What one run tells apart and the other does not is merged. */
static void fold_class(struct comparison *c, struct reason *class)
{
	const char *common = reason_class_common(class->class);

	if (common == class->class ||
	    (!cannot_tell(c->before, common) && !cannot_tell(c->after, common)))
		return;
	c->folded = true;
	snprintf(class->name, sizeof(class->name), "%s", common);
	snprintf(class->class, sizeof(class->class), "%s", common);
}

static void add_run(struct comparison *c, const struct run *run, bool after)
{
	const struct reasons *rows = run_rows(run, c->by);
	size_t i;

	for (i = 0; i < rows->nr; i++) {
		struct reason reason = rows->list[i];
		struct row *row;

		if (c->by == BY_CLASS)
			fold_class(c, &reason);
		row = get_row(c, &reason);
		add_side(after ? &row->after : &row->before, &reason, run->runs);
	}
}

/* Of the longest exits, those of the side where they are longer. */
static double longer(const struct row *row, double p)
{
	return fmax(histogram_percentile(&row->before.histogram, p),
		    histogram_percentile(&row->after.histogram, p));
}

double comparison_tsc_scale(const struct comparison *c)
{
	double before = c->before->tsc_khz, after = c->after->tsc_khz;

	return before && after ? before / after : 1;
}

bool comparison_has_kernel(const struct comparison *c)
{
	return c->before->split && c->after->split;
}

/* Of both sides together. */
static double cycles_of(const struct comparison *c, const struct row *row)
{
	if (comparison_has_kernel(c))
		return row->before.kernel.mean + row->after.kernel.mean;
	return row->before.cycles.mean + row->after.cycles.mean;
}

static double order_value(const struct comparison *c, const struct row *row, enum sort sort)
{
	double exits = row->before.exits.mean + row->after.exits.mean;

	switch (sort) {
	case SORT_EXITS:
		return exits;
	case SORT_CYCLES:
		return cycles_of(c, row);
	case SORT_MEAN:
		return exits > 0 ? cycles_of(c, row) / exits : 0;
	case SORT_P99:
		return longer(row, 0.99);
	case SORT_MAX:
		return fmax(row->before.histogram.max, row->after.histogram.max);
	case SORT_NAME:
		return 0;
	case SORT_DEFAULT:	/* the biggest change */
		break;
	}
	return fabs(row->after.exits.mean - row->before.exits.mean);
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? 1 : -1;
	return strcmp(x->label, y->label);
}

static void sort_rows(struct comparison *c, enum sort sort)
{
	size_t i;

	for (i = 0; i < c->nr_rows; i++)
		c->rows[i].order = order_value(c, &c->rows[i], sort);
	if (c->nr_rows)
		qsort(c->rows, c->nr_rows, sizeof(*c->rows), compare_rows);
}

static struct spread scaled(struct spread s, double scale)
{
	return (struct spread){ s.mean * scale, s.sd * scale };
}

static void judge(struct comparison *c)
{
	unsigned int before = c->before->runs, after = c->after->runs;
	double scale = comparison_tsc_scale(c);
	size_t i;

	for (i = 0; i < c->nr_rows; i++) {
		struct row *row = &c->rows[i];

		row->exits = change_of(row->before.exits, before, row->after.exits, after);
		row->cycles = change_of(row->before.cycles, before,
					scaled(row->after.cycles, scale), after);
		row->kernel = change_of(row->before.kernel, before,
					scaled(row->after.kernel, scale), after);
	}
}

void compare(struct comparison *c, const struct run *before, const struct run *after,
	     const struct view *view)
{
	memset(c, 0, sizeof(*c));
	c->before = before;
	c->after = after;
	c->runs = before->runs < after->runs ? before->runs : after->runs;
	c->by = before->isa != after->isa ? BY_CLASS : view->by;
	add_run(c, before, false);
	add_run(c, after, true);
	judge(c);
	sort_rows(c, view->sort);
	if (view->top && c->nr_rows > view->top) {
		c->left_out = c->nr_rows - view->top;
		c->nr_rows = view->top;
	}
}

void comparison_free(struct comparison *c)
{
	free(c->rows);
	memset(c, 0, sizeof(*c));
}
