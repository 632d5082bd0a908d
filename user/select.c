// SPDX-License-Identifier: GPL-2.0-or-later
/* Which part of a run to show, added up by what, in which order. */
#define _GNU_SOURCE
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
		[BY_VM] = "vm",
		[BY_VCPU] = "vcpu",
	};

	return names[by];
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

void select_apply(struct run *run, const struct view *view)
{
	size_t i, kept = 0;

	if (!view->vm_given && !view->vcpu_given)
		return;
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

static struct group *append(struct groups *groups)
{
	groups->list = xgrow(groups->list, groups->nr, sizeof(*groups->list));
	memset(&groups->list[groups->nr], 0, sizeof(*groups->list));
	return &groups->list[groups->nr++];
}

static void group_reasons(struct groups *groups, const struct reasons *reasons)
{
	size_t i;

	for (i = 0; i < reasons->nr; i++) {
		struct group *group = append(groups);

		group->reason = &reasons->list[i];
		memcpy(group->name, group->reason->name, sizeof(group->name));
		group->exits = group->reason->exits;
		group->cycles = group->reason->cycles;
	}
}

static void group_vcpus(struct groups *groups, const struct vm *vm)
{
	size_t i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		struct group *group = append(groups);

		group->vm = vm;
		group->vcpu = &vm->vcpus[i];
		snprintf(group->name, sizeof(group->name), "%" PRIu64 "/%u", vm->id,
			 group->vcpu->id);
		group->exits = group->vcpu->totals.exits;
		group->cycles = group->vcpu->totals.cycles;
	}
}

static void group_vms(struct groups *groups, const struct run *run, bool vcpus)
{
	size_t i;

	for (i = 0; i < run->nr_vms; i++) {
		const struct vm *vm = &run->vms[i];
		struct group *group;

		if (vcpus) {
			group_vcpus(groups, vm);
			continue;
		}
		group = append(groups);
		group->vm = vm;
		snprintf(group->name, sizeof(group->name), "%" PRIu64, vm->id);
		group->exits = vm->totals.exits;
		group->cycles = vm->totals.cycles;
	}
}

static int descending(double a, double b)
{
	return (a < b) - (a > b);
}

static double mean(const struct group *g)
{
	return g->exits ? (double)g->cycles / g->exits : 0;
}

/* VMs and vCPUs by number, reasons by name. */
static int compare_names(const struct group *x, const struct group *y)
{
	if (!x->vm)
		return strcmp(x->name, y->name);
	if (x->vm->id != y->vm->id)
		return x->vm->id < y->vm->id ? -1 : 1;
	if (x->vcpu && x->vcpu->id != y->vcpu->id)
		return x->vcpu->id < y->vcpu->id ? -1 : 1;
	return 0;
}

static int compare_groups(const void *a, const void *b, void *arg)
{
	const struct group *x = a, *y = b;
	int order = 0;

	switch (*(const enum sort *)arg) {
	case SORT_NAME:
		break;
	case SORT_CYCLES:
		order = descending(x->cycles, y->cycles);
		break;
	case SORT_MEAN:
		order = descending(mean(x), mean(y));
		break;
	case SORT_DEFAULT:
	case SORT_EXITS:
		order = descending(x->exits, y->exits);
		break;
	}
	return order ?: compare_names(x, y);
}

void groups_make(struct groups *groups, const struct run *run, const struct view *view)
{
	enum sort sort = view->sort;

	memset(groups, 0, sizeof(*groups));
	if (view->by == BY_REASON)
		group_reasons(groups, &run->reasons);
	else if (view->by == BY_CLASS)
		group_reasons(groups, &run->classes);
	else
		group_vms(groups, run, view->by == BY_VCPU);
	if (groups->nr)
		qsort_r(groups->list, groups->nr, sizeof(*groups->list), compare_groups, &sort);
	if (view->top && groups->nr > view->top) {
		groups->left_out = groups->nr - view->top;
		groups->nr = view->top;
	}
}

void groups_free(struct groups *groups)
{
	free(groups->list);
	memset(groups, 0, sizeof(*groups));
}
