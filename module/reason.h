/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a vCPU exited, read where the CPU left it. */
#ifndef KVMSTAT_REASON_H
#define KVMSTAT_REASON_H

#include <linux/kvm_host.h>
#include <asm/svm.h>
#include <asm/vmx.h>

#include "uapi/kvmstat.h"

/* struct vcpu_svm (arch/x86/kvm/svm/svm.h, not in the headers) starts so. */
struct reason_vcpu_svm {
	struct kvm_vcpu vcpu;
	struct vmcb *vmcb;
};

/*
 * SVM: EXITCODE is 64 bits wide (APM vol. 2, 15.6), but only its low half
 * tells codes apart; a failed VMRUN is -1.
 */
static inline u32 reason_read_svm(struct kvm_vcpu *vcpu)
{
	struct vmcb *vmcb = ((struct reason_vcpu_svm *)vcpu)->vmcb;

	return *(u32 *)&vmcb->control.exit_code;
}

/*
 * VMX: the VMCS of the vCPU is current from its load to its put, so between
 * exit and entry VMREAD gives its exit reason (SDM vol. 3, 25.9.1): the basic
 * reason in bits 15:0, flags above. All of it is the code, as it is in the
 * kvm_exit event.
 */
static inline u32 reason_read_vmx(void)
{
	unsigned long reason;

	asm volatile("vmread %1, %0" : "=r" (reason) : "r" ((unsigned long)VM_EXIT_REASON) : "cc");
	return reason;
}

static inline u32 reason_read(struct kvm_vcpu *vcpu, u32 isa)
{
	return likely(isa == KVMSTAT_ISA_SVM) ? reason_read_svm(vcpu) : reason_read_vmx();
}

/* The code as the ABI has it, from the 32 bits that were read. */
static inline u64 reason_abi_code(u64 raw)
{
	/* SVM's software and error codes are small negative 64-bit numbers. */
	if (raw >= 0xfffffff0 && raw <= 0xffffffff)
		return (u64)(s64)(s32)raw;
	return raw;
}

#endif
