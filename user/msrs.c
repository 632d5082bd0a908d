// SPDX-License-Identifier: GPL-2.0-or-later
/* Model-specific registers: this machine's, or those in a file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "message.h"
#include "msrs.h"
#include "sysfs.h"

#define DEVICE "/dev/cpu/0/msr"

static int open_device(struct msrs *msrs)
{
	char path[SYSFS_PATH_MAX];

	sysfs_path(path, DEVICE);
	msrs->name = DEVICE;
	msrs->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (msrs->fd >= 0)
		return 0;
	if (errno == EACCES || errno == EPERM)
		error("caps: %s: %s: VMX's MSRs take root's rights: run with sudo", DEVICE,
		      strerror(errno));
	else if (errno == ENOENT || errno == ENXIO)
		error("caps: %s: %s: VMX's MSRs are read through it: run \"sudo modprobe msr\", or use --msrs FILE",
		      DEVICE, strerror(errno));
	else
		error("caps: %s: %s: use --msrs FILE", DEVICE, strerror(errno));
	return -1;
}

/* The whole line, or nothing. */
static bool parse_line(const char *line, struct msr *msr)
{
	unsigned long long address, value;
	char *end, *rest;

	errno = 0;
	address = strtoull(line, &end, 16);
	value = strtoull(end, &rest, 16);
	if (end == line || rest == end || rest[strspn(rest, " \t\r\n")] || errno ||
	    address > UINT32_MAX || strchr(line, '-'))
		return false;
	*msr = (struct msr){ address, value };
	return true;
}

static bool is_empty(const char *line)
{
	line += strspn(line, " \t\r\n");
	return !*line || *line == '#';
}

/* Longer than any line of text with an MSR in it, or no text at all. */
static bool is_cut(const char *line, FILE *file)
{
	return !strchr(line, '\n') && !feof(file);
}

static int read_lines(struct msrs *msrs, FILE *file)
{
	unsigned int number = 0;
	char line[256];

	while (fgets(line, sizeof(line), file)) {
		struct msr msr;

		number++;
		if (is_empty(line) && !is_cut(line, file))
			continue;
		if (is_cut(line, file) || !parse_line(line, &msr)) {
			error("%s:%u: is not an MSR and its value: write \"0x481 0x3f00000016\"",
			      msrs->name, number);
			return -1;
		}
		msrs->list = xgrow(msrs->list, msrs->nr, sizeof(*msrs->list));
		msrs->list[msrs->nr++] = msr;
	}
	if (!ferror(file))
		return 0;
	error("%s: cannot read: %s", msrs->name, strerror(errno));
	return -1;
}

int msrs_open(struct msrs *msrs, const char *file)
{
	FILE *stream;
	int ret;

	*msrs = (struct msrs){ .name = file, .fd = -1 };
	if (!file)
		return open_device(msrs);
	stream = fopen(file, "re");
	if (!stream) {
		error("%s: cannot open: %s", file, strerror(errno));
		return -1;
	}
	ret = read_lines(msrs, stream);
	fclose(stream);
	if (ret < 0)
		msrs_close(msrs);
	return ret;
}

void msrs_close(struct msrs *msrs)
{
	if (msrs->fd >= 0)
		close(msrs->fd);
	free(msrs->list);
	*msrs = (struct msrs){ .fd = -1 };
}

/* A later line goes before an earlier one. */
static const struct msr *find(const struct msrs *msrs, uint32_t address)
{
	size_t i;

	for (i = msrs->nr; i--;)
		if (msrs->list[i].address == address)
			return &msrs->list[i];
	return NULL;
}

bool msrs_lack(const struct msrs *msrs, uint32_t address)
{
	return msrs->fd < 0 && !find(msrs, address);
}

int msrs_read(const struct msrs *msrs, uint32_t address, const char *needed, uint64_t *value)
{
	const struct msr *msr = find(msrs, address);

	if (msrs->fd >= 0) {
		if (pread(msrs->fd, value, sizeof(*value), address) == sizeof(*value))
			return 0;
		error("%s: cannot read MSR 0x%" PRIx32 " (%s): %s: does the firmware, or what emulates this machine, hide it?",
		      msrs->name, address, needed, strerror(errno));
		return -1;
	}
	if (!msr) {
		error("%s: MSR 0x%" PRIx32 " is missing (%s): add a line with it", msrs->name,
		      address, needed);
		return -1;
	}
	*value = msr->value;
	return 0;
}
