/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The collector's maps as plain memory to read, of a loaded one or of a pinned one. */
#ifndef KVMSTAT_BPF_TABLES_H
#define KVMSTAT_BPF_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "shared.h"

enum { TABLE_SETTINGS, TABLE_ALL, TABLE_CELLS, TABLE_VCPUS, TABLE_VMS, NR_TABLES };

struct table {
	const char *data;
	size_t size;		/* bytes mapped */
	uint32_t nr;
	uint32_t stride;
};

struct tables {
	struct table table[NR_TABLES];
};

/* Of a map, which is an array. 0, or -1 with errno. */
int table_map(struct table *table, int fd);
void tables_unmap(struct tables *tables);

static inline const void *table_at(const struct tables *tables, int which, uint32_t index)
{
	const struct table *t = &tables->table[which];

	return t->data + (size_t)index * t->stride;
}

static inline const struct settings *tables_settings(const struct tables *tables)
{
	return table_at(tables, TABLE_SETTINGS, 0);
}

static inline const struct totals_of_all *tables_all(const struct tables *tables)
{
	return table_at(tables, TABLE_ALL, 0);
}

#endif
