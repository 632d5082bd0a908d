// SPDX-License-Identifier: GPL-2.0-or-later
/* What exit reasons mean, and which of them KVM handles. */
#include <stdio.h>

#include "explain.h"
#include "reasons.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define RELEASE(major, minor) ((major) * 1000 + (minor))

static const struct explanations none = { .manual = "" };

const struct explanations *explanations_of(uint32_t isa)
{
	switch (isa) {
	case KVMSTAT_ISA_VMX:
		return &vmx_explanations;
	case KVMSTAT_ISA_SVM:
		return &svm_explanations;
	default:
		return &none;
	}
}

const struct explanation *reason_explain(uint32_t isa, uint64_t code)
{
	const struct explanations *of = explanations_of(isa);
	uint64_t basic = reason_basic(isa, code);
	size_t i;

	for (i = 0; i < of->nr; i++)
		if (basic >= of->list[i].first && basic <= of->list[i].last)
			return &of->list[i];
	return NULL;
}

/*
 * No exit of the manuals: KVM cannot enter real mode on VMX without unrestricted
 * guests, which need EPT (SDM vol. 3, 27.3.1.1), and emulates it.
 */
static const char why_untraced[] =
	"Without EPT there are no unrestricted guests: KVM emulates what the CPU cannot enter, and fires no event.";

const char *reason_why(uint32_t isa, uint64_t code)
{
	const struct explanation *explanation = reason_explain(isa, code);

	if (isa == KVMSTAT_ISA_VMX && code == KVMSTAT_CODE_UNTRACED)
		return why_untraced;
	return explanation ? explanation->why : NULL;
}

const char *by_paging_name(enum by_paging paging)
{
	static const char * const names[] = {
		[PAGING_SAME] = "-", [NESTED_ONLY] = "nested only", [SHADOW_ONLY] = "shadow only",
		[SHADOW_MORE] = "shadow more", [SHADOW_LESS] = "shadow less",
	};

	return names[paging];
}

struct handler {
	uint64_t first, last;
	unsigned int since;	/* RELEASE(); 0: all that kvmstat is for */
};

/*
 * What kvm_vmx_exit_handlers[] has (arch/x86/kvm/vmx/vmx.c). 6.17.9 has those of
 * 6.18, too.
 */
static const struct handler vmx_handlers[] = {
	{ 0, 2, 0 }, { 7, 10, 0 }, { 12, 15, 0 }, { 18, 32, 0 }, { 36, 37, 0 }, { 39, 41, 0 },
	{ 43, 50, 0 }, { 52, 62, 0 }, { 74, 74, 0 }, { 75, 75, RELEASE(6, 0) },
	{ 76, 77, RELEASE(6, 18) }, { 84, 85, RELEASE(6, 18) },
};

/* What svm_exit_handlers[] has (arch/x86/kvm/svm/svm.c). */
static const struct handler svm_handlers[] = {
	{ 0x000, 0x000, 0 }, { 0x003, 0x004, 0 }, { 0x008, 0x008, 0 }, { 0x010, 0x010, 0 },
	{ 0x013, 0x014, 0 }, { 0x018, 0x018, 0 }, { 0x020, 0x027, 0 }, { 0x030, 0x037, 0 },
	{ 0x041, 0x041, 0 }, { 0x043, 0x043, 0 }, { 0x046, 0x046, 0 }, { 0x04d, 0x04e, 0 },
	{ 0x051, 0x052, 0 }, { 0x060, 0x062, 0 }, { 0x064, 0x065, 0 }, { 0x06f, 0x06f, 0 },
	{ 0x072, 0x074, 0 }, { 0x076, 0x07d, 0 }, { 0x07f, 0x087, 0 }, { 0x089, 0x08b, 0 },
	{ 0x08d, 0x090, 0 }, { 0x094, 0x094, 0 }, { 0x098, 0x098, 0 }, { 0x0a2, 0x0a2, 0 },
	{ 0x0a5, 0x0a5, RELEASE(6, 16) }, { 0x0a6, 0x0a6, RELEASE(6, 15) }, { 0x400, 0x403, 0 },
};

static const struct handler *find_handler(uint32_t isa, uint64_t code)
{
	bool svm = isa == KVMSTAT_ISA_SVM;
	const struct handler *list = svm ? svm_handlers : vmx_handlers;
	size_t nr = svm ? ARRAY_SIZE(svm_handlers) : ARRAY_SIZE(vmx_handlers), i;
	uint64_t basic = reason_basic(isa, code);

	for (i = 0; i < nr; i++)
		if (basic >= list[i].first && basic <= list[i].last)
			return &list[i];
	return NULL;
}

enum handled reason_handled(uint32_t isa, uint64_t code, const char *release, char since[12])
{
	const struct handler *handler = find_handler(isa, code);
	unsigned int major, minor;

	if (!handler)
		return NOT_HANDLED;
	if (!handler->since ||
	    (sscanf(release, "%u.%u", &major, &minor) == 2 &&
	     RELEASE(major, minor) >= handler->since))
		return HANDLED;
	snprintf(since, 12, "%u.%u", handler->since / 1000, handler->since % 1000);
	return HANDLED_UNKNOWN;
}
