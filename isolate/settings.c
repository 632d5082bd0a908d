// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Settings of the host kept from the jail that root starts. What is made
 * read-only in the outer namespaces stays so in the inner ones
 * (mount_namespaces(7)), and a /proc or /sys that is mounted there may not
 * show more, nor be more writable, than one that it can see: the kernel's
 * mount_too_revealing().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "refusal.h"
#include "settings.h"

/* What is in /proc besides processes and can be written to. */
static const char *const settings[] = {
	"/proc/acpi", "/proc/bus", "/proc/dynamic_debug", "/proc/fs", "/proc/irq", "/proc/mtrr",
	"/proc/scsi", "/proc/sys", "/proc/sysrq-trigger",
};

static bool are_ours(void)
{
	struct stat st;

	return !stat("/proc/sys", &st) && st.st_uid == geteuid();
}

/* And what is mounted below. */
static int make_read_only(int fd)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	return mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr));
}

static bool has_settings(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC);
}

/* Where that cannot be told it is taken for one: then what fails is said. */
static bool is_mount(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, 0, &st) || st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* What another mount covers has no name: something else may be found there. */
static int lock_mount(const char *dir)
{
	int fd = open(dir, O_PATH | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return 0;
	if (has_settings(fd) && is_mount(fd))
		err = make_read_only(fd);
	close(fd);
	return err;
}

/*
 * In a cgroup namespace of its own the jail could mount the host's cgroups, whose
 * files ask for their owner alone, too. In a jail in the jail this holds already.
 */
static int allow_no_cgroup_namespace(void)
{
	int fd = open("/proc/sys/user/max_cgroup_namespaces", O_WRONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return errno == ENOENT || errno == EROFS ? 0 : -1;
	err = write(fd, "0", 1) < 0 ? -1 : 0;
	close(fd);
	return err;
}

int settings_lock_host(void)
{
	struct mntent *entry;
	FILE *mounts;
	int err = 0;

	if (!are_ours())
		return 0;
	if (allow_no_cgroup_namespace() < 0)
		return refusal("cannot keep the jail from cgroups", errno);
	mounts = setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return refusal("cannot read /proc/self/mounts", errno);
	while (!err && (entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_type, "proc") || !strcmp(entry->mnt_type, "sysfs"))
			err = lock_mount(entry->mnt_dir);
	if (err)
		refusal("cannot make the kernel's settings read-only", errno);
	endmntent(mounts);
	return err;
}

static int bind_read_only(const char *from, const char *to)
{
	int fd, err;

	if (mount(from, to, NULL, MS_BIND, NULL) < 0)
		return errno == ENOENT ? 0 : -1;
	fd = open(to, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -1;
	err = make_read_only(fd);
	close(fd);
	return err;
}

/*
 * Of the jail's /proc parts are now covered, and of the host's all is. The kernel asks
 * for one without covered parts before another may be mounted in the jail: there is
 * one more, read-only, which has no name either as soon as /proc/sys is covered.
 */
static int leave_one_whole(void)
{
	return bind_read_only("/proc", "/proc/sys/fs");
}

int settings_lock_own(void)
{
	int err;
	size_t i;

	if (!are_ours())
		return 0;
	err = leave_one_whole();
	for (i = 0; !err && i < sizeof(settings) / sizeof(settings[0]); i++)
		err = bind_read_only(settings[i], settings[i]);
	return err ? refusal("cannot make the kernel's settings read-only", errno) : 0;
}
