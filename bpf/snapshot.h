/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every counter of the maps in one buffer, laid out as uapi/kvmstat.h says. */
#ifndef KVMSTAT_BPF_SNAPSHOT_H
#define KVMSTAT_BPF_SNAPSHOT_H

#include "../user/device.h"
#include "tables.h"

/* To be freed by snapshot_free(). */
void snapshot_of_tables(struct snapshot *snap, const struct tables *tables);

#endif
