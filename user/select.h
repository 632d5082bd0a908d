/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which part of a run to show, added up by what, in which order. */
#ifndef KVMSTAT_SELECT_H
#define KVMSTAT_SELECT_H

#include "run.h"

enum by { BY_REASON, BY_CLASS, BY_DETAIL, BY_VM, BY_VCPU };
enum sort {
	SORT_DEFAULT, SORT_EXITS, SORT_CYCLES, SORT_MEAN, SORT_P99, SORT_MAX, SORT_NAME,
};

struct view {
	enum by by;
	bool by_given;
	enum sort sort;
	size_t top;		/* 0: all */
	uint64_t interval;	/* which of those that are shown, from 0 */
	bool vm_given;
	uint64_t vm;		/* an id, or else a pid */
	bool vm_is_pid;		/* as select_check() found */
	bool vcpu_given;
	uint32_t vcpu;
};

/* One row: of a reason, or of a VM or vCPU; else these are NULL. Borrows from the run. */
struct group {
	const struct reason *reason;
	const struct vm *vm;
	const struct vcpu *vcpu;
	const struct totals *totals;	/* of that VM or vCPU */
	char name[LABEL_MAX];
	uint64_t exits;
	struct cycles cycles;
	double order;		/* greatest first */
};

struct groups {
	struct group *list;
	size_t nr;
	size_t left_out;	/* by --top */
};

/*
 * Whether a VM is meant by its id or its pid is decided here, once. 0, or -1
 * after an error message that lists what there is.
 */
int select_check(const struct run *run, struct view *view);
/* Keeps the selected VMs and vCPUs alone, of a view that was checked. */
void select_apply(struct run *run, const struct view *view);

void groups_make(struct groups *groups, const struct run *run, const struct view *view);
void groups_free(struct groups *groups);

const char *by_name(enum by by);
/* Rows of VMs or vCPUs: several runs have none in common. */
bool by_machines(enum by by);

#endif
