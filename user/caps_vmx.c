// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the CPU offers for VMX: the capability MSRs (Intel SDM vol. 3, app. A; the
 * controls' names: 25.6 to 25.8), and what KVM uses of it (vmx_exec_control() and
 * its neighbours, vmx_hardware_setup() in arch/x86/kvm/vmx/vmx.c).
 */
#include <inttypes.h>
#include <stdio.h>

#include "../module/uapi/kvmstat.h"
#include "caps.h"
#include "message.h"
#include "msrs.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BASIC		0x480
#define PROCBASED	0x482
#define PROCBASED2	0x48b
#define EPT_VPID_CAP	0x48c
#define PROCBASED3	0x492
/* Of MSR 0x480: the TRUE MSRs exist (app. A.1). */
#define TRUE_CONTROLS	(1ULL << 55)
/* May be set: in the upper half of the MSR. */
#define MAY_SET(bit)	(1ULL << (32 + (bit)))

/* USE_NEVER: but for guests of guests, as their hypervisor wants it. */
static const struct cap pin[] = {
	{ 0, "External-interrupt exiting", USE_ALWAYS, NULL, NULL },
	{ 3, "NMI exiting", USE_ALWAYS, NULL, NULL },
	{ 5, "Virtual NMIs", USE_IF, "vnmi", NULL },
	{ 6, "Activate VMX-preemption timer", USE_IF, "preemption_timer", NULL },
	{ 7, "Process posted interrupts", USE_VARIES_IF, "enable_apicv", NULL },
};

static const struct cap primary[] = {
	{ 2, "Interrupt-window exiting", USE_VARIES, NULL, NULL },
	{ 3, "Use TSC offsetting", USE_ALWAYS, NULL, NULL },
	{ 7, "HLT exiting", USE_ALWAYS, NULL, NULL },
	{ 9, "INVLPG exiting", USE_UNLESS, "ept", NULL },
	{ 10, "MWAIT exiting", USE_ALWAYS, NULL, NULL },
	{ 11, "RDPMC exiting", USE_ALWAYS, NULL, NULL },
	{ 12, "RDTSC exiting", USE_NEVER, NULL, NULL },
	{ 15, "CR3-load exiting", USE_UNLESS, "ept", NULL },
	{ 16, "CR3-store exiting", USE_UNLESS, "ept", NULL },
	{ 17, "Activate tertiary controls", USE_ALWAYS, NULL, NULL },
	{ 19, "CR8-load exiting", USE_VARIES, NULL, NULL },
	{ 20, "CR8-store exiting", USE_VARIES, NULL, NULL },
	{ 21, "Use TPR shadow", USE_VARIES, NULL, NULL },
	{ 22, "NMI-window exiting", USE_VARIES, NULL, NULL },
	{ 23, "MOV-DR exiting", USE_VARIES, NULL, NULL },
	{ 24, "Unconditional I/O exiting", USE_ALWAYS, NULL, NULL },
	{ 25, "Use I/O bitmaps", USE_NEVER, NULL, NULL },
	{ 27, "Monitor trap flag", USE_NEVER, NULL, NULL },
	{ 28, "Use MSR bitmaps", USE_ALWAYS, NULL, NULL },
	{ 29, "MONITOR exiting", USE_ALWAYS, NULL, NULL },
	{ 30, "PAUSE exiting", USE_NEVER, NULL, NULL },
	{ 31, "Activate secondary controls", USE_ALWAYS, NULL, NULL },
};

static const struct cap secondary[] = {
	{ 0, "Virtualize APIC accesses", USE_VARIES_IF, "flexpriority", NULL },
	{ 1, "Enable EPT", USE_IF, "ept", NULL },
	{ 2, "Descriptor-table exiting", USE_VARIES, NULL, NULL },
	{ 3, "Enable RDTSCP", USE_VARIES, NULL, NULL },
	{ 4, "Virtualize x2APIC mode", USE_VARIES, NULL, NULL },
	{ 5, "Enable VPID", USE_IF, "vpid", NULL },
	{ 6, "WBINVD exiting", USE_ALWAYS, NULL, NULL },
	{ 7, "Unrestricted guest", USE_IF, "unrestricted_guest", NULL },
	{ 8, "APIC-register virtualization", USE_VARIES_IF, "enable_apicv", NULL },
	{ 9, "Virtual-interrupt delivery", USE_VARIES_IF, "enable_apicv", NULL },
	{ 10, "PAUSE-loop exiting", USE_IF, "ple_gap", NULL },
	{ 11, "RDRAND exiting", USE_VARIES, NULL, NULL },
	{ 12, "Enable INVPCID", USE_VARIES, NULL, NULL },
	/* Some releases have it set for each guest, though without any function (6.1). */
	{ 13, "Enable VM functions", USE_UNKNOWN, NULL, NULL },
	{ 14, "VMCS shadowing", USE_VARIES_IF, "enable_shadow_vmcs", NULL },
	{ 15, "Enable ENCLS exiting", USE_VARIES, NULL, NULL },
	{ 16, "RDSEED exiting", USE_VARIES, NULL, NULL },
	{ 17, "Enable PML", USE_VARIES_IF, "pml", NULL },
	{ 18, "EPT-violation #VE", USE_UNKNOWN, NULL, NULL },
	{ 19, "Conceal VMX from PT", USE_IF_KNOWN, "pt_mode", NULL },
	{ 20, "Enable XSAVES/XRSTORS", USE_VARIES, NULL, NULL },
	{ 21, "PASID translation", USE_UNKNOWN, NULL, NULL },
	{ 22, "Mode-based execute control for EPT", USE_VARIES_IF_KNOWN, "mbec", NULL },
	{ 23, "Sub-page write permissions for EPT", USE_NEVER, NULL, NULL },
	{ 24, "Intel PT uses guest physical addresses", USE_IF_KNOWN, "pt_mode", NULL },
	{ 25, "Use TSC scaling", USE_ALWAYS, NULL, NULL },
	{ 26, "Enable user wait and pause", USE_VARIES, NULL, NULL },
	{ 27, "Enable PCONFIG", USE_UNKNOWN, NULL, NULL },
	{ 28, "Enable ENCLV exiting", USE_UNKNOWN, NULL, NULL },
	{ 30, "VMM bus-lock detection", USE_VARIES, NULL, NULL },
	{ 31, "Instruction timeout", USE_VARIES, NULL, NULL },
};

static const struct cap tertiary[] = {
	{ 0, "LOADIWKEY exiting", USE_UNKNOWN, NULL, NULL },
	{ 1, "Enable HLAT", USE_UNKNOWN, NULL, NULL },
	{ 2, "EPT paging-write control", USE_UNKNOWN, NULL, NULL },
	{ 3, "Guest-paging verification", USE_UNKNOWN, NULL, NULL },
	{ 4, "IPI virtualization", USE_VARIES_IF_KNOWN, "enable_ipiv", NULL },
	{ 6, "Enable MSR-list instructions", USE_UNKNOWN, NULL, NULL },
	{ 7, "Virtualize IA32_SPEC_CTRL", USE_UNKNOWN, NULL, NULL },
};

static const struct cap at_exit[] = {
	{ 2, "Save debug controls", USE_ALWAYS, NULL, NULL },
	{ 9, "Host address-space size", USE_ALWAYS, NULL, NULL },
	{ 12, "Load IA32_PERF_GLOBAL_CTRL", USE_VARIES, NULL, NULL },
	{ 15, "Acknowledge interrupt on exit", USE_ALWAYS, NULL, NULL },
	{ 18, "Save IA32_PAT", USE_NEVER, NULL, NULL },
	{ 19, "Load IA32_PAT", USE_ALWAYS, NULL, NULL },
	{ 20, "Save IA32_EFER", USE_NEVER, NULL, NULL },
	{ 21, "Load IA32_EFER", USE_VARIES, NULL, NULL },
	{ 22, "Save VMX-preemption timer value", USE_NEVER, NULL, NULL },
	{ 23, "Clear IA32_BNDCFGS", USE_ALWAYS, NULL, NULL },
	{ 24, "Conceal VMX from PT", USE_IF_KNOWN, "pt_mode", NULL },
	{ 25, "Clear IA32_RTIT_CTL", USE_IF_KNOWN, "pt_mode", NULL },
	{ 26, "Clear IA32_LBR_CTL", USE_UNKNOWN, NULL, NULL },
	{ 27, "Clear UINV", USE_UNKNOWN, NULL, NULL },
	{ 28, "Load CET state", USE_IF, "cet", NULL },
	{ 29, "Load PKRS", USE_UNKNOWN, NULL, NULL },
	{ 30, "Save IA32_PERF_GLOBAL_CTL", USE_UNKNOWN, NULL, NULL },
	{ 31, "Activate secondary controls", USE_UNKNOWN, NULL, NULL },
};

static const struct cap at_entry[] = {
	{ 2, "Load debug controls", USE_ALWAYS, NULL, NULL },
	{ 9, "IA-32e mode guest", USE_VARIES, NULL, NULL },
	{ 10, "Entry to SMM", USE_NEVER, NULL, NULL },
	{ 11, "Deactivate dual-monitor treatment", USE_NEVER, NULL, NULL },
	{ 13, "Load IA32_PERF_GLOBAL_CTRL", USE_VARIES, NULL, NULL },
	{ 14, "Load IA32_PAT", USE_ALWAYS, NULL, NULL },
	{ 15, "Load IA32_EFER", USE_VARIES, NULL, NULL },
	{ 16, "Load IA32_BNDCFGS", USE_ALWAYS, NULL, NULL },
	{ 17, "Conceal VMX from PT", USE_IF_KNOWN, "pt_mode", NULL },
	{ 18, "Load IA32_RTIT_CTL", USE_IF_KNOWN, "pt_mode", NULL },
	{ 19, "Load UINV", USE_UNKNOWN, NULL, NULL },
	{ 20, "Load CET state", USE_IF, "cet", NULL },
	{ 21, "Load guest IA32_LBR_CTL", USE_UNKNOWN, NULL, NULL },
	{ 22, "Load PKRS", USE_UNKNOWN, NULL, NULL },
};

static const struct cap ept_vpid[] = {
	{ 0, "Execute-only translations", USE_UNKNOWN, NULL, NULL },
	{ 6, "Page-walk length of 4", USE_VARIES_IF, "ept", NULL },
	{ 7, "Page-walk length of 5", USE_VARIES_IF, "ept", NULL },
	{ 8, "EPT memory type uncacheable", USE_NEVER, NULL, NULL },
	{ 14, "EPT memory type write-back", USE_IF, "ept", NULL },
	{ 16, "2-MByte pages", USE_VARIES_IF, "ept", NULL },
	{ 17, "1-GByte pages", USE_VARIES_IF, "ept", NULL },
	{ 20, "INVEPT", USE_IF, "ept", NULL },
	{ 21, "Accessed and dirty flags for EPT", USE_IF, "eptad", NULL },
	{ 22, "Advanced VM-exit information for EPT violations", USE_UNKNOWN, NULL, NULL },
	{ 23, "Supervisor shadow-stack control", USE_UNKNOWN, NULL, NULL },
	{ 25, "Single-context INVEPT", USE_IF, "ept", NULL },
	{ 26, "All-context INVEPT", USE_IF, "ept", NULL },
	{ 32, "INVVPID", USE_IF, "vpid", NULL },
	{ 40, "Individual-address INVVPID", USE_IF, "vpid", NULL },
	{ 41, "Single-context INVVPID", USE_IF, "vpid", NULL },
	{ 42, "All-context INVVPID", USE_IF, "vpid", NULL },
	{ 43, "Single-context-retaining-globals INVVPID", USE_NEVER, NULL, NULL },
};
/* Bits 53:48 are a number: the greatest HLAT prefix. */
#define EPT_VPID_FLAGS 48

static const struct kind {
	const char *title;
	const char *name, *true_name;	/* of the MSRs */
	uint32_t msr, true_msr;		/* 0: there is none */
	const struct cap *caps;
	size_t nr;
} kinds[] = {
	{ "Pin-based VM-execution controls", "IA32_VMX_PINBASED_CTLS",
	  "IA32_VMX_TRUE_PINBASED_CTLS", 0x481, 0x48d, pin, ARRAY_SIZE(pin) },
	{ "Primary processor-based VM-execution controls", "IA32_VMX_PROCBASED_CTLS",
	  "IA32_VMX_TRUE_PROCBASED_CTLS", PROCBASED, 0x48e, primary, ARRAY_SIZE(primary) },
	{ "Secondary processor-based VM-execution controls", "IA32_VMX_PROCBASED_CTLS2",
	  NULL, PROCBASED2, 0, secondary, ARRAY_SIZE(secondary) },
	{ "Tertiary processor-based VM-execution controls", "IA32_VMX_PROCBASED_CTLS3",
	  NULL, PROCBASED3, 0, tertiary, ARRAY_SIZE(tertiary) },
	{ "VM-exit controls", "IA32_VMX_EXIT_CTLS",
	  "IA32_VMX_TRUE_EXIT_CTLS", 0x483, 0x48f, at_exit, ARRAY_SIZE(at_exit) },
	{ "VM-entry controls", "IA32_VMX_ENTRY_CTLS",
	  "IA32_VMX_TRUE_ENTRY_CTLS", 0x484, 0x490, at_entry, ARRAY_SIZE(at_entry) },
	{ "EPT and VPID capabilities", "IA32_VMX_EPT_VPID_CAP",
	  NULL, EPT_VPID_CAP, 0, ept_vpid, ARRAY_SIZE(ept_vpid) },
};

struct vmx {
	struct msrs msrs;
	const char *module;	/* NULL: what is in use cannot be told */
	uint64_t basic;
	uint64_t procbased, procbased2;	/* they say which others exist */
};

/* Why the MSR exists, or NULL: then it must not be read (app. A.3.2 to A.10). */
static const char *reason_to_read(const struct vmx *vmx, uint32_t msr)
{
	switch (msr) {
	case PROCBASED2:
		return vmx->procbased & MAY_SET(31) ? "MSR 0x482 bit 63 says that it exists" : NULL;
	case PROCBASED3:
		return vmx->procbased & MAY_SET(17) ? "MSR 0x482 bit 49 says that it exists" : NULL;
	case EPT_VPID_CAP:
		return vmx->procbased2 & (MAY_SET(1) | MAY_SET(5)) ?
		       "MSR 0x48b bit 33 or 37 says that it exists" : NULL;
	default:
		return "every CPU with VMX has it";
	}
}

/* Of the bits of the tertiary controls each may be clear; the MSR has those that may be set. */
static bool may_set(const struct caps_group *group, unsigned int bit)
{
	if (!group->controls || group->address == PROCBASED3)
		return group->value >> bit & 1;
	return group->value & MAY_SET(bit);
}

static bool may_clear(const struct caps_group *group, unsigned int bit)
{
	return !group->controls || group->address == PROCBASED3 || !(group->value >> bit & 1);
}

static unsigned int nr_bits(const struct caps_group *group)
{
	if (!group->controls)
		return EPT_VPID_FLAGS;
	return group->address == PROCBASED3 ? 64 : 32;
}

/* Those without a name are told of where there is something to choose. */
static void add_rows(const struct vmx *vmx, const struct kind *kind, struct caps_group *group)
{
	struct cap cap = { 0 };
	size_t i = 0;

	for (cap.bit = 0; cap.bit < nr_bits(group); cap.bit++) {
		bool set = may_set(group, cap.bit), clear = may_clear(group, cap.bit);

		if (i < kind->nr && kind->caps[i].bit == cap.bit)
			caps_add(group, &kind->caps[i++], set, clear, vmx->module);
		else if (set && clear)
			caps_add(group, &cap, set, clear, vmx->module);
	}
}

static int add_group(struct vmx *vmx, struct caps *caps, const struct kind *kind)
{
	bool use_true = kind->true_msr && vmx->basic & TRUE_CONTROLS;
	const char *needed = use_true ? "MSR 0x480 bit 55 says that it exists" :
			     reason_to_read(vmx, kind->msr);
	struct caps_group *group = &caps->groups[caps->nr];

	if (!needed)
		return 0;
	group->title = kind->title;
	group->where = use_true ? kind->true_name : kind->name;
	group->address = use_true ? kind->true_msr : kind->msr;
	group->controls = kind->msr != EPT_VPID_CAP;
	if (msrs_read(&vmx->msrs, group->address, needed, &group->value) < 0)
		return -1;
	if (kind->msr == PROCBASED)
		vmx->procbased = group->value;
	if (kind->msr == PROCBASED2)
		vmx->procbased2 = group->value;
	add_rows(vmx, kind, group);
	caps->nr++;
	return 0;
}

static int read_basic(struct vmx *vmx, struct caps *caps)
{
	caps->isa = KVMSTAT_ISA_VMX;
	caps->source = vmx->msrs.name;
	if (msrs_lack(&vmx->msrs, BASIC)) {
		warning("%s: MSR 0x480 is missing, which tells whether the TRUE MSRs exist: more may be cleared than is told",
			vmx->msrs.name);
		snprintf(caps->about, sizeof(caps->about), "VMX without MSR 0x480");
		return 0;
	}
	if (msrs_read(&vmx->msrs, BASIC, "every CPU with VMX has it", &vmx->basic) < 0)
		return -1;
	snprintf(caps->about, sizeof(caps->about), "VMCS revision 0x%" PRIx64 ", TRUE MSRs: %s",
		 vmx->basic & 0x7fffffff, vmx->basic & TRUE_CONTROLS ? "yes" : "no");
	return 0;
}

int caps_vmx(struct caps *caps, const char *msrs)
{
	struct vmx vmx = { .module = NULL };
	size_t i;
	int ret;

	if (msrs_open(&vmx.msrs, msrs) < 0)
		return -1;
	if (!msrs && caps_module_loaded("kvm_intel"))
		vmx.module = "kvm_intel";
	ret = read_basic(&vmx, caps);
	for (i = 0; i < ARRAY_SIZE(kinds) && ret == 0; i++)
		ret = add_group(&vmx, caps, &kinds[i]);
	msrs_close(&vmx.msrs);
	return ret;
}
