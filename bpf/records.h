/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMs and vCPUs that were seen, alive or gone: which index a vCPU has, from its
 * first event to the end of its VM. Of VMs that are gone the latest 'history' ones
 * are kept, fewer where the maps become full; the others are added up in VM 0.
 */
#ifndef KVMSTAT_BPF_RECORDS_H
#define KVMSTAT_BPF_RECORDS_H

#include "tally.h"

#include <bpf/bpf_core_read.h>

/* One that was given back, else one that was never used; 0: all are in use. */
static __always_inline u32 take(void *queue, struct pool *pool, u32 max)
{
	u32 index = 0;

	if (bpf_map_pop_elem(queue, &index)) {
		if (pool->next >= max)
			return 0;
		index = __sync_fetch_and_add(&pool->next, 1);
		if (index >= max)
			return 0;
	}
	__sync_fetch_and_add(&pool->used, 1);
	return index;
}

static __always_inline void give_back(void *queue, struct pool *pool, u32 index)
{
	bpf_map_push_elem(queue, &index, 0);
	__sync_fetch_and_add(&pool->used, -1);
}

__noinline u32 new_cell(u64 key)
{
	u32 i, index = take(&free_cells, &all.cells, settings.max_cells);
	struct cell *cell = cell_at(index);

	if (!index || !cell)
		return 0;
	cell->exits = 0;
	cell->kernel_cycles = 0;
	cell->user_cycles = 0;
	cell->offcpu_cycles = 0;
	cell->min = ~0ULL;
	cell->max = 0;
	cell->huge = 0;
	cell->squares_low = 0;
	cell->squares_high = 0;
	for (i = 0; i < COLLECTOR_BUCKETS; i++) {
		cell->histogram[i] = 0;
		barrier();	/* or clang calls memset(), which BPF has not */
	}
	cell->key = key;
	return index;
}

/* Runs in a vCPU's own thread, so the current task is of the VM's process. */
static __always_inline void fill_vm(struct vm *vm, u64 key)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	vm->nr_vcpus = 0;
	vm->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_probe_read_kernel(vm->comm, sizeof(vm->comm),
			      &BPF_CORE_READ(task, group_leader)->comm);
	vm->comm[sizeof(vm->comm) - 1] = 0;
	vm->key = key;
}

/* Two vCPUs may come at once, on two CPUs: one of them makes the VM. */
__noinline u32 get_vm(u64 key)
{
	u32 *known = bpf_map_lookup_elem(&vm_index, &key);
	struct vm *vm;
	u32 index;

	if (known)
		return *known;
	index = take(&free_vms, &all.vms, settings.max_vms);
	vm = vm_at(index);
	if (!index || !vm)
		return 0;
	fill_vm(vm, key);
	if (bpf_map_update_elem(&vm_index, &key, &index, BPF_NOEXIST)) {
		give_back(&free_vms, &all.vms, index);
		known = bpf_map_lookup_elem(&vm_index, &key);
		return known ? *known : 0;
	}
	vm->id = __sync_fetch_and_add(&all.next_id, 1);
	return index;
}

static __always_inline void clear_vcpu(struct vcpu *v)
{
	u32 i;

	v->mark = 0;
	v->guest_cycles = 0;
	v->exits = 0;
	v->vmcb = 0;
	v->hflags = 0;
	v->state = VCPU_UNKNOWN;
	v->nr_cells = 0;
	v->pending = 0;
	v->away = 0;
	v->late_off = 0;
	v->first = 0;
	v->untraced = 0;
	v->uncounted = 0;
	v->compared = 0;
	v->runner = 0;
	for (i = 0; i < COLLECTOR_SLOTS; i++) {
		v->slots[i] = 0;
		barrier();	/* as above */
	}
}

/* It is in its VM's list from here on. */
static __always_inline bool join(struct vm *vm, u32 index)
{
	u32 place = __sync_fetch_and_add(&vm->nr_vcpus, 1);

	if (place >= VM_VCPUS)
		return false;
	vm->vcpus[place] = index;
	return true;
}

/* 0 when there is no room: the next event tries again. */
__noinline u32 add_vcpu(u64 vcpu, u64 vm_key, u32 id)
{
	u32 vm_place = get_vm(vm_key);
	struct vm *vm = vm_at(vm_place);
	struct vcpu *v;
	u32 index, other;

	if (!vm_place || !vm)
		return 0;
	other = new_cell(KEY_OTHER);
	if (!other)
		return 0;
	index = take(&free_vcpus, &all.vcpus, settings.max_vcpus);
	v = vcpu_at(index);
	if (!index || !v)
		goto no_vcpu;
	clear_vcpu(v);
	v->other = other;
	v->open = other;
	v->id = id;
	v->vm = vm_place;
	if (bpf_map_update_elem(&vcpu_index, &vcpu, &index, BPF_ANY))
		goto no_place;
	if (!join(vm, index)) {
		bpf_map_delete_elem(&vcpu_index, &vcpu);
		goto no_place;
	}
	barrier();
	v->vcpu = vcpu;
	return index;

no_place:
	give_back(&free_vcpus, &all.vcpus, index);
no_vcpu:
	give_back(&free_cells, &all.cells, other);
	return 0;
}

static __always_inline u32 find_vcpu(u64 vcpu)
{
	u32 *index = bpf_map_lookup_elem(&vcpu_index, &vcpu);

	return index ? *index : 0;
}

static void fold_cell(u32 index)
{
	struct cell *from = cell_at(index), *to;
	struct vcpu *sum = vcpu_at(0);
	u64 low;
	u32 i;

	if (!from || !sum)
		return;
	to = cell_at(from->key == KEY_OTHER ? sum->other : tally_cell(sum, from->key));
	if (!to || to == from)
		return;
	to->exits += from->exits;
	to->kernel_cycles += from->kernel_cycles;
	to->user_cycles += from->user_cycles;
	to->offcpu_cycles += from->offcpu_cycles;
	low = to->squares_low + from->squares_low;
	to->squares_high += from->squares_high + (low < from->squares_low);
	to->squares_low = low;
	if (from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	if (from->huge > to->huge)
		to->huge = from->huge;
	for (i = 0; i < COLLECTOR_BUCKETS; i++)
		to->histogram[i] += from->histogram[i];
	give_back(&free_cells, &all.cells, index);
}

struct fold {
	u32 vm;
	u32 vcpu;
};

static long fold_one_cell(u32 i, struct fold *fold)
{
	struct vcpu *v = vcpu_at(fold->vcpu);

	if (!v || i >= COLLECTOR_CELLS || i >= v->nr_cells)
		return 1;
	fold_cell(v->cells[i]);
	return 0;
}

static long fold_one_vcpu(u32 i, struct fold *fold)
{
	struct vm *vm = vm_at(fold->vm);
	struct vcpu *v, *sum = vcpu_at(0);

	if (!vm || !sum || i >= VM_VCPUS || i >= vm->nr_vcpus)
		return 1;
	fold->vcpu = vm->vcpus[i];
	v = vcpu_at(fold->vcpu);
	if (!v || !fold->vcpu)
		return 0;
	bpf_loop(COLLECTOR_CELLS, fold_one_cell, fold, 0);
	fold_cell(v->other);
	sum->guest_cycles += v->guest_cycles;
	sum->untraced += v->untraced;
	sum->exits += v->exits;
	sum->mark += v->mark - v->first - v->late_off;
	v->vm = 0;
	v->nr_cells = 0;
	give_back(&free_vcpus, &all.vcpus, fold->vcpu);
	return 0;
}

/* More than three quarters are in use. */
static __always_inline bool short_of(const struct pool *pool, u32 max)
{
	return pool->used > max - max / 4;
}

static __always_inline bool too_many_dead(void)
{
	if (all.nr_dead > settings.history)
		return true;
	return all.nr_dead && (short_of(&all.vms, settings.max_vms) ||
			       short_of(&all.vcpus, settings.max_vcpus) ||
			       short_of(&all.cells, settings.max_cells));
}

static long fold_oldest(u32 i, struct fold *fold)
{
	struct vm *vm;

	if (!too_many_dead() || bpf_map_pop_elem(&dead_vms, &fold->vm))
		return 1;
	__sync_fetch_and_add(&all.nr_dead, -1);
	vm = vm_at(fold->vm);
	if (!vm)
		return 1;
	bpf_loop(VM_VCPUS, fold_one_vcpu, fold, 0);
	vm->id = 0;
	give_back(&free_vms, &all.vms, fold->vm);
	return 0;
}

/* Who finds somebody at it leaves it to him, or to the next one. */
static __always_inline void fold_dead(void)
{
	struct fold fold = {};

	if (!too_many_dead() || __sync_val_compare_and_swap(&all.folding, 0, 1))
		return;
	__sync_fetch_and_add(&all.folds, 1);
	bpf_loop(8, fold_oldest, &fold, 0);
	__sync_fetch_and_add(&all.folds, 1);
	__sync_lock_test_and_set(&all.folding, 0);
}

#endif
