// SPDX-License-Identifier: GPL-2.0-or-later
/* Which part of a run to show, added up by what, in which order. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "message.h"
#include "select.h"

const char *by_name(enum by by)
{
	static const char * const names[] = {
		[BY_REASON] = "reason",
		[BY_CLASS] = "class",
		[BY_DETAIL] = "detail",
		[BY_VM] = "vm",
		[BY_VCPU] = "vcpu",
	};

	return names[by];
}

bool by_machines(enum by by)
{
	return by == BY_VM || by == BY_VCPU;
}

enum per view_per(const struct view *view)
{
	switch (view->by) {
	case BY_VM:
		return PER_VM;
	case BY_VCPU:
		return PER_VCPU;
	default:
		return view->per;
	}
}

static const struct {
	const char *name;
	enum by by;
	enum per per;
} crossed[] = {
	{ "vm,reason", BY_REASON, PER_VM },
	{ "vm,class", BY_CLASS, PER_VM },
	{ "vm,detail", BY_DETAIL, PER_VM },
	{ "vcpu,reason", BY_REASON, PER_VCPU },
	{ "vcpu,class", BY_CLASS, PER_VCPU },
	{ "vcpu,detail", BY_DETAIL, PER_VCPU },
};
#define NR_CROSSED (sizeof(crossed) / sizeof(crossed[0]))

bool view_by(struct view *view, const char *name)
{
	enum by by;
	size_t i;

	view->per = PER_ALL;
	for (by = BY_REASON; by <= BY_VCPU; by++) {
		view->by = by;
		if (!strcmp(by_name(by), name))
			return true;
	}
	for (i = 0; i < NR_CROSSED; i++) {
		if (strcmp(crossed[i].name, name))
			continue;
		view->by = crossed[i].by;
		view->per = crossed[i].per;
		return true;
	}
	return false;
}

const char *view_name(const struct view *view)
{
	size_t i;

	for (i = 0; view->per != PER_ALL && i < NR_CROSSED; i++)
		if (crossed[i].by == view->by && crossed[i].per == view->per)
			return crossed[i].name;
	return by_name(view->by);
}

static bool is_id(const struct run *run, uint64_t number)
{
	size_t i;

	for (i = 0; i < run->nr_vms; i++)
		if (!run->vms[i].retired && run->vms[i].id == number)
			return true;
	return false;
}

/* A number that is some VM's id is meant as one; a process may have many VMs. */
static bool vm_selected(const struct vm *vm, const struct view *view)
{
	if (!view->vm_given)
		return true;
	return !vm->retired && (view->vm_is_pid ? vm->pid : vm->id) == view->vm;
}

#define LISTED_VMS 12

static void describe_vms(const struct run *run, char *buf, size_t size)
{
	size_t i, used = 0, listed = 0, more = 0;

	buf[0] = '\0';
	for (i = 0; i < run->nr_vms; i++) {
		const struct vm *vm = &run->vms[i];

		if (vm->retired)
			continue;
		if (listed == LISTED_VMS) {
			more++;
			continue;
		}
		used += snprintf(buf + used, size - used, "%s%" PRIu64 " (pid %u %s%s)",
				 listed++ ? ", " : "", vm->id, vm->pid, vm->comm,
				 vm->alive ? "" : ", gone");
	}
	if (more)
		snprintf(buf + used, size - used, " and %zu more", more);
}

static int unknown_vm(const struct run *run, const struct view *view)
{
	char list[LISTED_VMS * 80];

	describe_vms(run, list, sizeof(list));
	if (list[0])
		error("no VM has the id or pid %" PRIu64 "; there are: %s", view->vm, list);
	else if (run->runs > 1)
		error("no VM has the id or pid %" PRIu64 ": these are means of %u runs, VMs are not kept apart",
		      view->vm, run->runs);
	else
		error("no VM has the id or pid %" PRIu64 ": no VM was seen", view->vm);
	return -1;
}

int select_check(const struct run *run, struct view *view)
{
	bool vm_found = false;
	size_t i, j;

	view->vm_is_pid = !is_id(run, view->vm);
	for (i = 0; i < run->nr_vms; i++) {
		if (!vm_selected(&run->vms[i], view))
			continue;
		vm_found = true;
		if (!view->vcpu_given)
			return 0;
		for (j = 0; j < run->vms[i].nr_vcpus; j++)
			if (run->vms[i].vcpus[j].id == view->vcpu)
				return 0;
	}
	if (view->vm_given && !vm_found)
		return unknown_vm(run, view);
	if (!view->vcpu_given)
		return 0;
	error("no vCPU %u in the selected VMs: see \"kvmstat-report show --by vcpu\"", view->vcpu);
	return -1;
}

/* False when nothing is left of the VM. */
static bool keep_vcpu(struct vm *vm, uint32_t id)
{
	size_t i, kept = 0;

	if (vm->retired) {
		if (vm->totals.exits)
			warning("left out: %" PRIu64 " exits of VMs that are no longer kept one by one, whose vCPUs are not known",
				vm->totals.exits);
		return false;
	}
	for (i = 0; i < vm->nr_vcpus; i++) {
		if (vm->vcpus[i].id == id)
			vm->vcpus[kept++] = vm->vcpus[i];
		else
			vcpu_free(&vm->vcpus[i]);
	}
	vm->nr_vcpus = kept;
	return kept;
}

/* More of them than one: a saved run that is shown in part. */
static void describe(struct run *run, const char *option, uint64_t value)
{
	size_t used = strlen(run->selection);

	snprintf(run->selection + used, sizeof(run->selection) - used, "%s%s %" PRIu64,
		 used ? " " : "", option, value);
}

void select_apply(struct run *run, const struct view *view)
{
	size_t i, kept = 0;

	if (!view->vm_given && !view->vcpu_given)
		return;
	if (view->vm_given)
		describe(run, "--vm", view->vm);
	if (view->vcpu_given)
		describe(run, "--vcpu", view->vcpu);
	for (i = 0; i < run->nr_vms; i++) {
		struct vm *vm = &run->vms[i];
		bool keep = vm_selected(vm, view);

		if (keep && view->vcpu_given)
			keep = keep_vcpu(vm, view->vcpu);
		if (keep)
			run->vms[kept++] = *vm;
		else
			vm_free(vm);
	}
	run->nr_vms = kept;
	run_sum(run);
}

void select_vms(struct run *run, bool (*wanted)(const struct vm *vm, const void *arg),
		const void *arg)
{
	size_t i, kept = 0;

	for (i = 0; i < run->nr_vms; i++) {
		if (wanted(&run->vms[i], arg))
			run->vms[kept++] = run->vms[i];
		else
			vm_free(&run->vms[i]);
	}
	run->nr_vms = kept;
	run_sum(run);
}

static struct group *append(struct groups *groups)
{
	groups->list = xgrow(groups->list, groups->nr, sizeof(*groups->list));
	memset(&groups->list[groups->nr], 0, sizeof(*groups->list));
	return &groups->list[groups->nr++];
}

const struct reasons *run_rows(const struct run *run, enum by by)
{
	switch (by) {
	case BY_CLASS:
		return &run->classes;
	case BY_DETAIL:
		return &run->details;
	default:
		return &run->reasons;
	}
}

/* Reasons of the run, or of one of its VMs or vCPUs. */
static void group_reasons(struct groups *groups, const struct reasons *reasons,
			  const struct vm *vm, const struct vcpu *vcpu)
{
	size_t i;

	for (i = 0; i < reasons->nr; i++) {
		struct group *group = append(groups);

		group->reason = &reasons->list[i];
		group->vm = vm;
		group->vcpu = vcpu;
		reason_label(group->reason, group->name);
		group->exits = group->reason->exits;
		group->cycles = group->reason->cycles;
	}
}

static void group_machine(struct groups *groups, const struct vm *vm, const struct vcpu *vcpu)
{
	struct group *group = append(groups);

	group->vm = vm;
	group->vcpu = vcpu;
	group->totals = vcpu ? &vcpu->totals : &vm->totals;
	group->exits = group->totals->exits;
	group->cycles = group->totals->cycles;
	if (vcpu)
		snprintf(group->name, sizeof(group->name), "%" PRIu64 "/%u", vm->id, vcpu->id);
	else
		snprintf(group->name, sizeof(group->name), "%" PRIu64, vm->id);
}

/* The finest rows of one vCPU, or of all that the VM has. */
static void add_up(struct reasons *sum, uint32_t isa, enum by by, const struct vm *vm,
		   const struct vcpu *vcpu)
{
	const struct vcpu *vcpus = vcpu ?: vm->vcpus;
	size_t nr = vcpu ? 1 : vm->nr_vcpus, i;

	for (i = 0; i < nr; i++) {
		if (by == BY_CLASS)
			classes_add_up(sum, &vcpus[i].details);
		else if (by == BY_DETAIL)
			details_add_up(sum, &vcpus[i].details);
		else
			reasons_add_up(sum, isa, &vcpus[i].details);
	}
}

static void group_crossed(struct groups *groups, const struct run *run, enum by by,
			  const struct vm *vm, const struct vcpu *vcpu)
{
	struct reasons *sum;

	groups->crossed = xgrow(groups->crossed, groups->nr_crossed, sizeof(*sum));
	sum = &groups->crossed[groups->nr_crossed++];
	memset(sum, 0, sizeof(*sum));
	add_up(sum, run->isa, by, vm, vcpu);
	group_reasons(groups, sum, vm, vcpu);
}

static void group_one(struct groups *groups, const struct run *run, const struct view *view,
		      const struct vm *vm, const struct vcpu *vcpu)
{
	if (by_machines(view->by))
		group_machine(groups, vm, vcpu);
	else
		group_crossed(groups, run, view->by, vm, vcpu);
}

static void group_machines(struct groups *groups, const struct run *run, const struct view *view)
{
	size_t i, j;

	for (i = 0; i < run->nr_vms; i++) {
		const struct vm *vm = &run->vms[i];

		if (view_per(view) == PER_VM)
			group_one(groups, run, view, vm, NULL);
		else
			for (j = 0; j < vm->nr_vcpus; j++)
				group_one(groups, run, view, vm, &vm->vcpus[j]);
	}
}

static int descending(double a, double b)
{
	return (a < b) - (a > b);
}

static double mean(const struct group *g)
{
	if (g->reason)
		return reason_mean(g->reason);
	return g->exits ? (double)g->cycles.kernel / g->exits : 0;
}

static double order_value(const struct group *g, enum sort sort)
{
	switch (sort) {
	case SORT_NAME:
		return 0;
	case SORT_CYCLES:
		return cycles_sum(&g->cycles);
	case SORT_MEAN:
		return mean(g);
	case SORT_P99:
		return g->reason ? histogram_percentile(&g->reason->histogram, 0.99) : 0;
	case SORT_MAX:
		return g->reason ? g->reason->histogram.max : 0;
	case SORT_DEFAULT:
	case SORT_EXITS:
		break;
	}
	return g->exits;
}

/* VMs and vCPUs by number, then reasons by name. */
static int compare_names(const struct group *x, const struct group *y)
{
	if (x->vm && x->vm->id != y->vm->id)
		return x->vm->id < y->vm->id ? -1 : 1;
	if (x->vcpu && x->vcpu->id != y->vcpu->id)
		return x->vcpu->id < y->vcpu->id ? -1 : 1;
	return x->reason ? strcmp(x->name, y->name) : 0;
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return descending(x->order, y->order) ?: compare_names(x, y);
}

void groups_make(struct groups *groups, const struct run *run, const struct view *view)
{
	size_t i;

	memset(groups, 0, sizeof(*groups));
	if (view_per(view) == PER_ALL)
		group_reasons(groups, run_rows(run, view->by), NULL, NULL);
	else
		group_machines(groups, run, view);
	for (i = 0; i < groups->nr; i++)
		groups->list[i].order = order_value(&groups->list[i], view->sort);
	if (groups->nr)
		qsort(groups->list, groups->nr, sizeof(*groups->list), compare_groups);
	if (view->top && groups->nr > view->top) {
		groups->left_out = groups->nr - view->top;
		groups->nr = view->top;
	}
}

void groups_free(struct groups *groups)
{
	size_t i;

	for (i = 0; i < groups->nr_crossed; i++)
		reasons_clear(&groups->crossed[i]);
	free(groups->crossed);
	free(groups->list);
	memset(groups, 0, sizeof(*groups));
}
