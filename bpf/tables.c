// SPDX-License-Identifier: GPL-2.0-or-later
/* The collector's maps as plain memory to read. */
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "tables.h"

int table_map(struct table *table, int fd)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	void *data;

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -1;
	table->nr = info.max_entries;
	table->stride = (info.value_size + 7) & ~7U;
	table->size = ((size_t)table->nr * table->stride + page - 1) & ~(page - 1);
	data = mmap(NULL, table->size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -1;
	table->data = data;
	return 0;
}

void tables_unmap(struct tables *tables)
{
	int i;

	for (i = 0; i < NR_TABLES; i++) {
		if (tables->table[i].data)
			munmap((void *)tables->table[i].data, tables->table[i].size);
		tables->table[i].data = NULL;
	}
}
