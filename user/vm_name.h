/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What its owner calls a VM. */
#ifndef KVMSTAT_VM_NAME_H
#define KVMSTAT_VM_NAME_H

#include "run.h"

/* QEMU's -name, of VMs that are alive; others keep what they have. */
void vm_names_read(struct run *run);

#endif
