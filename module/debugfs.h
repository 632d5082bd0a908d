/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/kernel/debug/kvmstat/, for the eye and the shell:
 *   reasons  totals, then one line per exit reason
 *   vms      the same per VM and vCPU
 *   reset    write anything to start counting again
 */
#ifndef KVMSTAT_DEBUGFS_H
#define KVMSTAT_DEBUGFS_H

void kvmstat_debugfs_init(void);
void kvmstat_debugfs_exit(void);

#endif
