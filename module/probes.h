/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens at each event. These are called by tracepoints: probe_switch()
 * with the runqueue's lock held, probe_entry() and (but for SVM up to 6.11)
 * probe_exit() with interrupts off. Since 7.0 a tracepoint does not switch
 * preemption off by itself; the others do it.
 */
#ifndef KVMSTAT_PROBES_H
#define KVMSTAT_PROBES_H

#include <linux/types.h>

struct kvm_vcpu;
struct task_struct;
struct vcpu_record;

/* kvm: kvm_exit, kvm_entry; the latter as kernels up to 6.9, and since, have it */
void probe_exit(void *data, struct kvm_vcpu *vcpu, u32 isa);
void probe_entry(void *data, struct kvm_vcpu *vcpu);
void probe_entry_immediate(void *data, struct kvm_vcpu *vcpu, bool force_immediate_exit);

/*
 * kvm: kvm_fpu, in KVM_RUN just after it got hold of the vCPU (load) and just
 * before it lets go; kvm_userspace_exit, the last thing it does
 */
void probe_fpu(void *data, int load);
void probe_userspace_exit(void *data, u32 reason, int error);

/* Its VM is about to be destroyed; no other probe is called for it any more. */
void probe_last_look(struct vcpu_record *rec);

/* sched_switch */
void probe_switch(void *data, bool preempt, struct task_struct *prev,
		  struct task_struct *next, unsigned int prev_state);

#endif
