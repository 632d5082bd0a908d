// SPDX-License-Identifier: GPL-2.0-or-later
/* The collector's memory as this process reads it. */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "tables.h"

static const void *map_one(int fd, size_t size)
{
	struct bpf_map_info info = { 0 };
	uint32_t info_size = sizeof(info);
	void *data;

	if (bpf_obj_get_info_by_fd(fd, &info, &info_size) < 0)
		return NULL;
	if (info.value_size != size || info.max_entries != 1) {
		errno = EPROTO;
		return NULL;
	}
	data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	return data == MAP_FAILED ? NULL : data;
}

int tables_map(struct tables *tables, int settings_fd, int memory_fd)
{
	tables->settings = map_one(settings_fd, sizeof(*tables->settings));
	if (!tables->settings)
		return -1;
	tables->memory = map_one(memory_fd, sizeof(*tables->memory));
	return tables->memory ? 0 : -1;
}

void tables_unmap(struct tables *tables)
{
	if (tables->settings)
		munmap((void *)tables->settings, sizeof(*tables->settings));
	if (tables->memory)
		munmap((void *)tables->memory, sizeof(*tables->memory));
}
