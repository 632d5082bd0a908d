// SPDX-License-Identifier: GPL-2.0-or-later
/* Two runs side by side, reason by reason or class by class. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "memory.h"

static struct row *find_row(const struct comparison *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->nr_rows; i++)
		if (!strcmp(c->rows[i].name, name))
			return &c->rows[i];
	return NULL;
}

static struct row *get_row(struct comparison *c, const char *name, const char *class)
{
	struct row *row = find_row(c, name);

	if (row)
		return row;
	c->rows = xgrow(c->rows, c->nr_rows, sizeof(*row));
	row = &c->rows[c->nr_rows++];
	memset(row, 0, sizeof(*row));
	snprintf(row->name, sizeof(row->name), "%s", name);
	snprintf(row->class, sizeof(row->class), "%s", class);
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
}

static void add_run(struct comparison *c, const struct run *run, bool after)
{
	const struct reasons *reasons = c->by == BY_CLASS ? &run->classes : &run->reasons;
	size_t i;

	for (i = 0; i < reasons->nr; i++) {
		const struct reason *reason = &reasons->list[i];
		const char *class = c->folded ? reason_class_common(reason->class) : reason->class;
		struct row *row = get_row(c, c->by == BY_CLASS ? class : reason->name, class);

		add_side(after ? &row->after : &row->before, reason, run->runs);
	}
}

static double order_value(const struct row *row, enum sort sort)
{
	double exits = row->before.exits.mean + row->after.exits.mean;
	double cycles = row->before.cycles.mean + row->after.cycles.mean;

	switch (sort) {
	case SORT_EXITS:
		return exits;
	case SORT_CYCLES:
		return cycles;
	case SORT_MEAN:
		return exits > 0 ? cycles / exits : 0;
	case SORT_NAME:
		return 0;
	case SORT_DEFAULT:	/* the biggest change */
		break;
	}
	return fabs(row->after.exits.mean - row->before.exits.mean);
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	double vx = order_value(x, *(const enum sort *)arg);
	double vy = order_value(y, *(const enum sort *)arg);

	if (vx != vy)
		return vx < vy ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void judge(struct comparison *c)
{
	unsigned int before = c->before->runs, after = c->after->runs;
	size_t i;

	for (i = 0; i < c->nr_rows; i++) {
		struct row *row = &c->rows[i];

		row->significant = spread_differs(row->before.exits, before,
						  row->after.exits, after);
		row->cycles_significant = spread_differs(row->before.cycles, before,
							 row->after.cycles, after);
	}
}

void compare(struct comparison *c, const struct run *before, const struct run *after,
	     const struct view *view)
{
	enum sort sort = view->sort;

	memset(c, 0, sizeof(*c));
	c->before = before;
	c->after = after;
	c->runs = before->runs < after->runs ? before->runs : after->runs;
	c->folded = before->isa != after->isa;
	c->by = c->folded ? BY_CLASS : view->by;
	add_run(c, before, false);
	add_run(c, after, true);
	judge(c);
	if (c->nr_rows)
		qsort_r(c->rows, c->nr_rows, sizeof(*c->rows), compare_rows, &sort);
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
