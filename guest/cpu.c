// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's virtualization: which ISA, and whether KVM uses nested paging. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../module/uapi/kvmstat.h"
#include "../user/message.h"
#include "../user/sysfs.h"
#include "cpu.h"

uint32_t cpu_isa(void)
{
	uint32_t isa = KVMSTAT_ISA_UNKNOWN;
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[8192];

	while (f && !isa && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "flags", 5))
			continue;
		if (strstr(line, " svm "))
			isa = KVMSTAT_ISA_SVM;
		else if (strstr(line, " vmx "))
			isa = KVMSTAT_ISA_VMX;
	}
	if (f)
		fclose(f);
	return isa;
}

/* A bool parameter reads Y or N, an int 1 or 0. */
static int read_switch(const char *path, bool *on)
{
	char value[16];

	if (!sysfs_read(value, sizeof(value), "%s", path)) {
		error("cannot read %s, so the paging mode is not known: is the vendor module loaded?",
		      path);
		return -1;
	}
	*on = toupper((unsigned char)value[0]) == 'Y' || value[0] == '1';
	return 0;
}

int cpu_world(enum world *world)
{
	bool nested = false;

	switch (cpu_isa()) {
	case KVMSTAT_ISA_SVM:
		if (read_switch("/sys/module/kvm_amd/parameters/npt", &nested))
			return -1;
		*world = nested ? SVM_NESTED : SVM_SHADOW;
		return 0;
	case KVMSTAT_ISA_VMX:
		if (read_switch("/sys/module/kvm_intel/parameters/ept", &nested))
			return -1;
		*world = nested ? VMX_NESTED : VMX_SHADOW;
		return 0;
	}
	error("this CPU shows neither svm nor vmx: switch virtualization on in the firmware, or use tests/lab/run");
	return -1;
}

uint32_t world_isa(enum world world)
{
	return world < VMX_NESTED ? KVMSTAT_ISA_SVM : KVMSTAT_ISA_VMX;
}

const char *world_name(enum world world)
{
	static const char * const names[NR_WORLDS] = {
		[SVM_NESTED] = "SVM, nested paging (NPT)",
		[SVM_SHADOW] = "SVM, shadow paging",
		[VMX_NESTED] = "VMX, nested paging (EPT)",
		[VMX_SHADOW] = "VMX, shadow paging",
	};

	return names[world];
}
