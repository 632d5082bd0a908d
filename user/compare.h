/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two runs side by side, reason by reason or class by class. */
#ifndef KVMSTAT_COMPARE_H
#define KVMSTAT_COMPARE_H

#include "sample.h"
#include "select.h"

struct side {
	struct spread exits;
	struct spread cycles;
};

struct row {
	char name[REASON_NAME_MAX];
	char class[CLASS_NAME_MAX];
	struct side before;
	struct side after;
	bool significant;		/* the exits differ by more than chance */
	bool cycles_significant;
};

struct comparison {
	const struct run *before;
	const struct run *after;
	unsigned int runs;		/* on each side; the smaller number */
	bool mode_verified;		/* paging mode checked around every run */
	struct row *rows;
	size_t nr_rows;
	size_t left_out;		/* by --top */
	enum by by;			/* BY_REASON or BY_CLASS */
	bool folded;			/* classes that one of the ISAs cannot tell apart, merged */
};

/*
 * Borrows both runs. Codes of two ISAs have nothing in common, so runs of
 * different ISAs are compared by class whatever the view says.
 */
void compare(struct comparison *c, const struct run *before, const struct run *after,
	     const struct view *view);
void comparison_free(struct comparison *c);

#endif
