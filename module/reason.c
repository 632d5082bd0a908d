// SPDX-License-Identifier: GPL-2.0-only
/* Why a vCPU exited: KVM's own accessor, and what an exit tells besides its code. */
#define pr_fmt(fmt) "kvmstat: " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include "reason.h"

/* Bits 5:3 of an EPT violation's qualification: readable, writable, executable. */
#define EPT_MAPPED (7UL << 3)

/* So many exits of each vCPU are read both ways. */
#define CHECKS 32

/*
 * kvm_x86_ops.get_exit_info of each vendor module. A static call, because a
 * direct call needs no retpoline and no ENDBR at its target. One each: a module
 * for CPUs that these are not comes, too, if only to find that out and go.
 */
DEFINE_STATIC_CALL_NULL(exit_info_svm, *((struct kvm_x86_ops *)NULL)->get_exit_info);
DEFINE_STATIC_CALL_NULL(exit_info_vmx, *((struct kvm_x86_ops *)NULL)->get_exit_info);

static bool have_svm, have_vmx;		/* the one above */
static bool said;
static u32 seen_isa;

/* 'fast' where there is no accessor. */
static u32 by_accessor(struct kvm_vcpu *vcpu, u32 isa, u32 fast)
{
	u32 reason = fast, intr_info = 0, error_code = 0;
	u64 info1 = 0, info2 = 0;

	if (isa == KVMSTAT_ISA_SVM && READ_ONCE(have_svm))
		static_call_cond(exit_info_svm)(vcpu, &reason, &info1, &info2, &intr_info,
						&error_code);
	else if (isa == KVMSTAT_ISA_VMX && READ_ONCE(have_vmx))
		static_call_cond(exit_info_vmx)(vcpu, &reason, &info1, &info2, &intr_info,
						&error_code);
	return reason;
}

static void fall_back(struct reason_source *source, u32 isa, u32 fast, u32 reason)
{
	source->way = REASON_ACCESSOR;
	if (said)
		return;
	said = true;
	pr_notice("%s exit reason is %#x, KVM says %#x: its accessor is used from here on, at some 100 instructions an exit\n",
		  isa == KVMSTAT_ISA_SVM ? "VMCB: the" : "VMCS: the", fast, reason);
}

u32 reason_read(struct kvm_vcpu *vcpu, u32 isa, struct reason_source *source)
{
	u32 fast = reason_read_fast(vcpu, isa), reason;

	if (source->way == REASON_FAST)
		return fast;
	reason = by_accessor(vcpu, isa, fast);
	if (source->way == REASON_ACCESSOR)
		return reason;
	WRITE_ONCE(seen_isa, isa);
	if (reason != fast)
		fall_back(source, isa, fast, reason);
	else if (++source->checked >= CHECKS)
		source->way = REASON_FAST;
	return reason;
}

/* EXITINFO1 is the page fault's error code (APM vol. 2, 15.25.6). */
static u32 npf_detail(u64 error_code)
{
	if (error_code & PFERR_RSVD_MASK)
		return KVMSTAT_DETAIL_MMIO;
	return error_code & PFERR_PRESENT_MASK ? KVMSTAT_DETAIL_PROTECT : KVMSTAT_DETAIL_TOUCH;
}

static u32 svm_detail(const struct vmcb_control_area *control, u32 code)
{
	switch (code) {
	case SVM_EXIT_MSR:	/* APM vol. 2, 15.11 */
		return control->exit_info_1 & 1 ? KVMSTAT_DETAIL_WRITE : KVMSTAT_DETAIL_READ;
	case SVM_EXIT_NPF:
		return npf_detail(control->exit_info_1);
	default:
		return KVMSTAT_DETAIL_NONE;
	}
}

/* Qualifications: SDM vol. 3, tables 28-3 and 28-7. */
static u32 vmx_detail(u32 code)
{
	switch (code) {
	case EXIT_REASON_EXCEPTION_NMI:
		return KVMSTAT_DETAIL_VECTOR +
		       (reason_vmread(VM_EXIT_INTR_INFO) & INTR_INFO_VECTOR_MASK);
	case EXIT_REASON_CR_ACCESS:
		return KVMSTAT_DETAIL_CR + (reason_vmread(EXIT_QUALIFICATION) & 0x3f);
	case EXIT_REASON_EPT_VIOLATION:
		return reason_vmread(EXIT_QUALIFICATION) & EPT_MAPPED ?
		       KVMSTAT_DETAIL_PROTECT : KVMSTAT_DETAIL_TOUCH;
	default:
		return KVMSTAT_DETAIL_NONE;
	}
}

u64 reason_key(struct kvm_vcpu *vcpu, u32 code, u32 isa)
{
	u64 detail = isa == KVMSTAT_ISA_SVM ? svm_detail(&reason_vmcb(vcpu)->control, code) :
					      vmx_detail(code);

	return code | detail << TALLY_DETAIL_SHIFT | (reason_from_l2(vcpu) ? TALLY_L2 : 0);
}

u64 reason_abi_code(u64 key)
{
	u32 code = TALLY_CODE(key);

	if (key & TALLY_OTHER)
		return KVMSTAT_CODE_OTHER;
	if (key & TALLY_NO_REASON)
		return KVMSTAT_CODE_UNTRACED;
	/* SVM's software and error codes are small negative 64-bit numbers. */
	return code >= 0xfffffff0 ? (u64)(s64)(s32)code : code;
}

u32 reason_isa(void)
{
	return READ_ONCE(seen_isa);
}

bool reason_by_accessor(void)
{
	return READ_ONCE(said);
}

/* A kprobe that is registered, though not armed, tells where its symbol is. */
static void *address_of(const char *symbol)
{
	struct kprobe probe = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };
	void *address;

	if (register_kprobe(&probe))
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

/* With TDX the accessor of kvm_intel is vt_…, which asks what kind of guest it is. */
static void find_svm(void)
{
	void *address = address_of("svm_get_exit_info");

	if (!address)
		return;
	static_call_update(exit_info_svm, address);
	WRITE_ONCE(have_svm, true);
}

static void find_vmx(void)
{
	void *address = address_of("vt_get_exit_info") ?: address_of("vmx_get_exit_info");

	if (!address)
		return;
	static_call_update(exit_info_vmx, address);
	WRITE_ONCE(have_vmx, true);
}

/* No vCPU of that kind is there before its vendor module came, or after it went. */
static void forget(bool *have)
{
	WRITE_ONCE(*have, false);
}

static int vendor_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct module *mod = data;
	bool svm = !strcmp(mod->name, "kvm_amd");

	if (!svm && strcmp(mod->name, "kvm_intel"))
		return NOTIFY_OK;
	if (event == MODULE_STATE_COMING)
		svm ? find_svm() : find_vmx();
	else if (event == MODULE_STATE_GOING)
		forget(svm ? &have_svm : &have_vmx);
	return NOTIFY_OK;
}

static struct notifier_block vendor_notifier = { .notifier_call = vendor_event };

int reason_init(void)
{
	int err = register_module_notifier(&vendor_notifier);

	if (err)
		return err;
	/* They may be there already, or built in. */
	find_svm();
	find_vmx();
	return 0;
}

void reason_exit(void)
{
	unregister_module_notifier(&vendor_notifier);
}
