// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the CPU offers for SVM: CPUID 0x8000000a (AMD APM vol. 3, E.4.9), and what
 * KVM uses of it (svm_hardware_setup() in arch/x86/kvm/svm/svm.c).
 */
#include <stdio.h>

#include <cpuid.h>

#include "../module/uapi/kvmstat.h"
#include "caps.h"
#include "message.h"

#define LEAF 0x8000000a

static const struct cap features[] = {
	{ 0, "NP", USE_IF, "npt", "nested paging" },
	{ 1, "LbrVirt", USE_VARIES_IF, "lbrv", "last branch records of guests" },
	{ 2, "SVML", USE_UNKNOWN, NULL, "SVM can be locked" },
	{ 3, "NRIPS", USE_IF, "nrips", "the next RIP is saved at an exit" },
	{ 4, "TscRateMsr", USE_IF, "tsc_scaling", "a guest's TSC can be scaled" },
	{ 5, "VmcbClean", USE_ALWAYS, NULL, "unchanged parts of the VMCB stay cached" },
	{ 6, "FlushByAsid", USE_ALWAYS, NULL, "one guest's translations can be flushed" },
	{ 7, "DecodeAssists", USE_ALWAYS, NULL, "an exit tells the instruction's operands" },
	{ 8, "PmcVirt", USE_UNKNOWN, NULL, "performance counters of guests" },
	{ 10, "PauseFilter", USE_IF, "pause_filter_count", "PAUSE exits only in loops" },
	{ 12, "PauseFilterThreshold", USE_IF, "pause_filter_thresh", "and only in tight ones" },
	{ 13, "AVIC", USE_VARIES_IF, "avic", "virtual interrupt controller" },
	{ 15, "VMSAVEvirt", USE_VARIES_IF, "vls", "VMSAVE and VMLOAD without exit" },
	{ 16, "VGIF", USE_IF, "vgif", "STGI and CLGI without exit" },
	{ 17, "GMET", USE_VARIES_IF_KNOWN, "gmet", "guest mode execute trap" },
	{ 18, "x2AVIC", USE_VARIES_IF, "avic", "AVIC in x2APIC mode" },
	{ 19, "SSSCheck", USE_UNKNOWN, NULL, "supervisor shadow stacks are checked" },
	{ 20, "SpecCtrl", USE_ALWAYS, NULL, "SPEC_CTRL of guests" },
	{ 21, "ROGPT", USE_UNKNOWN, NULL, "read-only guest page tables" },
	{ 23, "HOST_MCE_OVERRIDE", USE_UNKNOWN, NULL, "machine checks reach the host first" },
	{ 24, "TlbiCtl", USE_UNKNOWN, NULL, "INVLPGB and TLBSYNC in guests" },
	{ 25, "VNMI", USE_IF_KNOWN, "vnmi", "virtual NMIs" },
	{ 26, "IbsVirt", USE_UNKNOWN, NULL, "instruction-based sampling of guests" },
	{ 27, "ExtLvtAvicAccessChg", USE_UNKNOWN, NULL, "extended LVT under AVIC" },
	{ 28, "NestedVirtVmcbAddrChk", USE_UNKNOWN, NULL, "a guest's VMCB address is checked" },
	{ 29, "BusLockThreshold", USE_UNKNOWN, NULL, "exits for locked buses" },
	{ 30, "IdleHltIntercept", USE_UNKNOWN, NULL, "HLT exits only where nothing waits" },
	{ 31, "EnhancedShutdownIntercept", USE_UNKNOWN, NULL, "shutdown loses no state" },
};
#define NR_FEATURES (sizeof(features) / sizeof(features[0]))

static void add_features(struct caps_group *group, const char *module)
{
	struct cap cap = { 0 };
	size_t i = 0;

	for (cap.bit = 0; cap.bit < 32; cap.bit++) {
		bool has = group->value >> cap.bit & 1;

		if (i < NR_FEATURES && features[i].bit == cap.bit)
			caps_add(group, &features[i++], has, true, module);
		else if (has)
			caps_add(group, &cap, has, true, module);
	}
}

int caps_svm(struct caps *caps)
{
	struct caps_group *group = &caps->groups[caps->nr];
	unsigned int eax, ebx, ecx, edx;

	if (!__get_cpuid(LEAF, &eax, &ebx, &ecx, &edx)) {
		error("caps: the CPU has SVM, but no CPUID 0x8000000a that tells its features: ask what emulates it");
		return -1;
	}
	caps->isa = KVMSTAT_ISA_SVM;
	caps->source = "CPUID 0x8000000a";
	snprintf(caps->about, sizeof(caps->about), "SVM revision %u, %u address space identifiers",
		 eax & 0xff, ebx);
	group->title = "SVM features";
	group->where = "EDX";
	group->address = LEAF;
	group->value = edx;
	add_features(group, caps_module_loaded("kvm_amd") ? "kvm_amd" : NULL);
	caps->nr++;
	return 0;
}
