/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMs and vCPUs that were seen, alive or gone.
 *
 * A vCPU gets its record at its first VM entry or exit, and is found again by
 * its struct kvm_vcpu * in a hash table. When KVM destroys the VM its vCPUs are
 * taken out of the table at once, because the next vCPU may get the same
 * address; their records stay with the VM's. Of VMs that are gone the latest 'history' ones are
 * kept, the others are added up in one retired VM.
 */
#ifndef KVMSTAT_REGISTRY_H
#define KVMSTAT_REGISTRY_H

#include <linux/hash.h>
#include <linux/kvm_host.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/sched.h>

#include "tally.h"

/* Values at the last reset, subtracted by whoever reads. */
struct tally_base {
	u64 guest_cycles;
	u64 untraced;
	u64 exits[TALLY_CELLS];
	u64 cycles[TALLY_CELLS];
};

struct vcpu_record {
	struct hlist_node hash;		/* in vcpu_table, while the vCPU lives */
	struct kvm_vcpu *key;
	struct tally tally;
	struct tally_base base;		/* under registry_mutex */
	struct list_head of_vm;		/* in vm_record.vcpus */
	struct vm_record *vm;
	int vcpu_id;
};

struct vm_record {
	struct list_head all;		/* in vm_records, oldest first */
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

/* Walked under registry_mutex; the others only append, with RCU's ordering. */
extern struct list_head vm_records;
/* VMs that are no longer kept one by one, in sum; under registry_mutex. */
extern struct vcpu_record *retired_vcpu;

extern unsigned int history;

#define VCPU_TABLE_BITS	12
extern struct hlist_head vcpu_table[1 << VCPU_TABLE_BITS];

/* The record of a vCPU, or NULL before its first event. In a tracepoint. */
static __always_inline struct vcpu_record *registry_find(struct kvm_vcpu *vcpu)
{
	struct vcpu_record *rec;

	hlist_for_each_entry_rcu_notrace(rec, &vcpu_table[hash_ptr(vcpu, VCPU_TABLE_BITS)], hash)
		if (likely(rec->key == vcpu))
			return rec;
	return NULL;
}

struct vcpu_record *registry_add(struct kvm_vcpu *vcpu);
void registry_vm_gone(struct kvm *kvm);
void registry_reset(void);

void registry_count_lost(void);
u64 registry_lost(void);

int registry_init(void);
void registry_exit(void);

#endif
