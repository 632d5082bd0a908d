// SPDX-License-Identifier: GPL-2.0-or-later
/* What a guest needs of the host. */
#include <cpuid.h>
#include <stddef.h>
#include <string.h>

#include "needs.h"

/* CPUID leaf 1, ECX. */
static bool cpu_has(unsigned int bit)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit;
}

/* QEMU without KVM: an emulator that knows SVM, but not all of it. */
static bool is_tcg(void)
{
	unsigned int eax, name[3];

	if (!cpu_has(1u << 31))		/* a hypervisor */
		return false;
	__cpuid(0x40000000, eax, name[0], name[1], name[2]);
	return !memcmp(name, "TCGTCGTCGTCG", sizeof(name));
}

const char *needs_xsetbv_intercept(enum world world)
{
	(void)world;
	if (!cpu_has(bit_XSAVE))
		return "the CPU has no XSAVE";
	return is_tcg() ? "QEMU emulates this CPU, and does not intercept XSETBV" : NULL;
}

const char *needs_invd_intercept(enum world world)
{
	(void)world;
	return is_tcg() ? "QEMU emulates this CPU, and takes INVD for WBINVD" : NULL;
}

/* Without it #UD comes before the intercept (APM vol. 2, 15.9). */
const char *needs_monitor(enum world world)
{
	(void)world;
	return cpu_has(1 << 3) ? NULL : "the CPU has no MONITOR";
}
