// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine that this runs on. */
#include <stdbool.h>

#include <cpuid.h>

#include "../module/uapi/kvmstat.h"
#include "machine.h"
#include "sysfs.h"

/* CPUID 1, ECX: Intel SDM vol. 2, CPUID. */
#define HAS_VMX (1U << 5)
/* CPUID 0x80000001, ECX: AMD APM vol. 3, E.4.2. */
#define HAS_SVM (1U << 2)

static bool ecx_has(unsigned int leaf, unsigned int bit)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(leaf, &eax, &ebx, &ecx, &edx) && ecx & bit;
}

uint32_t machine_cpu(void)
{
	if (ecx_has(1, HAS_VMX))
		return KVMSTAT_ISA_VMX;
	return ecx_has(0x80000001, HAS_SVM) ? KVMSTAT_ISA_SVM : KVMSTAT_ISA_UNKNOWN;
}

uint32_t machine_isa(void)
{
	if (sysfs_exists("/sys/module/kvm_intel/parameters"))
		return KVMSTAT_ISA_VMX;
	if (sysfs_exists("/sys/module/kvm_amd/parameters"))
		return KVMSTAT_ISA_SVM;
	return machine_cpu();
}

void machine_release(char *buf, int size)
{
	if (!sysfs_read(buf, size, "/proc/sys/kernel/osrelease"))
		*buf = '\0';
}
