// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way into the jail. Two user namespaces, one in the other:
 *
 *  outer: owns the PID namespace. In it live pid 1, and /proc is mounted, and what
 *         root may not change is made read-only.
 *  inner: owns the network, UTS, IPC and mount namespaces; the program's.
 *
 * With one alone its root could unmount /proc, and would find the host's below.
 * What was mounted in a user namespace further out is locked (mount_namespaces(7)),
 * and pid 1 can be neither traced nor looked into.
 *
 * The process that came here enters all but the PID namespace, which takes
 * children only: pid 1 is the first of them, the program the second.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../user/message.h"
#include "jail.h"
#include "refusal.h"
#include "settings.h"
#include "veth.h"
#include "warden.h"

#define HOSTNAME "isolated"

static int write_proc(int proc, const char *name, const char *text)
{
	int fd = openat(proc, name, O_WRONLY | O_CLOEXEC);
	ssize_t written;

	if (fd < 0)
		return -1;
	written = write(fd, text, strlen(text));
	close(fd);
	return written < 0 ? -1 : 0;
}

/*
 * Who is alone in a new user namespace may map his own ids, and, without
 * rights outside, the group only where setgroups() is given up
 * (user_namespaces(7)).
 */
static int map_to_root(int proc, uid_t uid, gid_t gid)
{
	char uids[32], gids[32];

	snprintf(uids, sizeof(uids), "0 %u 1", uid);
	snprintf(gids, sizeof(gids), "0 %u 1", gid);
	if (write_proc(proc, "setgroups", "deny") < 0 ||
	    write_proc(proc, "uid_map", uids) < 0 || write_proc(proc, "gid_map", gids) < 0)
		return refusal("cannot become root in the jail", errno);
	return 0;
}

static int enter(int proc, int namespaces, uid_t uid, gid_t gid)
{
	if (unshare(CLONE_NEWUSER | namespaces) < 0)
		return refusal("cannot make namespaces", errno);
	return map_to_root(proc, uid, gid);
}

/* Where it must not be more writable than the one that is there: see settings.c. */
static int mount_proc(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (!mount("proc", "/proc", "proc", flags, NULL) ||
	    !mount("proc", "/proc", "proc", flags | MS_RDONLY, NULL))
		return 0;
	return errno;
}

/*
 * Says on its lifeline whether /proc could be mounted (only a process in the
 * PID namespace can), then waits for the other end to be closed: by the
 * warden, or by its death. With pid 1 all that is in the namespace dies.
 * Whom SIGCHLD is ignored by has no zombies. What is done to our job is not for
 * pid 1, so it is in none.
 */
static void __attribute__((noreturn)) be_init(int lifeline)
{
	int why = mount_proc();
	char byte;

	setpgid(0, 0);
	signal(SIGCHLD, SIG_IGN);
	dup2(lifeline, STDIN_FILENO);
	close_range(STDIN_FILENO + 1, ~0U, 0);
	if (write(STDIN_FILENO, &why, sizeof(why)) == sizeof(why))
		while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
			;
	_exit(0);
}

static int start_init(struct warden *warden)
{
	int ends[2], why;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return refusal("cannot make a socket", errno);
	warden->init = fork();
	if (warden->init < 0)
		return refusal("cannot start pid 1 of the jail", errno);
	if (!warden->init) {
		close(ends[0]);
		be_init(ends[1]);
	}
	close(ends[1]);
	warden->lifeline = ends[0];
	if (read(warden->lifeline, &why, sizeof(why)) != sizeof(why)) {
		error("pid 1 of the jail died: see dmesg");
		return -1;
	}
	return why ? refusal_of_proc(why) : 0;
}

static int loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);

	if (ret < 0)
		refusal("cannot set the jail's loopback interface up", errno);
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Who is in a directory of the host's /proc would see the host's processes still. */
static void leave_host_proc(void)
{
	char path[PATH_MAX];
	struct statfs fs;

	if (!statfs(".", &fs) && fs.f_type == PROC_SUPER_MAGIC &&
	    (!getcwd(path, sizeof(path)) || chdir(path) < 0) && chdir("/") < 0)
		warning("cannot leave the host's /proc: %s", strerror(errno));
}

static int enter_namespaces(struct warden *warden, int proc)
{
	if (enter(proc, CLONE_NEWPID | CLONE_NEWNS, geteuid(), getegid()) < 0)
		return -1;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return refusal("cannot keep the jail's mounts to itself", errno);
	if (settings_lock_host() < 0 || start_init(warden) < 0 || settings_lock_own() < 0 ||
	    enter(proc, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC, 0, 0) < 0)
		return -1;
	leave_host_proc();
	if (sethostname(HOSTNAME, strlen(HOSTNAME)) < 0)
		return refusal("cannot set the jail's hostname", errno);
	return loopback_up();
}

/* /proc/self as it is outside: it is needed when another /proc is in its place. */
static int build_jail(struct warden *warden)
{
	int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (proc < 0)
		return refusal_of_no_proc(errno);
	err = enter_namespaces(warden, proc);
	close(proc);
	return err;
}

static int start_program(struct warden *warden)
{
	warden->program = fork();
	if (warden->program < 0)
		return refusal("cannot start a process in the jail", errno);
	if (warden->program)
		warden_watch(warden);
	warden_leave(warden);
	return 0;
}

int jail_enter(const struct jail_options *options)
{
	struct warden warden;
	struct veth veth;

	flush_output();
	refusal_begin();
	warden_begin(&warden);
	if (options->veth)
		veth_begin(&veth);
	if (build_jail(&warden) < 0)
		return -1;
	if (options->veth)
		warden.veth = veth_connect(&veth);
	return start_program(&warden);
}
