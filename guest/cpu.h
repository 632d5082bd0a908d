/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's virtualization: which ISA, and whether KVM uses nested paging. */
#ifndef KVMSTAT_GUEST_CPU_H
#define KVMSTAT_GUEST_CPU_H

#include <stdint.h>

#include "catalogue.h"

/* KVMSTAT_ISA_* by the CPU's flags: kvm_amd and kvm_intel may both be built in. */
uint32_t cpu_isa(void);
/* The world in force, or -1 after a message. */
int cpu_world(enum world *world);
/* KVMSTAT_ISA_* of a world. */
uint32_t world_isa(enum world world);
const char *world_name(enum world world);

#endif
