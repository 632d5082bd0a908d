/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What bpf/ takes from libbpf's header of this name. The kernel's types are laid out
 * here: what bpf/kernel.h has as several flavours of one type lies side by side, and
 * a flavour's fields are moved to their place as libbpf would move them.
 */
#ifndef BPF_USER_CORE_READ_H
#define BPF_USER_CORE_READ_H

#include <stddef.h>

#include "../../../../bpf/kernel.h"

struct fake_vcpu {
	struct kvm_vcpu kvm;
	struct kvm_vcpu___word word;
	struct kvm_vcpu___bitmap bitmap;
	struct vcpu_svm svm;
	struct vcpu_vmx vmx;
	struct vcpu_vmx___flat flat;
	struct vcpu_vmx___vt vt;
	struct kvm_run run;
	struct task_struct task;
	unsigned char vmcb[2][0x80];	/* of L1, of L2 */
	u32 cpu;
};

/* Which of the flavours this kernel has. */
extern bool fake_newer;

#define POINTS_TO(p, type) __builtin_types_compatible_p(__typeof__(p), struct type *)
#define PLACE(p) (							\
	POINTS_TO(p, kvm_vcpu___word) * offsetof(struct fake_vcpu, word) + \
	POINTS_TO(p, kvm_vcpu___bitmap) * offsetof(struct fake_vcpu, bitmap) + \
	POINTS_TO(p, vcpu_svm) * offsetof(struct fake_vcpu, svm) +	\
	POINTS_TO(p, vcpu_vmx) * offsetof(struct fake_vcpu, vmx) +	\
	POINTS_TO(p, vcpu_vmx___flat) * offsetof(struct fake_vcpu, flat) + \
	POINTS_TO(p, vcpu_vmx___vt) * offsetof(struct fake_vcpu, vt))
#define PLACE_OF(type) PLACE((type *)0)
#define MOVED(p) ((__typeof__(p))((u64)(p) + PLACE(p)))

#define BPF_CORE_READ(p, field) (MOVED(p)->field)
#define bpf_core_field_offset(type, field) (PLACE_OF(type) + offsetof(type, field))
#define bpf_core_type_exists(type) (sizeof(type) > 0)
#define bpf_core_field_exists(type, field)				\
	(POINTS_TO((type *)0, kvm_vcpu___word) ||			\
	 POINTS_TO((type *)0, vcpu_vmx___flat) ? !fake_newer : fake_newer)
#define FAKE_HAS_VCPU_EXREG_EXIT_INFO_1 (!fake_newer)
#define FAKE_HAS_VCPU_REG_EXIT_INFO_1 fake_newer
#define bpf_core_enum_value_exists(type, value) FAKE_HAS_##value
#define bpf_core_enum_value(type, value) value

#endif
