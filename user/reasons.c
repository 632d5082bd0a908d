// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exit codes. Names are the kernel's own, from its UAPI headers; what those
 * (or an older copy of them) do not know is added from the tables in Intel SDM
 * vol. 3 app. C and AMD APM vol. 2 app. C, spelled the way the kernel would.
 */
#include <inttypes.h>
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
 * it; the detail tells which (detail_classes). EPT_MISCONFIG (49) is how KVM
 * marks the addresses of emulated devices.
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
 * vol. 2, 15.11), which is the detail. KVM intercepts IRET to learn when NMIs
 * are open again. An NPF on the address of an emulated device is that device's
 * MMIO, and looks like any other NPF by its code.
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

uint64_t reason_basic(uint32_t isa, uint64_t code)
{
	return isa == KVMSTAT_ISA_VMX && code <= UINT32_MAX ? code & 0xffff : code;
}

bool reason_is_code(uint32_t isa, uint64_t code)
{
	uint64_t flags = 0;
	size_t i;

	for (i = 0; i < sizeof(vmx_flags) / sizeof(vmx_flags[0]); i++)
		flags |= vmx_flags[i].code;
	return isa != KVMSTAT_ISA_VMX || code > UINT32_MAX || !(code & ~(flags | 0xffff));
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
	uint64_t basic = reason_basic(isa, code);
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
	code = reason_basic(isa, code);
	for (i = 0; i < t->nr_classes; i++)
		if (code >= t->classes[i].first && code <= t->classes[i].last)
			return t->classes[i].class;
	return "OTHER";
}

#define VECTOR(n)	(KVMSTAT_DETAIL_VECTOR + (n))
/* Access types of a CR_ACCESS: SDM vol. 3, table 28-3. */
#define CR_TYPE(n)	(KVMSTAT_DETAIL_CR + ((n) << 4))

/* Where the detail decides; details from first to last. */
static const struct {
	uint32_t isa;
	uint64_t code;
	uint32_t first, last;
	const char *class;
} detail_classes[] = {
	{ KVMSTAT_ISA_SVM, 0x07c, KVMSTAT_DETAIL_READ, KVMSTAT_DETAIL_READ, "MSR_READ" },
	{ KVMSTAT_ISA_SVM, 0x07c, KVMSTAT_DETAIL_WRITE, KVMSTAT_DETAIL_WRITE, "MSR_WRITE" },
	{ KVMSTAT_ISA_SVM, 0x400, KVMSTAT_DETAIL_MMIO, KVMSTAT_DETAIL_MMIO, "MMIO" },
	{ KVMSTAT_ISA_VMX, 48, KVMSTAT_DETAIL_MMIO, KVMSTAT_DETAIL_MMIO, "MMIO" },
	{ KVMSTAT_ISA_VMX, 0, VECTOR(2), VECTOR(2), "NMI" },
	{ KVMSTAT_ISA_VMX, 0, VECTOR(14), VECTOR(14), "PAGE_FAULT" },
	{ KVMSTAT_ISA_VMX, 28, CR_TYPE(0), CR_TYPE(1) - 1, "CR_WRITE" },
	{ KVMSTAT_ISA_VMX, 28, CR_TYPE(1), CR_TYPE(2) - 1, "CR_READ" },
	{ KVMSTAT_ISA_VMX, 28, CR_TYPE(2), CR_TYPE(4) - 1, "CR_WRITE" },	/* CLTS, LMSW */
};

const char *detail_class(uint32_t isa, uint64_t code, uint32_t detail)
{
	uint64_t basic = reason_basic(isa, code);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(detail_classes) && !failed_entry(isa, code); i++)
		if (detail_classes[i].isa == isa && detail_classes[i].code == basic &&
		    detail >= detail_classes[i].first && detail <= detail_classes[i].last)
			return detail_classes[i].class;
	return reason_class(isa, code);
}

/* MMIO is never an EPT_VIOLATION unless its detail says so: see vmx_class. */
bool reason_undecided(uint32_t isa, uint64_t code, uint32_t detail)
{
	if (detail != KVMSTAT_DETAIL_NONE || failed_entry(isa, code))
		return false;
	code = reason_basic(isa, code);
	if (isa == KVMSTAT_ISA_SVM)
		return code == 0x07c || code == 0x400;
	return isa == KVMSTAT_ISA_VMX && (code == 0 || code == 28);
}

/* Mnemonics of SDM vol. 3, table 6-1. */
static const char * const vectors[] = {
	[0] = "#DE", [1] = "#DB", [2] = "NMI", [3] = "#BP", [4] = "#OF", [5] = "#BR",
	[6] = "#UD", [7] = "#NM", [8] = "#DF", [10] = "#TS", [11] = "#NP", [12] = "#SS",
	[13] = "#GP", [14] = "#PF", [16] = "#MF", [17] = "#AC", [18] = "#MC", [19] = "#XM",
	[20] = "#VE", [21] = "#CP",
};

static const char * const plain_details[] = {
	[KVMSTAT_DETAIL_NONE] = "none", [KVMSTAT_DETAIL_READ] = "read",
	[KVMSTAT_DETAIL_WRITE] = "write", [KVMSTAT_DETAIL_TOUCH] = "touch",
	[KVMSTAT_DETAIL_MMIO] = "mmio", [KVMSTAT_DETAIL_PROTECT] = "protect",
};

/* CLTS and LMSW have CR0 for their register: bits 3:0 are 0. */
static bool name_cr_access(uint32_t bits, char buf[DETAIL_NAME_MAX])
{
	switch (bits >> 4) {
	case 0:
		snprintf(buf, DETAIL_NAME_MAX, "mov to cr%u", bits & 15);
		return true;
	case 1:
		snprintf(buf, DETAIL_NAME_MAX, "mov from cr%u", bits & 15);
		return true;
	default:
		snprintf(buf, DETAIL_NAME_MAX, "%s", bits == 0x20 ? "clts" : "lmsw");
		return bits == 0x20 || bits == 0x30;
	}
}

const char *detail_name(uint32_t detail, char buf[DETAIL_NAME_MAX])
{
	const uint32_t vector = detail - KVMSTAT_DETAIL_VECTOR;

	if (detail < ARRAY_SIZE(plain_details))
		snprintf(buf, DETAIL_NAME_MAX, "%s", plain_details[detail]);
	else if (vector < ARRAY_SIZE(vectors) && vectors[vector])
		snprintf(buf, DETAIL_NAME_MAX, "%s", vectors[vector]);
	else if (vector < 256)
		snprintf(buf, DETAIL_NAME_MAX, "vector 0x%x", vector);
	else if (detail - KVMSTAT_DETAIL_CR >= 64 || !name_cr_access(detail & 63, buf))
		snprintf(buf, DETAIL_NAME_MAX, "detail 0x%x", detail);
	return buf;
}

/* No detail has a name that another one could have. */
bool detail_find(const char *name, uint32_t *detail)
{
	char buf[DETAIL_NAME_MAX];

	if (sscanf(name, "detail 0x%8x", detail) == 1 && !strcmp(name, detail_name(*detail, buf)))
		return true;
	for (*detail = 0; *detail < KVMSTAT_DETAIL_CR + 64; (*detail)++)
		if (!strcmp(name, detail_name(*detail, buf)))
			return true;
	return false;
}

/* With the prefix that L2's classes have, which others skip. */
static const char *common_class(const char *class)
{
	static const char * const wider[][2] = {
		{ "CR_READ", "L2_CR_ACCESS" },
		{ "CR_WRITE", "L2_CR_ACCESS" },
		{ "MSR_READ", "L2_MSR" },
		{ "MSR_WRITE", "L2_MSR" },
		{ "PAGE_FAULT", "L2_EXCEPTION" },
		{ "NMI", "L2_EXCEPTION" },
		{ "MMIO", "L2_NESTED_PAGE_FAULT" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wider); i++)
		if (!strcmp(class, wider[i][0]))
			return wider[i][1];
	return NULL;
}

const char *reason_class_common(const char *class)
{
	size_t prefix = strncmp(class, "L2_", 3) ? 0 : 3;
	const char *common = common_class(class + prefix);

	return common ? common + 3 - prefix : class;
}
