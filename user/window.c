// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A window is the difference of two snapshots of the same counters.
 *
 * A VM is known by its id, which the module never uses twice, and a vCPU by
 * its place in its VM: a VM's vCPUs only grow. A VM that the module forgot
 * between the snapshots was added to the retired VM; what it had counted
 * before the window is subtracted there, so the totals stay exact.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "window.h"

/* Subtracts as much as there is; what is left over is returned. */
static uint64_t take(uint64_t *from, uint64_t amount)
{
	uint64_t taken = amount < *from ? amount : *from;

	*from -= taken;
	return amount - taken;
}

/* Subtracts as much of 'rest' as there is in 'from', and leaves the rest. */
static void take_row(struct reason *from, struct reason *rest)
{
	rest->exits = take(&from->exits, rest->exits);
	rest->cycles.kernel = take(&from->cycles.kernel, rest->cycles.kernel);
	rest->cycles.user = take(&from->cycles.user, rest->cycles.user);
	rest->cycles.offcpu = take(&from->cycles.offcpu, rest->cycles.offcpu);
	histogram_take(&from->histogram, &rest->histogram);
}

/*
 * TSC cycles. While a vCPU is away a snapshot has its time up to now, and its own
 * clock may be behind: by an interrupt just as it comes back, or by what the TSCs
 * of two CPUs differ.
 */
#define AHEAD 10000000

static bool is_found(const struct reason *rest)
{
	return !rest->exits && !rest->cycles.kernel && rest->cycles.user <= AHEAD &&
	       rest->cycles.offcpu <= AHEAD && !rest->histogram.ended;
}

/*
 * The retired VM has a bounded number of cells, too: a row that found none
 * went into KVMSTAT_CODE_OTHER.
 */
static int subtract_row(struct reasons *from, uint32_t isa, const struct reason *before)
{
	struct reason rest = *before;
	uint32_t level = before->level;

	take_row(reasons_get(from, isa, before->code, level, before->detail), &rest);
	for (; !is_found(&rest) && level; level--)
		take_row(reasons_get(from, isa, KVMSTAT_CODE_OTHER, level, KVMSTAT_DETAIL_NONE),
			 &rest);
	return is_found(&rest) ? 0 : -1;
}

static int subtract_vcpu(struct vcpu *from, uint32_t isa, const struct vcpu *before)
{
	size_t i;

	for (i = 0; i < before->details.nr; i++)
		if (subtract_row(&from->details, isa, &before->details.list[i]) < 0)
			return -1;
	if (take(&from->totals.guest_cycles, before->totals.guest_cycles) ||
	    take(&from->totals.wall_cycles, before->totals.wall_cycles) > AHEAD ||
	    take(&from->totals.untraced, before->totals.untraced))
		return -1;
	return 0;
}

static int subtract_living(struct vm *from, uint32_t isa, const struct vm *before)
{
	size_t i;

	/* Of a process that is gone nobody can be asked any more. */
	if (!from->name[0])
		memcpy(from->name, before->name, sizeof(from->name));
	if (from->nr_vcpus < before->nr_vcpus)
		return -1;
	for (i = 0; i < before->nr_vcpus; i++)
		if (from->vcpus[i].id != before->vcpus[i].id ||
		    subtract_vcpu(&from->vcpus[i], isa, &before->vcpus[i]) < 0)
			return -1;
	return 0;
}

static int subtract_retired(struct run *run, const struct vm *before)
{
	struct vm *retired = run_find_vm(run, 0);
	size_t i;

	if (!retired || !retired->nr_vcpus)
		return -1;
	for (i = 0; i < before->nr_vcpus; i++)
		if (subtract_vcpu(&retired->vcpus[0], run->isa, &before->vcpus[i]) < 0)
			return -1;
	return 0;
}

static int subtract_vm(struct run *run, const struct vm *before)
{
	struct vm *now = before->retired ? NULL : run_find_vm(run, before->id);
	int ret = now ? subtract_living(now, run->isa, before) : subtract_retired(run, before);

	if (ret < 0)
		error("VM %" PRIu64 " (pid %u, %s) has fewer exits after the window than before it: run it again, and report this as a bug",
		      before->id, before->pid, before->comm);
	return ret;
}

static bool is_empty(const struct reason *row)
{
	return !row->exits && !row->cycles.kernel && !row->cycles.user && !row->cycles.offcpu &&
	       !row->histogram.ended;
}

static void drop_empty_rows(struct reasons *rows)
{
	size_t i, kept = 0;

	for (i = 0; i < rows->nr; i++)
		if (!is_empty(&rows->list[i]))
			rows->list[kept++] = rows->list[i];
	rows->nr = kept;
}

static void drop_empty_vcpus(struct vm *vm)
{
	size_t i, kept = 0;

	for (i = 0; i < vm->nr_vcpus; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];

		drop_empty_rows(&vcpu->details);
		if (vcpu->details.nr || vcpu->totals.guest_cycles)
			vm->vcpus[kept++] = *vcpu;
		else
			vcpu_free(vcpu);
	}
	vm->nr_vcpus = kept;
}

static void drop_empty_vms(struct run *run)
{
	size_t i, kept = 0;

	for (i = 0; i < run->nr_vms; i++) {
		struct vm *vm = &run->vms[i];

		drop_empty_vcpus(vm);
		if (vm->nr_vcpus)
			run->vms[kept++] = *vm;
		else
			vm_free(vm);
	}
	run->nr_vms = kept;
}

int window_since(struct run *run, const struct run *before)
{
	size_t i;

	if (run->instance != before->instance || run->generation != before->generation) {
		error("%s during the window: run it again", strcmp(run->source, "bpf") ?
		      "the counters were reset (or the module reloaded)" :
		      "the collector was started anew");
		return -1;
	}
	for (i = 0; i < before->nr_vms; i++)
		if (subtract_vm(run, &before->vms[i]) < 0)
			return -1;
	run->window = WINDOW_INTERVAL;
	run->window_ns = run->time_ns - before->time_ns;
	run->totals.lost -= before->totals.lost;
	drop_empty_vms(run);
	run_sum(run);
	return 0;
}
