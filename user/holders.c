// SPDX-License-Identifier: GPL-2.0-or-later
/* The processes that have /dev/kvm or a VM open, as /proc/PID/fd shows it. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "holders.h"
#include "sysfs.h"
#include "text.h"

/* VMs, vCPUs and KVM's own device all pin the vendor module. */
static bool is_kvm_file(const char *target)
{
	return !strcmp(target, "/dev/kvm") || !strncmp(target, "anon_inode:kvm-", 15);
}

static bool holds_kvm(const char *pid)
{
	char path[SYSFS_PATH_MAX], target[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	sysfs_path(path, "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, target,
					    sizeof(target) - 1);

		if (length < 0)
			continue;
		target[length] = '\0';
		found = is_kvm_file(target);
	}
	closedir(dir);
	return found;
}

static void describe(const char *pid, char *buf, size_t size, bool first)
{
	char raw[32] = "?", comm[32];
	size_t used = strlen(buf);

	sysfs_read(raw, sizeof(raw), "/proc/%s/comm", pid);
	text_clean(comm, raw, sizeof(comm));
	snprintf(buf + used, size - used, "%spid %s (%s)", first ? "" : ", ", pid, comm);
}

void holders_describe(char *buf, size_t size)
{
	char path[SYSFS_PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	buf[0] = '\0';
	sysfs_path(path, "/proc");
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && holds_kvm(entry->d_name))
			describe(entry->d_name, buf, size, !buf[0]);
	closedir(dir);
}

bool holders_any(void)
{
	char list[64];

	holders_describe(list, sizeof(list));
	return list[0];
}
