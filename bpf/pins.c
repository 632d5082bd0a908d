// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pinned collector: a directory of the BPF filesystem with a link for each
 * program and the maps that are read. It counts as long as the links are there; a
 * start that did not get to its end leaves no map of the settings, which comes last.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/magic.h>

#include "../user/memory.h"
#include "../user/message.h"
#include "collector.h"
#include "loaded.h"

#define PIN_MAX 128

#define PIN_SETTINGS COLLECTOR_PINS "/settings"
#define PIN_MEMORY COLLECTOR_PINS "/memory"

static int explain(const char *what, int why)
{
	error("BPF: " COLLECTOR_PINS ": %s: %s%s", what, strerror(why),
	      why == EACCES || why == EPERM ? ": run with sudo" : "");
	return -1;
}

static void half_a_start(void)
{
	error("BPF: " COLLECTOR_PINS ": a start is under way, or did not get to its end: kvmstat-report bpf stop, and start it again");
}

#define BPF_FS "/sys/fs/bpf"
#define LOCK_TRIES 50		/* of 0.1 s each: a start or a stop takes less than one */

static bool lock_patiently(int fd)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	int tries;

	for (tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
		if (tries == LOCK_TRIES)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* One start or stop at a time, until this descriptor is closed. -1 after an error message. */
static int lock(void)
{
	int fd = open(BPF_FS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return explain("cannot be changed", errno);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != BPF_FS_MAGIC)
		error("BPF: no BPF filesystem to pin to: mount -t bpf -o mode=0700 bpf " BPF_FS);
	else if (!lock_patiently(fd))
		error("BPF: " BPF_FS " is locked: another start or stop is under way (lslocks tells whose): try again");
	else
		return fd;
	close(fd);
	return -1;
}

/* To be written, too: else it cannot be mapped. */
static int open_pins(struct collector *c)
{
	int settings = bpf_obj_get(PIN_SETTINGS), memory = bpf_obj_get(PIN_MEMORY), why = errno;
	int ret = -1;

	if (settings >= 0 && memory >= 0) {
		ret = tables_map(&c->tables, settings, memory);
		why = errno;
	}
	if (settings >= 0)
		close(settings);
	if (memory >= 0)
		close(memory);
	errno = why;
	return ret;
}

static int other_version(void)
{
	error("BPF: " COLLECTOR_PINS " is of another version of this program: kvmstat-report bpf stop, and start it again");
	return -1;
}

/*
 * The directory, for certain: where the BPF filesystem is open to all (as mount makes
 * it, unless it is told otherwise) anybody can put something of that name there, and
 * a link that leads elsewhere, too. Descriptor, or -1 with errno: 0 after a message.
 */
static int open_directory(void)
{
	int fd = open(COLLECTOR_PINS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return fd;
	if (fs.f_type == BPF_FS_MAGIC && (!st.st_uid || st.st_uid == geteuid()))
		return fd;
	error("BPF: " COLLECTOR_PINS " is of user %u, neither root's nor yours: it is not touched; remove it, and mount /sys/fs/bpf with -o mode=0700",
	      st.st_uid);
	close(fd);
	errno = 0;
	return -1;
}

static int explain_open(void)
{
	if (!errno)
		return -1;
	return explain(errno == ELOOP || errno == ENOTDIR ?
		       "is no directory of the BPF filesystem: remove it" : "cannot be read", errno);
}

static int check_owner(struct collector *c)
{
	int fd = open_directory(), ret;
	struct stat st;

	if (fd < 0)
		return explain_open();
	ret = fstatat(fd, "settings", &st, AT_SYMLINK_NOFOLLOW);
	close(fd);
	if (ret < 0)
		return explain("cannot be read", errno);
	c->pinned = st.st_ino;
	return 0;
}

static int find(struct collector *c)
{
	if (check_owner(c) < 0)
		return -1;
	if (open_pins(c) < 0)
		return errno == EPROTO ? other_version() : explain("cannot be read", errno);
	return c->tables.settings->version == COLLECTOR_VERSION ? 0 : other_version();
}

struct collector *collector_find(void)
{
	struct collector *c;
	int why;

	if (access(PIN_SETTINGS, F_OK) < 0) {
		why = errno == ENOTDIR ? ENOENT : errno;
		if (why == ENOENT && access(COLLECTOR_PINS, F_OK) == 0) {
			half_a_start();
			errno = EINVAL;
			return NULL;
		}
		if (why != ENOENT && why != EACCES)
			explain("cannot be read", why);
		errno = why;
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->btf = -1;
	if (find(c) == 0)
		return c;
	collector_close(c);
	errno = EINVAL;
	return NULL;
}

bool collector_counts(const struct collector *c)
{
	struct stat st;

	return !c->pinned || (stat(PIN_SETTINGS, &st) == 0 && st.st_ino == c->pinned);
}

static int pin_links(struct collector *c)
{
	char path[PIN_MAX], name[16];
	size_t i;

	for (i = 0; i < c->nr_links; i++) {
		snprintf(name, sizeof(name), "link_%zu", i);
		snprintf(path, sizeof(path), COLLECTOR_PINS "/%s", name);
		if (bpf_link__pin(c->links[i], path) < 0)
			return explain(name, errno);
	}
	return 0;
}

/* The settings last: then all is there. */
static int pin_memory(struct collector *c)
{
	if (bpf_obj_pin(c->memory_fd, PIN_MEMORY) < 0 || bpf_obj_pin(c->settings_fd, PIN_SETTINGS) < 0)
		return explain("its memory cannot be pinned", errno);
	return 0;
}

/* To destroy a link is to detach it, unless it is told otherwise. */
static void keep_attached(struct collector *c)
{
	size_t i;

	for (i = 0; i < c->nr_links; i++)
		bpf_link__disconnect(c->links[i]);
}

/* What a start puts there, and nothing else. */
static bool is_ours(const char *name)
{
	return !strncmp(name, "link_", 5) || !strcmp(name, "memory") || !strcmp(name, "settings");
}

static int unpin_all(DIR *dir)
{
	struct dirent *entry;
	int ret = 0;

	while ((entry = readdir(dir)))
		if (is_ours(entry->d_name) && unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			ret = explain(entry->d_name, errno);
	return ret;
}

static int none_pinned(void)
{
	error("BPF: no collector is pinned at " COLLECTOR_PINS);
	return -1;
}

static int unpin(void)
{
	int fd = open_directory(), ret;
	DIR *dir;

	if (fd < 0 && errno == ENOENT)
		return none_pinned();
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return explain_open();
	ret = unpin_all(dir);
	closedir(dir);
	if (ret == 0 && rmdir(COLLECTOR_PINS) < 0)
		return explain(errno == ENOTEMPTY ? "holds what is not kvmstat's: remove that" :
						    "cannot be removed", errno);
	return ret;
}

/* All, or nothing. */
static int pin(struct collector *c)
{
	if (mkdir(COLLECTOR_PINS, 0700) < 0) {
		if (errno != EEXIST)
			return explain("cannot be made", errno);
		if (access(PIN_SETTINGS, F_OK) == 0)
			error("BPF: a collector is there already: kvmstat-report bpf status, or stop");
		else
			half_a_start();
		return -1;
	}
	if (pin_links(c) == 0 && pin_memory(c) == 0) {
		keep_attached(c);
		return 0;
	}
	unpin();
	return -1;
}

int collector_pin(struct collector *c)
{
	int locked = lock(), ret;

	if (locked < 0)
		return -1;
	ret = pin(c);
	close(locked);
	return ret;
}

int collector_unpin(void)
{
	int locked, ret;

	if (faccessat(AT_FDCWD, COLLECTOR_PINS, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return none_pinned();
	locked = lock();
	if (locked < 0)
		return -1;
	ret = unpin();
	close(locked);
	return ret;
}
