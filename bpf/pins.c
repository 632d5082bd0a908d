// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pinned collector: a directory of the BPF filesystem with a link for each
 * program and the maps that are read. It counts as long as the links are there; a
 * start that did not get to its end leaves no map of the settings, which comes last.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

static int half_done(void)
{
	error("BPF: " COLLECTOR_PINS ": a start or stop is under way, or one did not get to its end: kvmstat-report bpf stop, and start it again");
	return -1;
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

/* A part of it. */
static int explain_part(int why)
{
	return why == ENOENT ? half_done() : explain("cannot be opened", why);
}

static int other_version(void)
{
	error("BPF: " COLLECTOR_PINS " is of another version of this program: kvmstat-report bpf stop, and start it again");
	return -1;
}

/*
 * The directory, for certain: where the BPF filesystem is open to all (as mount makes
 * it, unless it is told otherwise) anybody can put something of that name there, and
 * a link that leads elsewhere, too. Descriptor, or -1 with errno.
 */
static int open_directory(void)
{
	int fd = open(COLLECTOR_PINS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || (fstatfs(fd, &fs) == 0 && fs.f_type == BPF_FS_MAGIC))
		return fd;
	close(fd);
	errno = ENOTDIR;
	return -1;
}

static int explain_open(void)
{
	return explain(errno == ELOOP || errno == ENOTDIR ?
		       "is no directory of the BPF filesystem: remove it" : "cannot be opened", errno);
}

static bool is_trusted(int directory)
{
	struct stat st;

	if (fstat(directory, &st) == 0 && (!st.st_uid || st.st_uid == geteuid()))
		return true;
	error("BPF: " COLLECTOR_PINS " is of user %u, neither root's nor yours: end it with \"sudo kvmstat-report bpf stop\", and mount /sys/fs/bpf with -o mode=0700",
	      st.st_uid);
	return false;
}

/* What is there that is no collector to read, or in the way of another one. Always -1. */
static int explain_what_is_there(void)
{
	int fd = open_directory();

	if (fd < 0)
		return explain_open();
	if (is_trusted(fd)) {
		if (faccessat(fd, "settings", F_OK, AT_EACCESS) == 0)
			error("BPF: a collector is there already: kvmstat-report bpf status, or stop");
		else
			half_done();
	}
	close(fd);
	return -1;
}

static bool something_is_there(void)
{
	struct stat st;

	return lstat(COLLECTOR_PINS, &st) == 0 || errno != ENOENT;
}

static int identify(struct collector *c, int directory)
{
	struct stat st;

	if (!is_trusted(directory))
		return -1;
	if (fstatat(directory, "settings", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return explain_part(errno);
	c->pinned = st.st_ino;
	return 0;
}

static int check_directory(struct collector *c)
{
	int fd = open_directory(), ret;

	if (fd < 0)
		return explain_open();
	ret = identify(c, fd);
	close(fd);
	return ret;
}

static int find(struct collector *c)
{
	if (check_directory(c) < 0)
		return -1;
	if (open_pins(c) == 0)
		return c->tables.settings->version == COLLECTOR_VERSION ? 0 : other_version();
	return errno == EPROTO ? other_version() : explain_part(errno);
}

struct collector *collector_find(void)
{
	struct collector *c;
	int why;

	/* As bpf(2) will want it, and with our capabilities, which access() leaves out. */
	if (faccessat(AT_FDCWD, PIN_SETTINGS, R_OK | W_OK, AT_EACCESS) < 0) {
		why = errno;
		if (why == ENOTDIR || (why == ENOENT && something_is_there())) {
			explain_what_is_there();
			why = EINVAL;
		} else if (why != ENOENT && why != EACCES) {
			explain("cannot be opened", why);
		}
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
			return explain("a link cannot be pinned", errno);
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

/* The settings first: what has none is no collector any more. */
static int unpin_all(DIR *dir)
{
	struct dirent *entry;

	if (unlinkat(dirfd(dir), "settings", 0) < 0 && errno != ENOENT)
		return explain("cannot be removed", errno);
	while ((entry = readdir(dir)))
		if (is_ours(entry->d_name) && unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			return explain(entry->d_name, errno);
	return 0;
}

static int none_pinned(void)
{
	error("BPF: no collector is pinned at " COLLECTOR_PINS);
	return -1;
}

/* Anybody's, as far as our rights go. */
static int unpin(struct collector *c)
{
	int fd = open_directory(), ret;
	DIR *dir;

	(void)c;
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
	if (mkdir(COLLECTOR_PINS, 0700) < 0)
		return errno == EEXIST ? explain_what_is_there() : explain("cannot be made", errno);
	if (pin_links(c) == 0 && pin_memory(c) == 0) {
		keep_attached(c);
		return 0;
	}
	unpin(c);
	return -1;
}

/* While no other start or stop does; a signal that ends the program waits for it. */
static int alone(int (*change)(struct collector *c), struct collector *c)
{
	int locked = lock(), ret;
	sigset_t all, before;

	if (locked < 0)
		return -1;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	ret = change(c);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(locked);
	return ret;
}

int collector_may_pin(void)
{
	return something_is_there() ? explain_what_is_there() : 0;
}

int collector_pin(struct collector *c)
{
	return alone(pin, c);
}

int collector_unpin(void)
{
	return something_is_there() ? alone(unpin, NULL) : none_pinned();
}
