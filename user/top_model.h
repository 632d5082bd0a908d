/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kvmstat-report top shows: rows, made of two snapshots and of what the
 * user asked for. Nothing in here knows of a terminal.
 *
 * A part of all exits is where one is (a VM's, a vCPU's), and what a row is of.
 * To go into a row is to make its part the place.
 */
#ifndef KVMSTAT_TOP_MODEL_H
#define KVMSTAT_TOP_MODEL_H

#include "select.h"

enum top_level { TOP_VMS, TOP_VCPUS, TOP_REASONS, NR_TOP_LEVELS };

enum top_column {
	TOP_NAME, TOP_EXITS, TOP_RATE, TOP_GUEST, TOP_KERNEL, TOP_USER, TOP_OFFCPU,
	TOP_MEAN, TOP_P99, TOP_MAX, NR_TOP_COLUMNS
};

/* Of all exits: those of one VM, of one of its vCPUs, of one reason; or all. */
struct part {
	bool one_vm, one_vcpu, one_reason;
	uint64_t vm;
	uint32_t vcpu;
	enum by by;			/* what 'name' is of: BY_REASON, BY_CLASS, BY_DETAIL */
	uint64_t code;
	uint32_t level, detail;
	char name[REASON_NAME_MAX];
};

/* What a single count, the finest there is, is of. */
struct kind {
	uint64_t vm, code;
	uint32_t vcpu, level, detail;
	const char *class;
};

#define TOP_FILTER_MAX 32

enum top_mode { TOP_MODE_ROWS, TOP_MODE_FILTER, TOP_MODE_HELP };

/* What the user asked for. */
struct top_state {
	enum top_level level;
	struct part in[NR_TOP_LEVELS];		/* the place, of each level down to this one */
	struct part selected[NR_TOP_LEVELS];
	char filter[NR_TOP_LEVELS][TOP_FILTER_MAX];
	enum top_column sort;			/* as asked for; top_sort() is what is done */
	bool reverse;
	enum by by;				/* what the rows of TOP_REASONS are of */
	bool paused, histogram;
	enum top_mode mode;
	size_t first, height;			/* of the rows: those in sight, as drawn last */
};

struct top_row {
	struct part part;
	char name[LABEL_MAX];
	const struct vm *vm;			/* of a VM or vCPU, else NULL */
	uint64_t exits;				/* since counting began */
	double value[NR_TOP_COLUMNS];		/* of the window; NAN: not known */
	bool bounds;				/* TOP_MAX is no more than a bound */
};

/* rows.list[0] is the sum of all, and stays the first. */
struct top_rows {
	struct run now, window;			/* of the place alone; rows borrow from it */
	struct top_row *list;
	size_t nr;
};

bool part_same(const struct part *a, const struct part *b);
bool part_has(const struct part *part, const struct kind *kind);
struct kind kind_of(const struct vm *vm, const struct vcpu *vcpu, const struct reason *detail);

/* Rows by 'by' to begin with; without it by VM, unless the run has counts, but no VMs. */
void top_state_init(struct top_state *state, const struct view *view, enum top_column sort,
		    const struct run *run);
/* Another load of the module has other VMs: back to where it began. */
void top_state_forget(struct top_state *state);

/* 'window' is what the rates are of; the same as 'now' where there is none. */
void top_rows_make(struct top_rows *rows, const struct top_state *state, const struct run *now,
		   const struct run *window);
void top_rows_free(struct top_rows *rows);

/* Does this level have the column? */
bool top_has(const struct top_state *state, enum top_column column, bool split);
/* By rate, where the level does not have what was asked for. */
enum top_column top_sort(const struct top_state *state, bool split);
/* What it is called: by QEMU's -name, else its command. */
const char *top_vm_name(const struct vm *vm);
/* "exits"; and the letter that sorts by it. */
const char *top_column_name(enum top_column column);
char top_column_letter(enum top_column column);

size_t top_selected(const struct top_state *state, const struct top_rows *rows);
void top_select(struct top_state *state, const struct top_rows *rows, size_t index);
void top_down(struct top_state *state, const struct top_rows *rows);
void top_up(struct top_state *state);
/* Moves state->first so that the selected row is in sight. */
void top_scroll(struct top_state *state, const struct top_rows *rows);

/* What single exits of this part took, since counting began. */
void top_histogram(struct histogram *sum, const struct run *now, const struct part *part);

struct top_bar {
	uint64_t lower, upper;	/* cycles */
	uint64_t exits;
};

/*
 * At most 'max' bars from the lowest to the highest value there is, each as many
 * buckets wide as it takes (a power of two). How many.
 */
size_t top_bars(struct top_bar *bars, size_t max, const struct histogram *h);

#endif
