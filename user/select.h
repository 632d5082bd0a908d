/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which part of a run to show, added up by what, in which order and which units. */
#ifndef KVMSTAT_SELECT_H
#define KVMSTAT_SELECT_H

#include "run.h"

enum by { BY_REASON, BY_CLASS, BY_DETAIL, BY_VM, BY_VCPU };
/* Rows of these may be of each VM, or each vCPU, on its own: --by vm,reason. */
enum per { PER_ALL, PER_VM, PER_VCPU };
enum sort {
	SORT_DEFAULT, SORT_EXITS, SORT_CYCLES, SORT_MEAN, SORT_P99, SORT_MAX, SORT_NAME,
};

struct view {
	enum by by;
	enum per per;		/* not where 'by' is of VMs or vCPUs itself */
	bool by_given;
	enum sort sort;
	size_t top;		/* 0: all */
	bool cycles;		/* tables: times in TSC cycles */
	uint64_t interval;	/* which of those that are shown, from 0 */
	bool vm_given;
	uint64_t vm;		/* an id, or else a pid */
	bool vm_is_pid;		/* as select_check() found */
	bool vcpu_given;
	uint32_t vcpu;
};

/*
 * One row: of a reason, of a VM or vCPU, or of a reason of a VM or vCPU; what it
 * is not of is NULL. Borrows from the run, and from the groups that it is in.
 */
struct group {
	const struct reason *reason;
	const struct vm *vm;
	const struct vcpu *vcpu;
	const struct totals *totals;	/* of that VM or vCPU; NULL where a reason is given */
	char name[LABEL_MAX];
	uint64_t exits;
	struct cycles cycles;
	double order;		/* greatest first */
};

struct groups {
	struct group *list;
	size_t nr;
	size_t left_out;	/* by --top */
	struct reasons *crossed;	/* of each VM or vCPU, where rows are of both */
	size_t nr_crossed;
};

/*
 * Whether a VM is meant by its id or its pid is decided here, once. 0, or -1
 * after an error message that lists what there is.
 */
int select_check(const struct run *run, struct view *view);
/* Keeps the selected VMs and vCPUs alone, of a view that was checked. */
void select_apply(struct run *run, const struct view *view);

/* Keeps the VMs that 'wanted' wants. */
void select_vms(struct run *run, bool (*wanted)(const struct vm *vm, const void *arg),
		const void *arg);

/* Of the whole run: reasons, classes or details. */
const struct reasons *run_rows(const struct run *run, enum by by);

void groups_make(struct groups *groups, const struct run *run, const struct view *view);
void groups_free(struct groups *groups);

const char *by_name(enum by by);
/* Rows of VMs or vCPUs alone, which have no histogram. */
bool by_machines(enum by by);
/* What --by says: "class", "vm,reason". False where there is no such thing. */
bool view_by(struct view *view, const char *name);
const char *view_name(const struct view *view);
/* What machine a row is of: several runs have none in common. */
enum per view_per(const struct view *view);

#endif
