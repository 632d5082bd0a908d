// SPDX-License-Identifier: GPL-2.0-only
/* Which exit codes there are, and which of them KVM handles. */
#include <linux/kernel.h>

#include "compat.h"
#include "exit_codes.h"
#include "uapi/kvmstat.h"

/* Empty where the last is below the first. */
struct codes {
	u32 first, last;
};

/*
 * SDM vol. 3, app. C, without 35, 38, 42 and 65: the contract with guests
 * (uapi/kvmstat.h) has those as undefined, though PCONFIG took 65 since.
 */
static const struct codes vmx_defined[] = {
	{ 0, 34 }, { 36, 37 }, { 39, 41 }, { 43, 64 }, { 66, 70 }, { 72, 81 }, { 84, 85 },
};

/* APM vol. 2, app. C; 0xf0000000 is the host's own. */
static const struct codes svm_defined[] = {
	{ 0x000, 0x0a6 }, { 0x400, 0x403 }, { 0xf0000000, 0xf0000000 }, { -4U, -1U },
};

/* What kvm_vmx_exit_handlers[] has (arch/x86/kvm/vmx/vmx.c). */
static const struct codes vmx_handled[] = {
	{ 0, 2 }, { 7, 10 }, { 12, 15 }, { 18, 32 }, { 36, 37 }, { 39, 41 }, { 43, 50 },
	{ 52, 62 }, { 74, 74 },
	{ 75, KVM_HANDLES_VMX_NOTIFY ? 75 : 0 },
	{ 76, KVM_HANDLES_VMX_SEAMCALL ? 77 : 0 },
	{ 84, KVM_HANDLES_VMX_MSR_IMM ? 85 : 0 },
};

/* What svm_exit_handlers[] has (arch/x86/kvm/svm/svm.c). */
static const struct codes svm_handled[] = {
	{ 0x000, 0x000 }, { 0x003, 0x004 }, { 0x008, 0x008 }, { 0x010, 0x010 },
	{ 0x013, 0x014 }, { 0x018, 0x018 }, { 0x020, 0x027 }, { 0x030, 0x037 },
	{ 0x041, 0x041 }, { 0x043, 0x043 }, { 0x046, 0x046 }, { 0x04d, 0x04e },
	{ 0x051, 0x052 }, { 0x060, 0x062 }, { 0x064, 0x065 }, { 0x06f, 0x06f },
	{ 0x072, 0x074 }, { 0x076, 0x07d }, { 0x07f, 0x087 }, { 0x089, 0x08b },
	{ 0x08d, 0x090 }, { 0x094, 0x094 }, { 0x098, 0x098 }, { 0x0a2, 0x0a2 },
	{ 0x0a5, KVM_HANDLES_SVM_BUS_LOCK ? 0x0a5 : 0 },
	{ 0x0a6, KVM_HANDLES_SVM_IDLE_HLT ? 0x0a6 : 0 },
	{ 0x400, 0x403 },
};

static bool any_has(const struct codes *ranges, size_t nr, u32 code)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

#define HAS(ranges, code) any_has(ranges, ARRAY_SIZE(ranges), code)

enum exit_code_state exit_code_state(u32 isa, u32 code)
{
	bool svm = isa == KVMSTAT_ISA_SVM;

	if (!(svm ? HAS(svm_defined, code) : HAS(vmx_defined, code)))
		return EXIT_CODE_UNDEFINED;
	return (svm ? HAS(svm_handled, code) : HAS(vmx_handled, code)) ?
	       EXIT_CODE_HANDLED : EXIT_CODE_NOT_HANDLED;
}
