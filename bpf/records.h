/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMs and vCPUs that were seen, alive or gone: which index a vCPU has, from its
 * first event to the end of its VM. Of VMs that are gone the latest 'history' ones
 * are kept, fewer where room is short; the others are added up in VM 0.
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
	u32 i, index = take(&free_cells, &all.cells, MAX_CELLS);
	struct cell *cell = cell_at(index);

	if (!index)
		return 0;
	cell->exits = 0;
	cell->kernel_ns = 0;
	cell->user_ns = 0;
	cell->offcpu_ns = 0;
	cell->min = ~0ULL;
	cell->max = 0;
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
	index = take(&free_vms, &all.vms, MAX_VMS);
	if (!index)
		return 0;
	vm = vm_at(index);
	fill_vm(vm, key);
	if (bpf_map_update_elem(&vm_index, &key, &index, BPF_NOEXIST)) {
		give_back(&free_vms, &all.vms, index);
		known = bpf_map_lookup_elem(&vm_index, &key);
		return known ? *known : 0;
	}
	vm->id = __sync_fetch_and_add(&all.next_id, 1);
	return index;
}

struct search {
	u32 home;
	u32 index;		/* found, else 0 */
};

static long claim(u32 i, struct search *search)
{
	u32 index = (search->home + i) & (MAX_VCPUS - 1);
	struct vcpu *v = vcpu_at(index);

	if (!index || v->used || __sync_val_compare_and_swap(&v->used, 0, 1))
		return 0;
	search->index = index;
	return 1;
}

static __always_inline void clear_vcpu(struct vcpu *v)
{
	u32 i;

	v->mark = 0;
	v->guest_ns = 0;
	v->reason = 0;
	v->guest_state = VCPU_GUEST_SLOW;
	v->state = VCPU_UNKNOWN;
	v->nr_cells = 0;
	v->pending = 0;
	v->away = 0;
	v->late_off = 0;
	v->first = 0;
	v->untraced = 0;
	v->uncounted = 0;
	v->runner = 0;
	v->compared = 0;
	v->isa = 0;
	v->nested = 0;
	for (i = 0; i < COLLECTOR_SLOTS; i++) {
		v->slots[i] = 0;
		barrier();	/* as above */
	}
}

/* At home, where the fast path looks first, if nobody else is there. */
static __always_inline u32 take_vcpu(u32 home)
{
	struct search search = { .home = home };

	bpf_loop(MAX_VCPUS, claim, &search, 0);
	if (!search.index)
		return 0;
	__sync_fetch_and_add(&all.used_vcpus, 1);
	clear_vcpu(vcpu_at(search.index));
	return search.index;
}

static __always_inline void give_back_vcpu(u32 index)
{
	__sync_fetch_and_add(&all.used_vcpus, -1);
	barrier();
	vcpu_at(index)->used = 0;
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
__noinline u32 add_vcpu(u64 vcpu, u64 vm_key, u32 id, u32 home)
{
	u32 vm, index, other;
	struct vcpu *v;

	/* Asked again at each event of a vCPU that has no room. */
	if (all.used_vcpus >= MAX_VCPUS - 1)
		return 0;
	vm = get_vm(vm_key);
	if (!vm || vm_at(vm)->nr_vcpus >= VM_VCPUS)
		return 0;
	other = new_cell(KEY_OTHER);
	if (!other)
		return 0;
	index = take_vcpu(home);
	if (!index)
		goto no_vcpu;
	v = vcpu_at(index);
	v->other = other;
	v->open = other;
	v->id = id;
	v->vm = vm;
	if (bpf_map_update_elem(&vcpu_index, &vcpu, &index, BPF_ANY))
		goto no_place;
	if (!join(vm_at(vm), index)) {
		bpf_map_delete_elem(&vcpu_index, &vcpu);
		goto no_place;
	}
	barrier();
	v->vcpu = vcpu;
	return index;

no_place:
	give_back_vcpu(index);
no_vcpu:
	give_back(&free_cells, &all.cells, other);
	return 0;
}

static __always_inline u32 find_vcpu(u64 vcpu)
{
	u32 *index = bpf_map_lookup_elem(&vcpu_index, &vcpu);

	return index ? *index : 0;
}

static __always_inline void add_cell(struct cell *to, const struct cell *from)
{
	u64 low = to->squares_low + from->squares_low;
	u32 i;

	to->exits += from->exits;
	to->kernel_ns += from->kernel_ns;
	to->user_ns += from->user_ns;
	to->offcpu_ns += from->offcpu_ns;
	to->squares_high += from->squares_high + (low < from->squares_low);
	to->squares_low = low;
	if (from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	for (i = 0; i < COLLECTOR_BUCKETS; i++)
		to->histogram[i] += from->histogram[i];
}

__noinline int fold_cell(u32 index)
{
	struct vcpu *sum = vcpu_at(0);
	struct cell *from = cell_at(index);
	u32 to = from->key == KEY_OTHER ? sum->other : tally_cell(sum, from->key);

	add_cell(cell_at(to), from);
	give_back(&free_cells, &all.cells, index);
	return 0;
}

struct fold {
	u32 vm;
	u32 vcpu;
};

static long fold_one_cell(u32 i, struct fold *fold)
{
	struct vcpu *v = vcpu_at(fold->vcpu);

	if (i >= COLLECTOR_CELLS || i >= v->nr_cells)
		return 1;
	fold_cell(v->cells[i]);
	return 0;
}

static long fold_one_vcpu(u32 i, struct fold *fold)
{
	struct vcpu *v, *sum = vcpu_at(0);
	struct vm *vm = vm_at(fold->vm);

	if (i >= VM_VCPUS || i >= vm->nr_vcpus)
		return 1;
	fold->vcpu = vm->vcpus[i];
	if (!fold->vcpu)
		return 0;
	v = vcpu_at(fold->vcpu);
	bpf_loop(COLLECTOR_CELLS, fold_one_cell, fold, 0);
	fold_cell(v->other);
	sum->guest_ns += v->guest_ns;
	sum->untraced += v->untraced;
	sum->mark += v->mark - v->first - v->late_off;
	v->nr_cells = 0;
	vm->vcpus[i] = 0;	/* for who reads the element's next VM */
	give_back_vcpu(fold->vcpu);
	return 0;
}

/* More than three quarters are in use. */
static __always_inline bool short_of(u64 used, u32 max)
{
	return used > max - max / 4;
}

static __always_inline bool too_many_dead(void)
{
	if (all.nr_dead > settings.history)
		return true;
	return all.nr_dead && (short_of(all.vms.used, MAX_VMS) || short_of(all.used_vcpus, MAX_VCPUS) ||
			       short_of(all.cells.used, MAX_CELLS));
}

static long fold_oldest(u32 i, struct fold *fold)
{
	struct vm *vm;

	if (!too_many_dead() || bpf_map_pop_elem(&dead_vms, &fold->vm))
		return 1;
	__sync_fetch_and_add(&all.nr_dead, -1);
	vm = vm_at(fold->vm);
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
	bpf_loop(2, fold_oldest, &fold, 0);
	__sync_fetch_and_add(&all.folds, 1);
	__sync_lock_test_and_set(&all.folding, 0);
}

#endif
