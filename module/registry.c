// SPDX-License-Identifier: GPL-2.0-only
/* The VMs and vCPUs that were seen, alive or gone. */
#include <linux/mempool.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "registry.h"

/* Records kept ready for first exits that come when memory is short. */
#define SPARE_VCPUS	32
#define SPARE_VMS	8

#define VM_TABLE_BITS	8

unsigned int history = 128;
module_param(history, uint, 0444);
MODULE_PARM_DESC(history, "VMs whose numbers are kept one by one after their end (default 128)");

DEFINE_MUTEX(registry_mutex);
LIST_HEAD(vm_records);
struct vcpu_record *retired_vcpu;
struct hlist_head vcpu_table[1 << VCPU_TABLE_BITS];

/*
 * Protects the two tables, the lists' tails and next_vm_id. Taken with
 * interrupts off in KVM's entry path and in kprobes: innermost but for the
 * allocator's own locks.
 */
static DEFINE_RAW_SPINLOCK(registry_lock);
static struct hlist_head vm_table[1 << VM_TABLE_BITS];
static u64 next_vm_id = 1;
static unsigned int nr_dead;

static mempool_t *vcpu_pool;
static mempool_t *vm_pool;
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
	hlist_add_head_rcu(&rec->hash, &vcpu_table[hash_ptr(rec->key, VCPU_TABLE_BITS)]);
}

static void init_vcpu(struct vcpu_record *rec, struct kvm_vcpu *vcpu)
{
	memset(rec, 0, sizeof(*rec));
	tally_init(&rec->tally);
	rec->key = vcpu;
	if (vcpu)
		rec->vcpu_id = vcpu->vcpu_id;
}

/*
 * First event of a vCPU, in its thread, possibly with interrupts off. NULL
 * when there is no memory: the next event tries again.
 */
struct vcpu_record *registry_add(struct kvm_vcpu *vcpu)
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

static void free_vm(struct vm_record *vm)
{
	struct vcpu_record *rec, *next;

	list_for_each_entry_safe(rec, next, &vm->vcpus, of_vm)
		mempool_free(rec, vcpu_pool);
	mempool_free(vm, vm_pool);
}

static void retire_vcpu(const struct vcpu_record *rec)
{
	struct tally *sum = &retired_vcpu->tally;
	u32 i;

	for (i = 0; i < rec->tally.nr_cells; i++) {
		const struct tally_cell *cell = &rec->tally.cells[i];
		struct tally_cell *to = i ? tally_find_slow(sum, cell->code) : &sum->cells[0];

		to->exits += cell->exits - rec->base.exits[i];
		to->cycles += cell->cycles - rec->base.cycles[i];
	}
	sum->guest_cycles += rec->tally.guest_cycles - rec->base.guest_cycles;
	sum->untraced += rec->tally.untraced - rec->base.untraced;
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
		list_move_tail(&vm->all, out);
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
	list_for_each_entry(vm, &dead, all)
		list_for_each_entry(rec, &vm->vcpus, of_vm)
			retire_vcpu(rec);
	mutex_unlock(&registry_mutex);

	/* A probe of another vCPU may be passing through the hash chain. */
	tracepoint_synchronize_unregister();
	list_for_each_entry_safe(vm, next, &dead, all)
		free_vm(vm);
}
static DECLARE_WORK(evict_work, evict);

/*
 * No vCPU of this VM runs any more: KVM is about to destroy them, and then
 * others may get their addresses.
 */
void registry_vm_gone(struct kvm *kvm)
{
	struct vcpu_record *rec;
	struct vm_record *vm;
	unsigned long flags;
	bool full = false;

	raw_spin_lock_irqsave(&registry_lock, flags);
	vm = find_vm(kvm);
	if (vm) {
		hlist_del(&vm->hash);
		WRITE_ONCE(vm->key, NULL);
		list_for_each_entry(rec, &vm->vcpus, of_vm)
			hlist_del_rcu(&rec->hash);
		full = ++nr_dead > history;
	}
	raw_spin_unlock_irqrestore(&registry_lock, flags);
	if (full)
		schedule_work(&evict_work);
}

static void set_base(struct vcpu_record *rec)
{
	/* Pairs with tally_find_slow(): a cell that is counted has its code. */
	u32 i, nr = smp_load_acquire(&rec->tally.nr_cells);

	for (i = 0; i < nr; i++) {
		rec->base.exits[i] = READ_ONCE(rec->tally.cells[i].exits);
		rec->base.cycles[i] = READ_ONCE(rec->tally.cells[i].cycles);
	}
	rec->base.guest_cycles = READ_ONCE(rec->tally.guest_cycles);
	rec->base.untraced = READ_ONCE(rec->tally.untraced);
}

/*
 * Counting starts again. The writers are not touched: what they have counted
 * so far becomes the baseline. VMs that are gone are forgotten.
 */
void registry_reset(void)
{
	struct vcpu_record *rec;
	struct vm_record *vm, *next;
	LIST_HEAD(dead);

	lockdep_assert_held(&registry_mutex);
	collect_dead(0, &dead);
	list_for_each_entry(vm, &vm_records, all)
		list_for_each_entry_rcu(rec, &vm->vcpus, of_vm, true)
			set_base(rec);
	init_vcpu(retired_vcpu, NULL);
	lost_base = lost_since_load();

	if (list_empty(&dead))
		return;
	tracepoint_synchronize_unregister();
	list_for_each_entry_safe(vm, next, &dead, all)
		free_vm(vm);
}

int registry_init(void)
{
	int err = -ENOMEM;

	retired_vcpu = kzalloc(sizeof(*retired_vcpu), GFP_KERNEL);
	if (!retired_vcpu)
		return err;
	init_vcpu(retired_vcpu, NULL);
	vcpu_pool = mempool_create_kmalloc_pool(SPARE_VCPUS, sizeof(struct vcpu_record));
	if (!vcpu_pool)
		goto err_retired;
	vm_pool = mempool_create_kmalloc_pool(SPARE_VMS, sizeof(struct vm_record));
	if (!vm_pool)
		goto err_vcpus;
	return 0;

err_vcpus:
	mempool_destroy(vcpu_pool);
err_retired:
	kfree(retired_vcpu);
	return err;
}

/* No probe is attached or in flight any more, and no reader is left. */
void registry_exit(void)
{
	struct vm_record *vm, *next;

	cancel_work_sync(&evict_work);
	list_for_each_entry_safe(vm, next, &vm_records, all)
		free_vm(vm);
	mempool_destroy(vm_pool);
	mempool_destroy(vcpu_pool);
	kfree(retired_vcpu);
}
