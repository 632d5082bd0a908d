// SPDX-License-Identifier: GPL-2.0-or-later
/* The keeper: it alone changes the paging mode, and puts it back. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keeper.h"
#include "message.h"

enum request_type { SET_PAGING, WATCH };

struct request {
	enum request_type type;
	enum paging paging;
	pid_t group;
};

static ssize_t receive(int fd, void *buf, size_t size)
{
	ssize_t got;

	do
		got = recv(fd, buf, size, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

/* The last process that the kernel should kill for want of memory, if we may. */
static void survive_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t done = fd < 0 ? -1 : write(fd, "-1000", 5);

	(void)done;
	if (fd >= 0)
		close(fd);
}

/* Asked first: a VMM may have a disk image to close. */
static void kill_group(pid_t group)
{
	const struct timespec interval = { 0, 50 * 1000000L };
	int i;

	if (kill(-group, SIGTERM) < 0)
		return;
	kill(-group, SIGCONT);
	for (i = 0; i < 40 && kill(-group, 0) == 0; i++)
		nanosleep(&interval, NULL);
	kill(-group, SIGKILL);
}

/* EXIT_DONE when all is as it was. */
static int restore(const struct vendor *vendor, pid_t group)
{
	if (group)
		kill_group(group);
	return vendor_restore(vendor) < 0 ? EXIT_FAILED : EXIT_DONE;
}

static void __attribute__((noreturn)) keep(const struct vendor *vendor, int fd)
{
	struct request request;
	bool changed = false;
	pid_t group = 0;
	int answer;

	while (receive(fd, &request, sizeof(request)) == sizeof(request)) {
		if (request.type == WATCH) {
			group = request.group;
		} else {
			changed = true;
			answer = vendor_reload(vendor, request.paging);
		}
		if (request.type == SET_PAGING && send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			break;
	}
	if (!changed && group)
		kill_group(group);
	_exit(changed ? restore(vendor, group) : EXIT_DONE);
}

static void detach(void)
{
	sigset_t all;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	survive_oom();
}

int keeper_start(struct keeper *keeper, const struct vendor *vendor)
{
	int ends[2];

	keeper->vendor = vendor;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		error("cannot start the process that restores the paging mode: %s",
		      strerror(errno));
		return -1;
	}
	keeper->socket = ends[0];
	keeper->pid = fork();
	if (keeper->pid < 0) {
		error("cannot start the process that restores the paging mode: %s",
		      strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	if (!keeper->pid) {
		close(ends[0]);
		detach();
		keep(vendor, ends[1]);
	}
	close(ends[1]);
	return 0;
}

static int ask(struct keeper *keeper, const struct request *request)
{
	if (send(keeper->socket, request, sizeof(*request), MSG_NOSIGNAL) == sizeof(*request))
		return 0;
	error("the process that restores the paging mode is gone: %s", strerror(errno));
	return -1;
}

int keeper_set_paging(struct keeper *keeper, enum paging paging)
{
	const struct request request = { .type = SET_PAGING, .paging = paging };
	int answer;

	if (ask(keeper, &request) < 0)
		return -1;
	if (receive(keeper->socket, &answer, sizeof(answer)) == sizeof(answer))
		return answer;
	error("the process that restores the paging mode ended before its answer");
	return -1;
}

void keeper_watch(struct keeper *keeper, pid_t group)
{
	const struct request request = { .type = WATCH, .group = group };

	ask(keeper, &request);
}

static bool keeper_restored(struct keeper *keeper)
{
	int status;

	close(keeper->socket);
	while (waitpid(keeper->pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == EXIT_DONE;
	warning("the process that restores the paging mode was killed: restoring it from here");
	return vendor_restore(keeper->vendor) == 0;
}

int keeper_finish(struct keeper *keeper)
{
	const struct vendor *vendor = keeper->vendor;

	if (!keeper_restored(keeper))
		return -1;
	if (vendor_paging(vendor) == vendor->paging)
		return 0;
	error("%s: the paging mode is \"%s\" and was \"%s\" before: reload it with %s=%d",
	      vendor->module, paging_name(vendor, vendor_paging(vendor)),
	      paging_name(vendor, vendor->paging), vendor->switch_name,
	      vendor->paging == PAGING_NESTED);
	return -1;
}
