// SPDX-License-Identifier: GPL-2.0-only
/* The VMs and vCPUs that were seen, alive or gone. */
#include <linux/hash.h>
#include <linux/mempool.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "registry.h"

/* Records kept ready for first exits that come when memory is short. */
#define SPARE_VCPUS	32
#define SPARE_CELLS	128
#define SPARE_VMS	8

#define VCPU_TABLE_BITS	12
#define VM_TABLE_BITS	8

unsigned int history = 128;
module_param(history, uint, 0444);
MODULE_PARM_DESC(history, "VMs whose numbers are kept one by one after their end (default 128)");

DEFINE_MUTEX(registry_mutex);
LIST_HEAD(vm_records);
struct vcpu_record *retired_vcpu;
u64 generation;
struct vcpu_record nobody;
DEFINE_PER_CPU(struct vcpu_record *, vcpu_in_run);

/*
 * Protects the two tables, the lists' tails, next_vm_id and generation. Taken with
 * interrupts off in KVM's entry path and in kprobes: innermost but for the
 * allocator's own locks.
 */
static DEFINE_RAW_SPINLOCK(registry_lock);
static struct hlist_head vcpu_table[1 << VCPU_TABLE_BITS];
static struct hlist_head vm_table[1 << VM_TABLE_BITS];
static u64 next_vm_id = 1;
static unsigned int nr_dead;

static struct kmem_cache *vcpu_cache, *cell_cache;
static mempool_t *vcpu_pool, *cell_pool, *vm_pool;
static DEFINE_PER_CPU(u64, lost);
static u64 lost_base;	/* under registry_mutex */

void registry_count_lost(void)
{
	this_cpu_inc(lost);
}

static u64 lost_since_load(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(lost, cpu));
	return sum;
}

u64 registry_lost(void)
{
	return lost_since_load() - lost_base;
}

static struct vm_record *find_vm(struct kvm *kvm)
{
	struct vm_record *vm;

	hlist_for_each_entry(vm, &vm_table[hash_ptr(kvm, VM_TABLE_BITS)], hash)
		if (vm->key == kvm)
			return vm;
	return NULL;
}

/* Runs in a vCPU's own thread, so 'current' belongs to the VM's process. */
static struct vm_record *new_vm(struct kvm *kvm)
{
	struct vm_record *vm = mempool_alloc(vm_pool, GFP_ATOMIC | __GFP_NOWARN);

	if (!vm)
		return NULL;
	memset(vm, 0, sizeof(*vm));
	vm->key = kvm;
	vm->pid = task_tgid_nr(current);
	strscpy(vm->comm, current->group_leader->comm, sizeof(vm->comm));
	INIT_LIST_HEAD(&vm->vcpus);
	return vm;
}

static void publish_vm(struct vm_record *vm)
{
	vm->id = next_vm_id++;
	hlist_add_head(&vm->hash, &vm_table[hash_ptr(vm->key, VM_TABLE_BITS)]);
	list_add_tail_rcu(&vm->all, &vm_records);
}

static void publish_vcpu(struct vcpu_record *rec, struct vm_record *vm)
{
	rec->vm = vm;
	list_add_tail_rcu(&rec->of_vm, &vm->vcpus);
	hlist_add_head_rcu(&rec->hash, &vcpu_table[hash_ptr(rec->vcpu, VCPU_TABLE_BITS)]);
}

struct tally_cell *tally_cell_alloc(void)
{
	return mempool_alloc(cell_pool, GFP_ATOMIC | __GFP_NOWARN);
}

static void free_vcpu(struct vcpu_record *rec)
{
	u32 i;

	for (i = 0; i < rec->tally.nr_cells; i++)
		mempool_free(rec->tally.cells[i], cell_pool);
	spaces_free(&rec->spaces);
	mempool_free(rec, vcpu_pool);
}

static void init_vcpu(struct vcpu_record *rec, struct kvm_vcpu *vcpu)
{
	memset(rec, 0, sizeof(*rec));
	tally_init(&rec->tally);
	rec->vcpu = vcpu;
	rec->match = vcpu;
	if (vcpu)
		rec->vcpu_id = vcpu->vcpu_id;
}

/*
 * First event of a vCPU, in its thread, possibly with interrupts off. NULL
 * when there is no memory: the next event tries again.
 */
static struct vcpu_record *add_vcpu(struct kvm_vcpu *vcpu)
{
	struct vm_record *vm, *fresh;
	struct vcpu_record *rec;
	unsigned long flags;

	rec = mempool_alloc(vcpu_pool, GFP_ATOMIC | __GFP_NOWARN);
	/* Nearly always a VM's first vCPU; given back if it is not. */
	fresh = new_vm(vcpu->kvm);
	if (!rec || !fresh)
		goto err;
	init_vcpu(rec, vcpu);

	raw_spin_lock_irqsave(&registry_lock, flags);
	vm = find_vm(vcpu->kvm);
	if (!vm) {
		publish_vm(fresh);
		vm = fresh;
		fresh = NULL;
	}
	rec->generation = generation;
	publish_vcpu(rec, vm);
	raw_spin_unlock_irqrestore(&registry_lock, flags);

	if (fresh)
		mempool_free(fresh, vm_pool);
	return rec;

err:
	if (rec)
		mempool_free(rec, vcpu_pool);
	if (fresh)
		mempool_free(fresh, vm_pool);
	return NULL;
}

/* First event of a vCPU after a reset. */
static void restart(struct vcpu_record *rec)
{
	u64 since = READ_ONCE(generation);
	unsigned long flags;

	tally_restart(&rec->tally);
	rec->compared = false;
	spaces_restart(&rec->spaces, 0);
	/* Pairs with registry_current(). */
	smp_store_release(&rec->generation, since);
	raw_spin_lock_irqsave(&registry_lock, flags);
	if (generation == since)
		WRITE_ONCE(rec->match, rec->vcpu);
	raw_spin_unlock_irqrestore(&registry_lock, flags);
}

/* The record of a vCPU that lives, even where it is hidden. */
static notrace struct vcpu_record *find_vcpu(struct kvm_vcpu *vcpu)
{
	struct vcpu_record *rec;

	hlist_for_each_entry_rcu_notrace(rec, &vcpu_table[hash_ptr(vcpu, VCPU_TABLE_BITS)], hash)
		if (likely(rec->vcpu == vcpu))
			return rec;
	return NULL;
}

notrace struct vcpu_record *registry_find(struct kvm_vcpu *vcpu)
{
	struct vcpu_record *rec = find_vcpu(vcpu);

	return rec && READ_ONCE(rec->match) ? rec : NULL;
}

struct vcpu_record *registry_get(struct kvm_vcpu *vcpu)
{
	struct vcpu_record *rec = find_vcpu(vcpu);

	if (!rec)
		return add_vcpu(vcpu);
	if (unlikely(!READ_ONCE(rec->match)))
		restart(rec);
	return rec;
}

void registry_trust(struct vcpu_record *rec)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&registry_lock, flags);
	rec->fast_match = rec->match;	/* none after a reset: then the next exit does it */
	raw_spin_unlock_irqrestore(&registry_lock, flags);
}

static void free_vm(struct vm_record *vm)
{
	struct vcpu_record *rec, *next;

	list_for_each_entry_safe(rec, next, &vm->vcpus, of_vm)
		free_vcpu(rec);
	mempool_free(vm, vm_pool);
}

static void retire_vcpu(const struct vcpu_record *rec)
{
	struct tally *sum = &retired_vcpu->tally;
	u32 i;

	if (!registry_current(rec))
		return;
	tally_add_cell(&sum->other, &rec->tally.other);
	for (i = 0; i < rec->tally.nr_cells; i++)
		tally_add_cell(tally_cell(sum, rec->tally.cells[i]->key), rec->tally.cells[i]);
	sum->guest_cycles += rec->tally.guest_cycles;
	sum->untraced += rec->tally.untraced;
	sum->mark += tally_read(&rec->tally, 0).wall;
}

/* Takes the oldest VMs that are gone off the list until 'keep' are left. */
static void collect_dead(unsigned int keep, struct list_head *out)
{
	struct vm_record *vm, *next;
	unsigned long flags;

	lockdep_assert_held(&registry_mutex);
	raw_spin_lock_irqsave(&registry_lock, flags);
	list_for_each_entry_safe(vm, next, &vm_records, all) {
		if (nr_dead <= keep)
			break;
		if (vm->key)
			continue;
		list_del_rcu(&vm->all);
		list_add_tail(&vm->leaving, out);
		nr_dead--;
	}
	raw_spin_unlock_irqrestore(&registry_lock, flags);
}

static void evict(struct work_struct *work)
{
	struct vcpu_record *rec;
	struct vm_record *vm, *next;
	LIST_HEAD(dead);

	mutex_lock(&registry_mutex);
	collect_dead(history, &dead);
	list_for_each_entry(vm, &dead, leaving)
		list_for_each_entry(rec, &vm->vcpus, of_vm)
			retire_vcpu(rec);
	mutex_unlock(&registry_mutex);

	/* A probe of another vCPU may be passing through the hash chain, or the list. */
	tracepoint_synchronize_unregister();
	list_for_each_entry_safe(vm, next, &dead, leaving)
		free_vm(vm);
}
static DECLARE_WORK(evict_work, evict);

/* A CPU that was never told of the end of KVM_RUN. */
static void leave_run(const struct vm_record *vm)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vcpu_record **in_run = per_cpu_ptr(&vcpu_in_run, cpu);
		struct vcpu_record *rec = READ_ONCE(*in_run);

		if (rec->vm == vm)
			cmpxchg(in_run, rec, &nobody);
	}
}

/* Out of the tables: from here on no event finds it. */
static struct vm_record *take_out(struct kvm *kvm)
{
	struct vcpu_record *rec;
	struct vm_record *vm;
	unsigned long flags;

	raw_spin_lock_irqsave(&registry_lock, flags);
	vm = find_vm(kvm);
	if (vm) {
		hlist_del(&vm->hash);
		list_for_each_entry(rec, &vm->vcpus, of_vm)
			hlist_del_rcu(&rec->hash);
		leave_run(vm);
	}
	raw_spin_unlock_irqrestore(&registry_lock, flags);
	return vm;
}

/*
 * No vCPU of this VM runs any more: KVM is about to destroy them, and then
 * others may get their addresses.
 */
void registry_vm_gone(struct kvm *kvm, void (*last_look)(struct vcpu_record *rec))
{
	struct vm_record *vm = take_out(kvm);
	struct vcpu_record *rec;
	unsigned long flags;
	bool full;

	if (!vm)
		return;
	/* As long as it has its key, nobody removes it. */
	list_for_each_entry(rec, &vm->vcpus, of_vm)
		last_look(rec);
	raw_spin_lock_irqsave(&registry_lock, flags);
	/* Pairs with registry_alive(). */
	smp_store_release(&vm->key, NULL);
	full = ++nr_dead > history;
	raw_spin_unlock_irqrestore(&registry_lock, flags);
	if (full)
		schedule_work(&evict_work);
}

static void hide(struct vcpu_record *rec)
{
	WRITE_ONCE(rec->fast_match, NULL);
	WRITE_ONCE(rec->match, NULL);
}

static void hide_all(void)
{
	struct vcpu_record *rec;
	struct vm_record *vm;
	unsigned long flags;

	raw_spin_lock_irqsave(&registry_lock, flags);
	generation++;
	list_for_each_entry(vm, &vm_records, all)
		list_for_each_entry(rec, &vm->vcpus, of_vm)
			hide(rec);
	raw_spin_unlock_irqrestore(&registry_lock, flags);
}

/* Counting starts again. VMs that are gone are forgotten. */
void registry_reset(void)
{
	struct vm_record *vm, *next;
	LIST_HEAD(dead);

	lockdep_assert_held(&registry_mutex);
	collect_dead(0, &dead);
	hide_all();
	tally_restart(&retired_vcpu->tally);
	retired_vcpu->generation = generation;
	lost_base = lost_since_load();

	if (list_empty(&dead))
		return;
	tracepoint_synchronize_unregister();
	list_for_each_entry_safe(vm, next, &dead, leaving)
		free_vm(vm);
}

static void add_cell(const struct tally_cell *cell, u64 mask, u64 value, struct registry_sum *sum)
{
	if ((cell->key & mask) != value)
		return;
	sum->exits += READ_ONCE(cell->exits);
	sum->kernel_cycles += READ_ONCE(cell->kernel_cycles);
}

static void add_vcpu_to(const struct vcpu_record *rec, u64 mask, u64 value, struct registry_sum *sum)
{
	u32 i, nr;

	if (!registry_current(rec))
		return;
	/* Pairs with new_cell(): a cell that is there has its key. */
	nr = smp_load_acquire(&rec->tally.nr_cells);
	add_cell(&rec->tally.other, mask, value, sum);
	for (i = 0; i < nr; i++)
		add_cell(rec->tally.cells[i], mask, value, sum);
}

static void add_vm_to(const struct vm_record *vm, u64 mask, u64 value, struct registry_sum *sum)
{
	struct vcpu_record *rec;

	list_for_each_entry_rcu(rec, &vm->vcpus, of_vm)
		add_vcpu_to(rec, mask, value, sum);
}

struct registry_sum registry_sum_of_vm(struct kvm_vcpu *vcpu, u64 mask, u64 value)
{
	struct vcpu_record *rec = find_vcpu(vcpu);
	struct registry_sum sum = {};

	if (rec)
		add_vm_to(rec->vm, mask, value, &sum);
	return sum;
}

struct registry_sum registry_sum_of_all(u64 mask, u64 value)
{
	struct registry_sum sum = {};
	struct vm_record *vm;

	add_vcpu_to(retired_vcpu, mask, value, &sum);
	list_for_each_entry_rcu(vm, &vm_records, all)
		add_vm_to(vm, mask, value, &sum);
	return sum;
}

static int make_pools(void)
{
	vcpu_cache = kmem_cache_create("kvmstat_vcpu", sizeof(struct vcpu_record), 0,
				       SLAB_HWCACHE_ALIGN, NULL);
	cell_cache = kmem_cache_create("kvmstat_cell", sizeof(struct tally_cell), 0,
				       SLAB_HWCACHE_ALIGN, NULL);
	if (!vcpu_cache || !cell_cache)
		return -ENOMEM;
	vcpu_pool = mempool_create_slab_pool(SPARE_VCPUS, vcpu_cache);
	cell_pool = mempool_create_slab_pool(SPARE_CELLS, cell_cache);
	vm_pool = mempool_create_kmalloc_pool(SPARE_VMS, sizeof(struct vm_record));
	return vcpu_pool && cell_pool && vm_pool ? 0 : -ENOMEM;
}

/* Each of these takes NULL, too. */
static void destroy_pools(void)
{
	mempool_destroy(vm_pool);
	mempool_destroy(cell_pool);
	mempool_destroy(vcpu_pool);
	kmem_cache_destroy(cell_cache);
	kmem_cache_destroy(vcpu_cache);
}

int registry_init(void)
{
	int cpu, err = make_pools();

	/* A module's per-CPU variables cannot be initialised with an address. */
	for_each_possible_cpu(cpu)
		per_cpu(vcpu_in_run, cpu) = &nobody;
	if (err)
		goto err_pools;
	err = -ENOMEM;
	retired_vcpu = mempool_alloc(vcpu_pool, GFP_KERNEL);
	if (!retired_vcpu)
		goto err_pools;
	init_vcpu(retired_vcpu, NULL);
	return 0;

err_pools:
	destroy_pools();
	return err;
}

/* No probe is attached or in flight any more, and no reader is left. */
void registry_exit(void)
{
	struct vm_record *vm, *next;

	cancel_work_sync(&evict_work);
	list_for_each_entry_safe(vm, next, &vm_records, all)
		free_vm(vm);
	free_vcpu(retired_vcpu);
	destroy_pools();
}
