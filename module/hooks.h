/* SPDX-License-Identifier: GPL-2.0-only */
/* The probes on KVM: attached when kvm is there or comes, let go when it goes. */
#ifndef KVMSTAT_HOOKS_H
#define KVMSTAT_HOOKS_H

#include <linux/types.h>

int hooks_init(void);
void hooks_exit(void);	/* when it returns, no probe is running */

u32 hooks_state(void);	/* KVMSTAT_HOOK_* */

#endif
