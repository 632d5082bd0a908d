// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exit codes. Names are the kernel's own, from its UAPI headers; what those
 * (or an older copy of them) do not know is added from the tables in Intel SDM
 * vol. 3 app. C and AMD APM vol. 2 app. C, spelled the way the kernel would.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <asm/kvm.h>	/* DE_VECTOR… for SVM_EXIT_REASONS */
#include <asm/svm.h>
#include <asm/vmx.h>

#include "reasons.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct name {
	uint64_t code;
	const char *name;
};

static const struct name vmx_kernel[] = { VMX_EXIT_REASONS };
static const struct name svm_kernel[] = { SVM_EXIT_REASONS };

/* Of Linux 7.2 the codes 77, 84 and 85; the others no kernel names. */
static const struct name vmx_more[] = {
	{ 5, "IO_SMI" },
	{ 6, "OTHER_SMI" },
	{ 11, "GETSEC" },
	{ 17, "RSM" },
	{ 65, "PCONFIG" },
	{ 66, "SPP_EVENT" },
	{ 67, "UMWAIT" },
	{ 68, "TPAUSE" },
	{ 69, "LOADIWKEY" },
	{ 70, "ENCLV" },
	{ 72, "ENQCMD_PASID" },
	{ 73, "ENQCMDS_PASID" },
	{ 74, "BUS_LOCK" },
	{ 75, "NOTIFY" },
	{ 76, "SEAMCALL" },
	{ 77, "TDCALL" },
	{ 78, "RDMSRLIST" },
	{ 79, "WRMSRLIST" },
	{ 80, "URDMSR" },
	{ 81, "UWRMSR" },
	{ 84, "MSR_READ_IMM" },
	{ 85, "MSR_WRITE_IMM" },
};

/* Of Linux 7.2 the codes 0xa5 and 0xa6; the others no kernel names. */
static const struct name svm_more[] = {
	{ 0x08c, "mwait_cond" },
	{ 0x08e, "rdpru" },
	{ 0x08f, "write_efer_trap" },
	{ 0x090, "write_cr0_trap" },
	{ 0x093, "write_cr3_trap" },
	{ 0x094, "write_cr4_trap" },
	{ 0x098, "write_cr8_trap" },
	{ 0x0a0, "invlpgb" },
	{ 0x0a1, "invlpgb_illegal" },
	{ 0x0a2, "invpcid" },
	{ 0x0a3, "mcommit" },
	{ 0x0a4, "tlbsync" },
	{ 0x0a5, "buslock" },
	{ 0x0a6, "idle-halt" },
	{ 0x403, "vmgexit" },
	{ 0xf0000000, "sw" },
	{ -2ULL, "busy" },
	{ -3ULL, "idle_required" },
	{ -4ULL, "invalid_pmc" },
};

/* Codes from first to last; the tables are in ascending order. */
struct class {
	uint64_t first, last;
	const char *class;
};

/*
 * Where one VMX code covers what SVM tells apart, the class says the common
 * part: CR_ACCESS (28) is reads and writes, EXCEPTION (0) has #PF and NMIs in
 * it. EPT_MISCONFIG (49) is how KVM marks the addresses of emulated devices.
 */
static const struct class vmx_class[] = {
	{ 0, 0, "EXCEPTION" },
	{ 1, 1, "INTERRUPT" },
	{ 2, 2, "SHUTDOWN" },
	{ 3, 4, "INIT" },
	{ 5, 6, "SMI" },
	{ 7, 7, "INTERRUPT_WINDOW" },
	{ 8, 8, "NMI_WINDOW" },
	{ 9, 9, "TASK_SWITCH" },
	{ 10, 10, "CPUID" },
	{ 12, 12, "HLT" },
	{ 13, 13, "WBINVD" },
	{ 14, 14, "INVLPG" },
	{ 15, 15, "RDPMC" },
	{ 16, 16, "RDTSC" },
	{ 17, 17, "SMI" },
	{ 18, 18, "HYPERCALL" },
	{ 19, 27, "NESTED_VIRT" },
	{ 28, 28, "CR_ACCESS" },
	{ 29, 29, "DR" },
	{ 30, 30, "IO" },
	{ 31, 31, "MSR_READ" },
	{ 32, 32, "MSR_WRITE" },
	{ 33, 34, "ENTRY_FAILURE" },
	{ 36, 36, "MWAIT" },
	{ 37, 37, "SINGLE_STEP" },
	{ 39, 39, "MWAIT" },
	{ 40, 40, "PAUSE" },
	{ 41, 41, "ENTRY_FAILURE" },
	{ 43, 45, "APIC" },
	{ 46, 47, "DESCRIPTOR_TABLE" },
	{ 48, 48, "NESTED_PAGE_FAULT" },
	{ 49, 49, "MMIO" },
	{ 50, 50, "NESTED_VIRT" },
	{ 51, 51, "RDTSC" },
	{ 52, 52, "TIMER" },
	{ 53, 53, "NESTED_VIRT" },
	{ 54, 54, "WBINVD" },
	{ 55, 55, "XSETBV" },
	{ 56, 56, "APIC" },
	{ 57, 57, "RDRAND" },
	{ 58, 58, "INVPCID" },
	{ 59, 59, "NESTED_VIRT" },
	{ 60, 60, "SGX" },
	{ 61, 61, "RDRAND" },
	{ 62, 62, "DIRTY_LOG" },
	{ 63, 64, "XSAVES" },
	{ 67, 68, "MWAIT" },
	{ 70, 70, "SGX" },
	{ 74, 74, "BUS_LOCK" },
	{ 75, 75, "NOTIFY" },
	{ 76, 77, "CONFIDENTIAL" },
	{ 78, 78, "MSR_READ" },
	{ 79, 79, "MSR_WRITE" },
	{ 80, 80, "MSR_READ" },
	{ 81, 81, "MSR_WRITE" },
	{ 84, 84, "MSR_READ" },
	{ 85, 85, "MSR_WRITE" },
};

/*
 * MSR (0x7c) is one code for RDMSR and WRMSR, told apart by EXITINFO1 (APM
 * vol. 2, 15.11). KVM intercepts IRET to learn when NMIs are open again. An
 * NPF on the address of an emulated device is that device's MMIO, and looks
 * like any other NPF by its code.
 */
static const struct class svm_class[] = {
	{ 0x000, 0x00f, "CR_READ" },
	{ 0x010, 0x01f, "CR_WRITE" },
	{ 0x020, 0x03f, "DR" },
	{ 0x040, 0x04d, "EXCEPTION" },
	{ 0x04e, 0x04e, "PAGE_FAULT" },
	{ 0x04f, 0x05f, "EXCEPTION" },
	{ 0x060, 0x060, "INTERRUPT" },
	{ 0x061, 0x061, "NMI" },
	{ 0x062, 0x062, "SMI" },
	{ 0x063, 0x063, "INIT" },
	{ 0x064, 0x064, "INTERRUPT_WINDOW" },
	{ 0x065, 0x065, "CR_WRITE" },
	{ 0x066, 0x06d, "DESCRIPTOR_TABLE" },
	{ 0x06e, 0x06e, "RDTSC" },
	{ 0x06f, 0x06f, "RDPMC" },
	{ 0x070, 0x071, "FLAGS" },
	{ 0x072, 0x072, "CPUID" },
	{ 0x073, 0x073, "SMI" },
	{ 0x074, 0x074, "NMI_WINDOW" },
	{ 0x075, 0x075, "EXCEPTION" },
	{ 0x076, 0x076, "WBINVD" },
	{ 0x077, 0x077, "PAUSE" },
	{ 0x078, 0x078, "HLT" },
	{ 0x079, 0x079, "INVLPG" },
	{ 0x07a, 0x07a, "NESTED_VIRT" },
	{ 0x07b, 0x07b, "IO" },
	{ 0x07c, 0x07c, "MSR" },
	{ 0x07d, 0x07d, "TASK_SWITCH" },
	{ 0x07f, 0x07f, "SHUTDOWN" },
	{ 0x080, 0x080, "NESTED_VIRT" },
	{ 0x081, 0x081, "HYPERCALL" },
	{ 0x082, 0x085, "NESTED_VIRT" },
	{ 0x087, 0x087, "RDTSC" },
	{ 0x088, 0x088, "EXCEPTION" },
	{ 0x089, 0x089, "WBINVD" },
	{ 0x08a, 0x08c, "MWAIT" },
	{ 0x08d, 0x08d, "XSETBV" },
	{ 0x08e, 0x08e, "RDPMC" },
	{ 0x08f, 0x08f, "MSR_WRITE" },
	{ 0x090, 0x09f, "CR_WRITE" },
	{ 0x0a0, 0x0a1, "INVLPG" },
	{ 0x0a2, 0x0a2, "INVPCID" },
	{ 0x0a4, 0x0a4, "INVLPG" },
	{ 0x0a5, 0x0a5, "BUS_LOCK" },
	{ 0x0a6, 0x0a6, "HLT" },
	{ 0x400, 0x400, "NESTED_PAGE_FAULT" },
	{ 0x401, 0x402, "APIC" },
	{ 0x403, 0x403, "CONFIDENTIAL" },
	{ 0x80000001, 0x80000002, "MMIO" },
	{ 0x80000003, 0x8000ffff, "CONFIDENTIAL" },
	{ -4ULL, -1ULL, "ENTRY_FAILURE" },
};

struct isa {
	const struct name *kernel, *more;
	size_t nr_kernel, nr_more;
	const struct class *classes;
	size_t nr_classes;
};

static const struct isa isas[] = {
	[KVMSTAT_ISA_VMX] = {
		vmx_kernel, vmx_more, ARRAY_SIZE(vmx_kernel), ARRAY_SIZE(vmx_more),
		vmx_class, ARRAY_SIZE(vmx_class),
	},
	[KVMSTAT_ISA_SVM] = {
		svm_kernel, svm_more, ARRAY_SIZE(svm_kernel), ARRAY_SIZE(svm_more),
		svm_class, ARRAY_SIZE(svm_class),
	},
};

static const struct isa *isa_tables(uint32_t isa)
{
	return isa < ARRAY_SIZE(isas) ? &isas[isa] : &isas[KVMSTAT_ISA_UNKNOWN];
}

static const char *find_name(const struct name *table, size_t nr, uint64_t code)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (table[i].code == code)
			return table[i].name;
	return NULL;
}

static const char *known_name(uint32_t isa, uint64_t code)
{
	const struct isa *t = isa_tables(isa);

	return find_name(t->kernel, t->nr_kernel, code) ?: find_name(t->more, t->nr_more, code);
}

/* Bit 31 of a VMX exit reason: the VM entry failed (SDM vol. 3, 27.8). */
static bool failed_entry(uint32_t isa, uint64_t code)
{
	return isa == KVMSTAT_ISA_VMX && code >> 31 == 1;
}

/*
 * Flags of a VMX exit reason (SDM vol. 3, 25.9.1), in ascending order. The
 * kernel names the last one only, and prints others as numbers.
 */
static const struct name vmx_flags[] = {
	{ 1u << 25, "SHADOW_STACK_BUSY" },
	{ 1u << 26, "BUS_LOCK" },
	{ 1u << 27, "ENCLAVE_MODE" },
	{ 1u << 28, "PENDING_MTF" },
	{ 1u << 29, "VMX_ROOT" },
	{ 1u << 31, "FAILED_VMENTRY" },
};

/* The code without its flags. */
static uint64_t basic_reason(uint32_t isa, uint64_t code)
{
	return isa == KVMSTAT_ISA_VMX && code <= UINT32_MAX ? code & 0xffff : code;
}

static const char *own_code(uint64_t code)
{
	switch (code) {
	case KVMSTAT_CODE_UNTRACED:
		return "untraced";
	case KVMSTAT_CODE_OTHER:
		return "other";
	default:
		return NULL;
	}
}

/* In the kernel's place, behind the name: those with names, then the others. */
static void append_flags(char buf[REASON_NAME_MAX], uint64_t flags)
{
	size_t i, used = strlen(buf);

	for (i = 0; i < ARRAY_SIZE(vmx_flags) && used < REASON_NAME_MAX; i++) {
		if (!(flags & vmx_flags[i].code))
			continue;
		used += snprintf(buf + used, REASON_NAME_MAX - used, " %s", vmx_flags[i].name);
		flags &= ~vmx_flags[i].code;
	}
	if (flags && used < REASON_NAME_MAX)
		snprintf(buf + used, REASON_NAME_MAX - used, " 0x%" PRIx64, flags);
}

const char *reason_name(uint32_t isa, uint64_t code, char buf[REASON_NAME_MAX])
{
	uint64_t basic = basic_reason(isa, code);
	const char *name = own_code(code) ?: known_name(isa, basic);

	if (name)
		snprintf(buf, REASON_NAME_MAX, "%s", name);
	else
		snprintf(buf, REASON_NAME_MAX, "0x%" PRIx64, basic);
	append_flags(buf, code ^ basic);
	return buf;
}

const char *reason_class(uint32_t isa, uint64_t code)
{
	const struct isa *t = isa_tables(isa);
	size_t i;

	if (code == KVMSTAT_CODE_UNTRACED)
		return "UNTRACED";
	if (failed_entry(isa, code))
		return "ENTRY_FAILURE";
	code = basic_reason(isa, code);
	for (i = 0; i < t->nr_classes; i++)
		if (code >= t->classes[i].first && code <= t->classes[i].last)
			return t->classes[i].class;
	return "OTHER";
}

const char *reason_class_common(const char *class)
{
	static const char * const wider[][2] = {
		{ "CR_READ", "CR_ACCESS" },
		{ "CR_WRITE", "CR_ACCESS" },
		{ "MSR_READ", "MSR" },
		{ "MSR_WRITE", "MSR" },
		{ "PAGE_FAULT", "EXCEPTION" },
		{ "NMI", "EXCEPTION" },
		{ "MMIO", "NESTED_PAGE_FAULT" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wider); i++)
		if (!strcmp(class, wider[i][0]))
			return wider[i][1];
	return class;
}
