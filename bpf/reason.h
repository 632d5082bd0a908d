/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a vCPU exited. SVM: from the VMCB, where the CPU put it. VMX: BPF has no
 * VMREAD, but KVM has read the exit reason into struct vcpu_vmx before it tells of
 * the exit, and what else the exit tells by the time it has handled it.
 */
#ifndef KVMSTAT_BPF_REASON_H
#define KVMSTAT_BPF_REASON_H

#include "maps.h"

#include <bpf/bpf_core_read.h>

#include "../module/uapi/kvmstat.h"

/* APM vol. 2, app. B */
#define VMCB_EXITCODE	0x70
#define VMCB_EXITINFO1	0x78

#define SVM_MSR		0x07c
#define SVM_NPF		0x400
#define VMX_EXCEPTION_NMI	0
#define VMX_CR_ACCESS		28
#define VMX_EPT_VIOLATION	48

#define KVM_EXIT_FAIL_ENTRY	9

/* APM vol. 2, app. C; SDM vol. 3, app. C: a vCPU that exits so has a guest of its own. */
#define SVM_VMRUN	0x080
#define VMX_VMLAUNCH	20
#define VMX_VMRESUME	24

static __always_inline bool known_kvm(void)
{
	return bpf_core_type_exists(struct kvm_vcpu);
}

static __always_inline u64 svm_vmcb(u64 vcpu)
{
	if (!bpf_core_type_exists(struct vcpu_svm))
		return 0;
	return (u64)BPF_CORE_READ((struct vcpu_svm *)vcpu, vmcb);
}

static __always_inline u64 vmx_reason_offset(void)
{
	if (bpf_core_field_exists(struct vcpu_vmx___vt, vt))
		return bpf_core_field_offset(struct vcpu_vmx___vt, vt.exit_reason);
	if (bpf_core_field_exists(struct vcpu_vmx___flat, exit_reason))
		return bpf_core_field_offset(struct vcpu_vmx___flat, exit_reason);
	return 0;
}

/* Where the code of the last exit is; 0: this kernel's types do not tell. */
static __always_inline u64 reason_address(u64 vcpu, u32 isa)
{
	u64 vmcb;

	if (isa == KVMSTAT_ISA_VMX)
		return vmx_reason_offset() ? vcpu + vmx_reason_offset() : 0;
	vmcb = isa == KVMSTAT_ISA_SVM ? svm_vmcb(vcpu) : 0;
	return vmcb ? vmcb + VMCB_EXITCODE : 0;
}

/*
 * From a guest of the guest: then another VMCB or VMCS than L1's is in use. (KVM's
 * own flag is HF_GUEST_MASK, which is not the same in all kernels, nor in the BTF.)
 */
static __always_inline bool from_l2(u64 vcpu, u32 isa)
{
	if (isa == KVMSTAT_ISA_SVM && bpf_core_type_exists(struct vcpu_svm))
		return BPF_CORE_READ((struct vcpu_svm *)vcpu, vmcb) !=
		       BPF_CORE_READ((struct vcpu_svm *)vcpu, vmcb01.ptr);
	if (isa == KVMSTAT_ISA_VMX && bpf_core_type_exists(struct vcpu_vmx))
		return (u64)BPF_CORE_READ((struct vcpu_vmx *)vcpu, loaded_vmcs) !=
		       vcpu + bpf_core_field_offset(struct vcpu_vmx, vmcs01);
	return false;
}

static __always_inline bool enters_nested(u32 isa, u32 code)
{
	return isa == KVMSTAT_ISA_SVM ? code == SVM_VMRUN :
					code == VMX_VMLAUNCH || code == VMX_VMRESUME;
}

static __always_inline u64 key_of(u32 code, u64 detail, bool l2)
{
	return code | detail << KEY_DETAIL_SHIFT | (l2 ? KEY_L2 : 0);
}

/* APM vol. 2, 15.11 and 15.25.6 */
static __always_inline u64 svm_detail(u32 code, u64 info_1)
{
	if (code == SVM_MSR)
		return info_1 & 1 ? KVMSTAT_DETAIL_WRITE : KVMSTAT_DETAIL_READ;
	if (code != SVM_NPF)
		return KVMSTAT_DETAIL_NONE;
	if (info_1 & 8)
		return KVMSTAT_DETAIL_MMIO;
	return info_1 & 1 ? KVMSTAT_DETAIL_PROTECT : KVMSTAT_DETAIL_TOUCH;
}

static __always_inline bool vmx_has_detail(u32 code)
{
	return code == VMX_EXCEPTION_NMI || code == VMX_CR_ACCESS || code == VMX_EPT_VIOLATION;
}

/* Qualifications: SDM vol. 3, tables 28-3 and 28-7. */
static __always_inline u64 vmx_detail(u32 code, u64 qualification, u32 intr_info)
{
	switch (code) {
	case VMX_EXCEPTION_NMI:
		return KVMSTAT_DETAIL_VECTOR + (intr_info & 0xff);
	case VMX_CR_ACCESS:
		return KVMSTAT_DETAIL_CR + (qualification & 0x3f);
	case VMX_EPT_VIOLATION:
		return qualification & 7 << 3 ? KVMSTAT_DETAIL_PROTECT : KVMSTAT_DETAIL_TOUCH;
	default:
		return KVMSTAT_DETAIL_NONE;
	}
}

/* KVM has read what it keeps as register 'info_1' or 'info_2' since the exit. */
static __always_inline bool vmx_have(u64 vcpu, bool info_1)
{
	u64 avail = 0;
	u32 bit = 0;

	if (bpf_core_enum_value_exists(enum kvm_reg___bitmap, VCPU_REG_EXIT_INFO_1))
		bit = info_1 ? bpf_core_enum_value(enum kvm_reg___bitmap, VCPU_REG_EXIT_INFO_1) :
			       bpf_core_enum_value(enum kvm_reg___bitmap, VCPU_REG_EXIT_INFO_2);
	else if (bpf_core_enum_value_exists(enum kvm_reg, VCPU_EXREG_EXIT_INFO_1))
		bit = info_1 ? bpf_core_enum_value(enum kvm_reg, VCPU_EXREG_EXIT_INFO_1) :
			       bpf_core_enum_value(enum kvm_reg, VCPU_EXREG_EXIT_INFO_2);
	if (bpf_core_field_exists(struct kvm_vcpu___word, arch.regs_avail))
		avail = BPF_CORE_READ((struct kvm_vcpu___word *)vcpu, arch.regs_avail);
	else if (bpf_core_field_exists(struct kvm_vcpu___bitmap, arch.regs_avail))
		avail = BPF_CORE_READ((struct kvm_vcpu___bitmap *)vcpu, arch.regs_avail[0]);
	return avail >> (bit & 63) & 1;
}

/*
 * What an exit told besides its code, later. Of an exit from L2 that KVM passed on
 * to L1 it has read it, too, but does not own it any more.
 */
static __always_inline u64 vmx_detail_read(u64 vcpu, u32 code, bool l2)
{
	u64 qualification = 0;
	u32 intr_info = 0;

	if (!l2 && !vmx_have(vcpu, code != VMX_EXCEPTION_NMI))
		return KVMSTAT_DETAIL_NONE;
	if (bpf_core_field_exists(struct vcpu_vmx___vt, vt)) {
		qualification = BPF_CORE_READ((struct vcpu_vmx___vt *)vcpu, vt.exit_qualification);
		intr_info = BPF_CORE_READ((struct vcpu_vmx___vt *)vcpu, vt.exit_intr_info);
	} else if (bpf_core_field_exists(struct vcpu_vmx___flat, exit_qualification)) {
		qualification = BPF_CORE_READ((struct vcpu_vmx___flat *)vcpu, exit_qualification);
		intr_info = BPF_CORE_READ((struct vcpu_vmx___flat *)vcpu, exit_intr_info);
	}
	return vmx_detail(code, qualification, intr_info);
}

#endif
