// SPDX-License-Identifier: GPL-2.0-or-later
/* What KVM itself counts of a vCPU. */
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stats.h"

static bool read_at(int fd, void *to, size_t size, int64_t offset)
{
	return pread(fd, to, size, offset) == (ssize_t)size;
}

/* Where the counter of this name is, or -1. */
static int64_t find(int fd, const char *name)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *desc;
	int64_t at = -1;
	size_t size;
	uint32_t i;

	if (!read_at(fd, &header, sizeof(header), 0))
		return -1;
	size = sizeof(*desc) + header.name_size;
	desc = malloc(size);
	for (i = 0; desc && at < 0 && i < header.num_desc; i++) {
		if (!read_at(fd, desc, size, header.desc_offset + i * size))
			break;
		if (!strncmp(desc->name, name, header.name_size))
			at = header.data_offset + desc->offset;
	}
	free(desc);
	return at;
}

void stats_open(struct stats *stats, int vcpu_fd)
{
	stats->fd = ioctl(vcpu_fd, KVM_GET_STATS_FD, NULL);
	stats->exits_at = stats->fd < 0 ? -1 : find(stats->fd, "exits");
}

void stats_close(struct stats *stats)
{
	if (stats->fd >= 0)
		close(stats->fd);
}

uint64_t stats_exits(const struct stats *stats)
{
	uint64_t exits = 0;

	if (stats->exits_at < 0 || !read_at(stats->fd, &exits, sizeof(exits), stats->exits_at))
		return 0;
	return exits;
}
