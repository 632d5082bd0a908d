/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is behind the ports of memory_map.h. */
#ifndef KVMSTAT_GUEST_PORTS_H
#define KVMSTAT_GUEST_PORTS_H

#include "vm.h"

/* After KVM_EXIT_IO. -1 after a message: the guest met an exception unprepared. */
int ports_handle(struct vcpu *vcpu);

#endif
