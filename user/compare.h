/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two runs side by side, reason by reason, class by class or detail by detail. */
#ifndef KVMSTAT_COMPARE_H
#define KVMSTAT_COMPARE_H

#include "sample.h"
#include "select.h"

struct side {
	struct spread exits;
	struct spread cycles;
	struct spread kernel;
	struct histogram histogram;
};

struct row {
	char label[LABEL_MAX];
	uint64_t code;			/* not of classes */
	char name[REASON_NAME_MAX];
	char class[ROW_CLASS_MAX];
	uint32_t level;
	uint32_t detail;
	struct side before;
	struct side after;
	struct change exits;
	struct change cycles;		/* in cycles of the TSC before, as comparison_tsc_scale() has it */
	struct change kernel;
	double order;			/* greatest first */
};

struct comparison {
	const struct run *before;
	const struct run *after;
	unsigned int runs;		/* on each side; the smaller number */
	bool mode_verified;		/* paging mode checked around every run */
	struct row *rows;
	size_t nr_rows;
	size_t left_out;		/* by --top */
	enum by by;			/* BY_REASON, BY_CLASS or BY_DETAIL */
	bool folded;			/* classes that one of the runs cannot tell apart, merged */
};

/*
 * Borrows both runs. Codes of two ISAs have nothing in common, so runs of
 * different ISAs are compared by class whatever the view says.
 */
void compare(struct comparison *c, const struct run *before, const struct run *after,
	     const struct view *view);
#define NOTE_MAX 600

/*
 * What a reader has to know before believing it, as a sentence: that the two are of
 * different things, that runs are too few. From 0 on, until it is false.
 */
bool comparison_note(const struct comparison *c, unsigned int number, char note[NOTE_MAX]);

/*
 * Cycles of the TSC before in a cycle of the TSC after; 1 where one of them is not
 * known. Times compare, cycles of two TSCs do not.
 */
double comparison_tsc_scale(const struct comparison *c);

/* Do both runs tell kernel cycles from others? Else only their sums compare. */
bool comparison_has_kernel(const struct comparison *c);
void comparison_free(struct comparison *c);

#endif
