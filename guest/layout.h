/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is where in a VM's memory, and its page tables, as text. */
#ifndef KVMSTAT_GUEST_LAYOUT_H
#define KVMSTAT_GUEST_LAYOUT_H

#include "vm.h"

/* From the vCPUs' own registers and memory. 0, or -1 where KVM disagrees. */
int layout_print(struct vm *vm);

#endif
