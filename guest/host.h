/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host does to a VM, for the guests that ask for it. */
#ifndef KVMSTAT_GUEST_HOST_H
#define KVMSTAT_GUEST_HOST_H

struct vm;

/* MONITOR and MWAIT are #UD without the CPUID bit, as on a CPU, and no NOPs. */
void host_disable_quirks(struct vm *vm);

#endif
