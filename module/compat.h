/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that differs between kernels, each difference under a name that
 * says what it is. Nothing else in the module looks at the kernel's version.
 */
#ifndef KVMSTAT_COMPAT_H
#define KVMSTAT_COMPAT_H

#include <uapi/asm/svm.h>
#include <uapi/asm/vmx.h>
#include <linux/btf.h>
#include <linux/kvm_host.h>
#include <linux/stddef.h>
#include <linux/version.h>
#include <asm/svm.h>

/*
 * kvm_exit(vcpu, isa), without the reason as first argument: since 5.16,
 * commit 0a62a0319abb ("KVM: x86: Get exit_reason as part of
 * kvm_x86_ops.get_exit_info"). Distributions backport across version numbers,
 * so this only stops what certainly cannot work; btf.c finds out the truth.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 16, 0)
#error "kvmstat needs a kernel of 5.16 or later (kvm_exit(vcpu, isa))"
#endif

/* A vCPU's record is allocated where an RT kernel's allocator may not be called. */
#ifdef CONFIG_PREEMPT_RT
#error "kvmstat does not work on PREEMPT_RT kernels yet"
#endif

#ifndef CONFIG_X86_64
#error "kvmstat is for x86-64"
#endif

/*
 * What every BTF header has, up to the strings. struct btf_header has grown
 * (7.2 knows of a layout section), yet such a kernel's own BTF may go without.
 */
#define BTF_HEADER_MIN	offsetofend(struct btf_header, str_len)

/* The thread that was last in KVM_RUN. Up to 6.12 the pointer is __rcu; nobody follows it. */
static inline const struct pid *vcpu_pid(const struct kvm_vcpu *vcpu)
{
	return (__force const struct pid *)READ_ONCE(vcpu->pid);
}

/*
 * Nested paging is in use. Bit 0 of the VMCB's field at 0x90 (APM vol. 2, app. B),
 * which the kernel calls by the APM's name since 7.0.
 */
static inline bool vmcb_nested_paging(const struct vmcb *vmcb)
{
#ifdef SVM_MISC_ENABLE_NP
	return vmcb->control.misc_ctl & SVM_MISC_ENABLE_NP;
#else
	return vmcb->control.nested_ctl & SVM_NESTED_CTL_NP_ENABLE;
#endif
}

/*
 * Exit codes that KVM came to handle later: each got its name in the UAPI header
 * together with its handler, but for TDCALL, whose handler came with SEAMCALL's.
 */
#ifdef SVM_EXIT_BUS_LOCK
#define KVM_HANDLES_SVM_BUS_LOCK	1
#else
#define KVM_HANDLES_SVM_BUS_LOCK	0
#endif
#ifdef SVM_EXIT_IDLE_HLT
#define KVM_HANDLES_SVM_IDLE_HLT	1
#else
#define KVM_HANDLES_SVM_IDLE_HLT	0
#endif
#ifdef EXIT_REASON_NOTIFY
#define KVM_HANDLES_VMX_NOTIFY		1
#else
#define KVM_HANDLES_VMX_NOTIFY		0
#endif
#ifdef EXIT_REASON_SEAMCALL
#define KVM_HANDLES_VMX_SEAMCALL	1
#else
#define KVM_HANDLES_VMX_SEAMCALL	0
#endif
#ifdef EXIT_REASON_MSR_READ_IMM
#define KVM_HANDLES_VMX_MSR_IMM		1
#else
#define KVM_HANDLES_VMX_MSR_IMM		0
#endif

#endif
