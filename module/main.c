// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvmstat: counts and times every VM exit that KVM takes, by reason.
 *
 *   tally.h    the hot path: one vCPU's counters
 *   registry.c which vCPUs and VMs there are and were
 *   probes.c   what happens at each event
 *   hooks.c    the probes on KVM, attached and detached
 *   reason.c   the exit reason, read from the VMCB or VMCS
 *   guest_leaf.c a guest asks for its own exits     exit_codes.c which there are
 *   guest_spaces.c a guest's address spaces     spaces.c those of one vCPU
 *   btf.c      how this kernel calls probes
 *   snapshot.c everything copied into one buffer     spaces_copy.c the same of spaces
 *   chardev.c  /dev/kvmstat            debugfs.c  /sys/kernel/debug/kvmstat
 *   compat.h   what differs between kernels
 */
#define pr_fmt(fmt) "kvmstat: " fmt

#include <linux/module.h>

#include "chardev.h"
#include "debugfs.h"
#include "hooks.h"
#include "reason.h"
#include "registry.h"
#include "snapshot.h"

static int __init kvmstat_init(void)
{
	int err;

	snapshot_init();
	err = registry_init();
	if (err)
		return err;
	err = reason_init();
	if (err)
		goto err_registry;
	err = hooks_init();
	if (err)
		goto err_reason;
	err = chardev_init();
	if (err)
		goto err_hooks;
	kvmstat_debugfs_init();
	return 0;

err_hooks:
	hooks_exit();
err_reason:
	reason_exit();
err_registry:
	registry_exit();
	return err;
}

static void __exit kvmstat_exit(void)
{
	kvmstat_debugfs_exit();
	chardev_exit();
	hooks_exit();
	reason_exit();
	registry_exit();
}

module_init(kvmstat_init);
module_exit(kvmstat_exit);

MODULE_DESCRIPTION("VM exits of KVM, counted and timed by reason");
MODULE_AUTHOR("The kvmstat authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
