/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's types as far as they are looked at. libbpf finds where the fields
 * are in the BTF of the kernel that runs (CO-RE); what differs between kernels is
 * a flavour here (its name ends in ___…), and asked for by bpf_core_field_exists().
 */
#ifndef KVMSTAT_BPF_KERNEL_H
#define KVMSTAT_BPF_KERNEL_H

#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pid;

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct signal_struct {
	struct {
		int counter;
	} live;		/* threads */
};

struct task_struct {
	int tgid;
	char comm[16];
	struct task_struct *group_leader;
	struct signal_struct *signal;
	struct pid *thread_pid;
	struct hlist_head preempt_notifiers;
};

struct preempt_notifier {
	struct hlist_node link;
};

struct kvm;

struct kvm_run {
	u32 exit_reason;
	struct {
		u64 hardware_entry_failure_reason;
	} fail_entry;
};

struct kvm_vcpu_stat {
	u64 exits;
};

struct kvm_vcpu {
	struct kvm *kvm;
	struct preempt_notifier preempt_notifier;
	int vcpu_id;
	struct kvm_run *run;
	struct pid *pid;
	struct kvm_vcpu_stat stat;
};

/* Which registers of a vCPU KVM has read since the exit: bits by enum kvm_reg. */
struct kvm_vcpu_arch___word {
	u32 regs_avail;
};
struct kvm_vcpu___word {
	struct kvm_vcpu_arch___word arch;
};
/* Since 7.1 */
struct kvm_vcpu_arch___bitmap {
	unsigned long regs_avail[1];
};
struct kvm_vcpu___bitmap {
	struct kvm_vcpu_arch___bitmap arch;
};
enum kvm_reg {
	VCPU_EXREG_EXIT_INFO_1,
	VCPU_EXREG_EXIT_INFO_2,
};
enum kvm_reg___bitmap {
	VCPU_REG_EXIT_INFO_1,
	VCPU_REG_EXIT_INFO_2,
};

struct vmcb;

struct kvm_vmcb_info {
	struct vmcb *ptr;
};

struct vcpu_svm {
	struct vmcb *vmcb;
	struct kvm_vmcb_info vmcb01;
};

struct loaded_vmcs {
	int cpu;
};

union vmx_exit_reason {
	u32 full;
};

struct vcpu_vmx {
	struct loaded_vmcs vmcs01;	/* of L1 */
	struct loaded_vmcs *loaded_vmcs;
};

/* The last exit, up to 6.15 */
struct vcpu_vmx___flat {
	union vmx_exit_reason exit_reason;
	unsigned long exit_qualification;
	u32 exit_intr_info;
};
/* … and since, shared with TDX */
struct vcpu_vt___vt {
	union vmx_exit_reason exit_reason;
	unsigned long exit_qualification;
	u32 exit_intr_info;
};
struct vcpu_vmx___vt {
	struct vcpu_vt___vt vt;
};

#pragma clang attribute pop

#endif
