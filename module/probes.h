/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens at each event. These are called by tracepoints: with
 * preemption off, some with interrupts off, and probe_switch() with the
 * runqueue's lock held.
 */
#ifndef KVMSTAT_PROBES_H
#define KVMSTAT_PROBES_H

#include <linux/types.h>

struct kvm_vcpu;
struct task_struct;

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

/* sched_switch */
void probe_switch(void *data, bool preempt, struct task_struct *prev,
		  struct task_struct *next, unsigned int prev_state);

#endif
