// SPDX-License-Identifier: GPL-2.0-or-later
/* What a guest needs of the host. */
#include <cpuid.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../user/sysfs.h"
#include "memory_map.h"
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

/* kB that the line 'name' of /proc has for the mapping at 'address', or (NULL) at all. */
static unsigned long proc_kb(const char *path, const char *name, const void *address)
{
	FILE *f = fopen(path, "re");
	char line[256], start[32] = "";
	unsigned long kb = 0;
	bool there = !address;

	snprintf(start, sizeof(start), "%lx-", (unsigned long)address);
	while (f && !kb && fgets(line, sizeof(line), f)) {
		if (address && !strncmp(line, start, strlen(start)))
			there = true;
		if (there && !strncmp(line, name, strlen(name))) {
			kb = strtoul(line + strlen(name), NULL, 10);
			break;
		}
	}
	if (f)
		fclose(f);
	return kb;
}

/* Tried: whether the host has them depends on its settings and on its memory. */
const char *needs_huge_pages(enum world world)
{
	const size_t size = GUEST_PART, huge = 0x200000;
	uint8_t *mapping = mmap(NULL, size + huge, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *memory = (uint8_t *)(((uintptr_t)mapping + huge - 1) & -huge);
	unsigned long kb = 0;
	size_t i;

	(void)world;
	if (mapping == MAP_FAILED)
		return "there is no memory to try huge pages with";
	if (!madvise(memory, size, MADV_HUGEPAGE)) {
		for (i = 0; i < size; i += huge)
			memory[i] = 1;
		kb = proc_kb("/proc/self/smaps", "AnonHugePages:", memory);
	}
	munmap(mapping, size + huge);
	return kb * 1024 >= size ? NULL : "the host gives no transparent huge pages";
}

const char *needs_swap(enum world world)
{
	(void)world;
	return proc_kb("/proc/meminfo", "SwapTotal:", NULL) ? NULL : "the host has no swap";
}

static bool is_on(const char *parameter)
{
	char value[8];

	return sysfs_read(value, sizeof(value), "%s", parameter) && (*value == 'Y' || *value == '1');
}

/* With PML the CPU keeps the log itself, and exits when it is full (SDM vol. 3, 29.3.6). */
const char *needs_write_protection(enum world world)
{
	return world == VMX_NESTED && is_on("/sys/module/kvm_intel/parameters/pml") ?
	       "the CPU logs dirty pages by itself (kvm_intel's pml=Y)" : NULL;
}

/* With APICv and AVIC most of what these guests do does not exit. */
const char *needs_emulated_apic(enum world world)
{
	return is_on(world < VMX_NESTED ? "/sys/module/kvm_amd/parameters/avic" :
		     "/sys/module/kvm_intel/parameters/enable_apicv") ?
	       "the CPU virtualizes the APIC (kvm_amd's avic=Y, kvm_intel's enable_apicv=Y)" : NULL;
}
