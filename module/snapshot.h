/* SPDX-License-Identifier: GPL-2.0-only */
/* Every counter in one buffer, laid out as uapi/kvmstat.h says. */
#ifndef KVMSTAT_SNAPSHOT_H
#define KVMSTAT_SNAPSHOT_H

#include "uapi/kvmstat.h"

/*
 * A copy of everything, for kvfree(); its size in *size. An ERR_PTR on
 * -ENOMEM, and -EINTR when killed while waiting for another reader.
 */
void *snapshot_take(size_t *size);
/* The same of the guests' address spaces; -ENODATA where they are not told apart. */
void *spaces_take(size_t *size);
int snapshot_reset(void);
int snapshot_get_info(struct kvmstat_info *info);
void snapshot_init(void);
u64 snapshot_instance(void);	/* one per load of the module */

/* The sections of a snapshot made by this module. */
static inline struct kvmstat_vm *snapshot_vms(struct kvmstat_snapshot *s)
{
	return (struct kvmstat_vm *)(s + 1);
}

static inline struct kvmstat_vcpu *snapshot_vcpus(struct kvmstat_snapshot *s)
{
	return (struct kvmstat_vcpu *)(snapshot_vms(s) + s->nr_vms);
}

static inline struct kvmstat_cell *snapshot_cells(struct kvmstat_snapshot *s)
{
	return (struct kvmstat_cell *)(snapshot_vcpus(s) + s->nr_vcpus);
}

static inline u64 *snapshot_buckets(struct kvmstat_snapshot *s)
{
	return (u64 *)(snapshot_cells(s) + s->nr_cells);
}

#endif
