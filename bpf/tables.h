/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The collector's memory as this process reads it, of a loaded one or of a pinned one. */
#ifndef KVMSTAT_BPF_TABLES_H
#define KVMSTAT_BPF_TABLES_H

#include "shared.h"
#include "programs.skel.h"

struct tables {
	const struct settings *settings;
	const struct programs__bss *memory;
};

/* The two maps by their descriptors. 0, or -1 with errno; EPROTO: of other sizes. */
int tables_map(struct tables *tables, int settings_fd, int memory_fd);
void tables_unmap(struct tables *tables);

#endif
