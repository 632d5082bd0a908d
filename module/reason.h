/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a vCPU exited, read where the CPU left it. */
#ifndef KVMSTAT_REASON_H
#define KVMSTAT_REASON_H

#include <linux/kvm_host.h>
#include <asm/svm.h>
#include <asm/vmx.h>

#include "tally.h"
#include "uapi/kvmstat.h"

/*
 * The fast way reads the hardware's own field; KVM's accessor for it costs an
 * indirect call and fetches five fields. Each vCPU's first exits are read
 * both ways: where they differ (a kernel that moved things about, a TD whose
 * VMCS is out of reach), that vCPU's exits go through the accessor.
 */
enum reason_way { REASON_CHECKING, REASON_FAST, REASON_ACCESSOR };

struct reason_source {
	u32 way;		/* enum reason_way */
	u32 checked;		/* exits read both ways so far */
};

/* struct vcpu_svm (arch/x86/kvm/svm/svm.h, not in the headers) starts so. */
struct reason_vcpu_svm {
	struct kvm_vcpu vcpu;
	struct vmcb *vmcb;
};

static inline struct vmcb *reason_vmcb(struct kvm_vcpu *vcpu)
{
	return ((struct reason_vcpu_svm *)vcpu)->vmcb;
}

/*
 * SVM: EXITCODE is 64 bits wide (APM vol. 2, 15.6), but only its low half
 * tells codes apart; a failed VMRUN is -1.
 */
static inline u64 reason_read_svm(struct kvm_vcpu *vcpu)
{
#ifdef KVMSTAT_WRONG_REASON	/* a test builds this, to see it noticed */
	return *(u32 *)&reason_vmcb(vcpu)->control.exit_code ^ 1;
#else
	return *(u32 *)&reason_vmcb(vcpu)->control.exit_code;
#endif
}

static inline unsigned long reason_vmread(unsigned long field)
{
	unsigned long value = 0;

	asm volatile("vmread %1, %0" : "+r" (value) : "r" (field) : "cc");
	return value;
}

/*
 * VMX: the VMCS of the vCPU is current from its load to its put, so between
 * exit and entry VMREAD gives its exit reason (SDM vol. 3, 25.9.1): the basic
 * reason in bits 15:0, flags above. All of it is the code, as it is in the
 * kvm_exit event.
 */
static inline u64 reason_read_vmx(void)
{
#ifdef KVMSTAT_WRONG_REASON
	return (u32)reason_vmread(VM_EXIT_REASON) ^ 1;
#else
	return (u32)reason_vmread(VM_EXIT_REASON);
#endif
}

/* Where that way can be trusted. */
static __always_inline u64 reason_read_fast(struct kvm_vcpu *vcpu, u32 isa)
{
	return likely(isa == KVMSTAT_ISA_SVM) ? reason_read_svm(vcpu) : reason_read_vmx();
}

u32 reason_read(struct kvm_vcpu *vcpu, u32 isa, struct reason_source *source);

/* The exit was from L2, a guest of this guest. */
static inline bool reason_from_l2(struct kvm_vcpu *vcpu)
{
	return vcpu->arch.hflags & HF_GUEST_MASK;
}

/* What the exit tells besides its code, as the tally's key. */
u64 reason_key(struct kvm_vcpu *vcpu, u32 code, u32 isa);

/* The key's code as the ABI has it. */
u64 reason_abi_code(u64 key);

u32 reason_isa(void);		/* KVMSTAT_ISA_* of the last vCPU that came */
bool reason_by_accessor(void);	/* for any vCPU so far */

int reason_init(void);
void reason_exit(void);

#endif
