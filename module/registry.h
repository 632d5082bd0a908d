/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMs and vCPUs that were seen, alive or gone.
 *
 * A vCPU gets its record at its first VM entry or exit, and is found again by
 * its struct kvm_vcpu * in a hash table. When KVM destroys the VM its vCPUs are
 * taken out of the table at once, because the next vCPU may get the same
 * address; their records stay with the VM's. Of VMs that are gone the latest 'history' ones are
 * kept, the others are added up in one retired VM.
 *
 * A reset clears nothing itself: it hides every record from registry_find(),
 * and each vCPU clears its own at its next event. Until then whoever reads takes
 * its counters for 0.
 */
#ifndef KVMSTAT_REGISTRY_H
#define KVMSTAT_REGISTRY_H

#include <linux/kvm_host.h>
#include <linux/mutex.h>
#include <linux/percpu-defs.h>
#include <linux/rculist.h>
#include <linux/sched.h>

#include "reason.h"
#include "spaces.h"
#include "tally.h"

struct vcpu_record {
	struct hlist_node hash;		/* in vcpu_table, while the vCPU lives */
	struct kvm_vcpu *match;		/* the vCPU; NULL: to be restarted first */
	struct kvm_vcpu *fast_match;	/* and its reasons may be read the fast way */
	struct reason_source reason;
	struct tally tally;
	struct kvm_vcpu *vcpu;
	u64 generation;			/* its counters are of; older than 'generation': all 0 */
	u64 uncounted;			/* KVM's own 'exits' less ours when it began */
	bool compared;			/* 'uncounted' is known */
	struct task_struct *runner;	/* whose events are the vCPU's; only ever compared */
	struct list_head of_vm;		/* in vm_record.vcpus */
	struct vm_record *vm;
	int vcpu_id;
	struct spaces spaces;		/* of guest_spaces.c */
};

struct vm_record {
	struct list_head all;		/* in vm_records, oldest first */
	struct list_head leaving;	/* off that list, before it is freed */
	struct hlist_node hash;		/* in vm_table, while the VM lives */
	struct kvm *key;		/* NULL once it is gone */
	struct list_head vcpus;		/* only ever grows */
	u64 id;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/*
 * Serialises those who read (snapshot), set the baseline (reset) and remove
 * records (eviction). Outermost: registry_lock nests inside. The hot path
 * takes neither.
 */
extern struct mutex registry_mutex;

/* Walked under registry_mutex or RCU; the others only append. */
extern struct list_head vm_records;
/* VMs that are no longer kept one by one, in sum; under registry_mutex. */
extern struct vcpu_record *retired_vcpu;

/* One per reset. Changed under registry_mutex and the registry's lock. */
extern u64 generation;

/*
 * The record of the vCPU whose KVM_RUN this CPU is in, or that of nobody, which
 * matches none. So it is found at once, whatever the number of vCPUs.
 */
DECLARE_PER_CPU(struct vcpu_record *, vcpu_in_run);
extern struct vcpu_record nobody;

extern unsigned int history;

/* The record of a vCPU, or NULL before its first event and after a reset. */
struct vcpu_record *registry_find(struct kvm_vcpu *vcpu);

/* The same for the vCPU's own thread, for any vCPU. NULL: there is no memory. */
struct vcpu_record *registry_get(struct kvm_vcpu *vcpu);
/* From now on 'fast_match' is set, until a reset. */
void registry_trust(struct vcpu_record *rec);

/* Whether the record's counters are of the time since the last reset. */
static inline bool registry_current(const struct vcpu_record *rec)
{
	/* Pairs with registry_get(): the counters were cleared before. */
	return smp_load_acquire(&rec->generation) == generation;
}

struct registry_sum {
	u64 exits;
	u64 kernel_cycles;	/* of exits that are over */
};

/*
 * The exits with (key & mask) == value: of all vCPUs of this one's VM, or of
 * every VM. Not one instant, as a snapshot is not, but takes no lock, so that
 * it may be called with preemption off (as it has to be) and anything held. A
 * VM that goes from the history into the sum of all such is in neither of them
 * for a moment.
 */
struct registry_sum registry_sum_of_vm(struct kvm_vcpu *vcpu, u64 mask, u64 value);
struct registry_sum registry_sum_of_all(u64 mask, u64 value);

/* False: nothing is added to its counters any more. */
static inline bool registry_alive(const struct vm_record *vm)
{
	/* Pairs with registry_vm_gone(): whoever sees that it is gone sees its last counts. */
	return smp_load_acquire(&vm->key);
}

/* 'last_look' at each of its vCPUs, while KVM still has them. */
void registry_vm_gone(struct kvm *kvm, void (*last_look)(struct vcpu_record *rec));
void registry_reset(void);

void registry_count_lost(void);
u64 registry_lost(void);

int registry_init(void);
void registry_exit(void);

#endif
