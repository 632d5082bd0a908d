// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pinned collector: a directory of the BPF filesystem with a link for each
 * program and the maps that are read. It counts as long as the links are there; a
 * start that did not get to its end leaves no map of the settings, which comes last.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/magic.h>

#include "../user/memory.h"
#include "../user/message.h"
#include "collector.h"
#include "loaded.h"

#define PIN_MAX 128

static const char * const table_names[NR_TABLES] = {
	[TABLE_SETTINGS] = "settings",
	[TABLE_ALL] = "all",
	[TABLE_CELLS] = "cells",
	[TABLE_VCPUS] = "vcpus",
	[TABLE_VMS] = "vms",
};

static void pin_path(char path[PIN_MAX], const char *name)
{
	snprintf(path, PIN_MAX, COLLECTOR_PINS "/%s", name);
}

static int explain(const char *what, int why)
{
	error("BPF: " COLLECTOR_PINS ": %s: %s", what, strerror(why));
	return -1;
}

static int check_filesystem(void)
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs) == 0 && fs.f_type == BPF_FS_MAGIC)
		return 0;
	error("BPF: no BPF filesystem to pin to: mount -t bpf bpf /sys/fs/bpf");
	return -1;
}

static int open_table(struct collector *c, int which)
{
	char path[PIN_MAX];
	int fd, ret;

	pin_path(path, table_names[which]);
	fd = bpf_obj_get(path);		/* to be written, too: else it cannot be mapped */
	if (fd < 0)
		return -1;
	ret = table_map(&c->tables.table[which], fd);
	close(fd);
	return ret;
}

static int check_version(const struct collector *c)
{
	const struct table *settings = &c->tables.table[TABLE_SETTINGS];
	unsigned int version = *(const __u32 *)settings->data;

	if (version == COLLECTOR_VERSION && settings->stride == sizeof(struct settings))
		return 0;
	error("BPF: " COLLECTOR_PINS " is of another version of this program: kvmstat-report bpf stop, and start it again");
	return -1;
}

struct collector *collector_find(void)
{
	struct collector *c;
	int i, why = 0;

	if (access(COLLECTOR_PINS "/settings", F_OK) < 0) {
		if (errno == ENOENT || errno == ENOTDIR) {
			errno = ENOENT;
			return NULL;
		}
		why = errno;
		error("BPF: " COLLECTOR_PINS ": %s: its counters are for root: run with sudo", strerror(why));
		errno = why;
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->btf = -1;
	for (i = 0; i < NR_TABLES && !why; i++)
		if (open_table(c, i) < 0)
			why = errno;
	if (why)
		explain("cannot be read", why);
	else if (check_version(c) == 0)
		return c;
	collector_close(c);
	errno = EINVAL;
	return NULL;
}

static int pin_links(struct collector *c)
{
	char path[PIN_MAX], name[16];
	size_t i;

	for (i = 0; i < c->nr_links; i++) {
		snprintf(name, sizeof(name), "link_%zu", i);
		pin_path(path, name);
		if (bpf_link__pin(c->links[i], path) < 0)
			return explain(name, errno);
	}
	return 0;
}

static int pin_tables(struct collector *c)
{
	int i;

	/* The settings, 0, last: then all is there. */
	for (i = NR_TABLES - 1; i >= 0; i--) {
		char path[PIN_MAX];

		pin_path(path, table_names[i]);
		if (bpf_obj_pin(c->map_fd[i], path) < 0)
			return explain(table_names[i], errno);
	}
	return 0;
}

/* To destroy a link is to detach it, unless it is told otherwise. */
static void keep_attached(struct collector *c)
{
	size_t i;

	for (i = 0; i < c->nr_links; i++)
		bpf_link__disconnect(c->links[i]);
}

int collector_pin(struct collector *c)
{
	if (check_filesystem() < 0)
		return -1;
	if (mkdir(COLLECTOR_PINS, 0700) < 0) {
		if (errno != EEXIST)
			return explain("cannot be made", errno);
		error("BPF: a collector is there already: kvmstat-report bpf status, or stop");
		return -1;
	}
	if (pin_links(c) == 0 && pin_tables(c) == 0) {
		keep_attached(c);
		return 0;
	}
	collector_unpin();
	return -1;
}

int collector_unpin(void)
{
	DIR *dir = opendir(COLLECTOR_PINS);
	struct dirent *entry;
	int ret = 0;

	if (!dir && errno == ENOENT) {
		error("BPF: no collector is pinned at " COLLECTOR_PINS);
		return -1;
	}
	if (!dir)
		return explain("cannot be read", errno);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			ret = explain(entry->d_name, errno);
	closedir(dir);
	if (ret == 0 && rmdir(COLLECTOR_PINS) < 0)
		return explain("cannot be removed", errno);
	return ret;
}
