// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The processes that COMMAND starts, from the kernel's process connector
 * (drivers/connector/cn_proc.c): a fork is told of before the child runs, so that
 * parents come before their children. A thread of our own reads while COMMAND runs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "descendants.h"
#include "memory.h"
#include "message.h"

/* PID_MAX_LIMIT of 64-bit kernels */
#define PIDS (4 * 1024 * 1024)
#define BITS (CHAR_BIT * sizeof(unsigned long))
/* Forks that the kernel holds for us; each takes about a KiB. */
#define BUFFER (32 * 1024 * 1024)
#define ANSWER_MS 1000

/* Where the event is in what is received. */
#define EVENT_AT (sizeof(struct nlmsghdr) + sizeof(struct cn_msg))

struct order {
	struct nlmsghdr netlink;
	struct cn_msg connector;
	enum proc_cn_mcast_op op;
} __attribute__((packed));

/* The lock is for all of it: two threads read the socket, and set bits. */
struct descendants {
	pthread_mutex_t lock;
	pthread_t reader;
	int fd;
	int stop[2];		/* closed: the reader is to end */
	bool missed;
	unsigned long pids[PIDS / BITS];
};

static bool has(const struct descendants *d, pid_t pid)
{
	return pid > 0 && pid < PIDS && d->pids[pid / BITS] >> pid % BITS & 1;
}

static void take_fork(struct descendants *d, const struct proc_event *event)
{
	pid_t child = event->event_data.fork.child_tgid;

	if (has(d, event->event_data.fork.parent_tgid) && child > 0 && child < PIDS)
		d->pids[child / BITS] |= 1UL << child % BITS;
}

/* False with errno where there is none; what is no event is PROC_EVENT_EXIT to us. */
static bool receive(int fd, struct cn_msg *connector, struct proc_event *event)
{
	char message[512] = { 0 };
	ssize_t got = recv(fd, message, sizeof(message), MSG_DONTWAIT);

	if (got < 0)
		return false;
	memcpy(connector, message + sizeof(struct nlmsghdr), sizeof(*connector));
	memset(event, 0, sizeof(*event));
	event->what = PROC_EVENT_EXIT;
	if ((size_t)got >= EVENT_AT + offsetof(struct proc_event, event_data) +
			   sizeof(event->event_data.fork))
		memcpy(event, message + EVENT_AT, (size_t)got - EVENT_AT < sizeof(*event) ?
		       (size_t)got - EVENT_AT : sizeof(*event));
	return true;
}

/* All that there is now. */
static void take_all(struct descendants *d)
{
	struct proc_event event;
	struct cn_msg connector;

	for (;;) {
		if (receive(d->fd, &connector, &event)) {
			if (event.what == PROC_EVENT_FORK)
				take_fork(d, &event);
		} else if (errno == ENOBUFS) {
			d->missed = true;
		} else if (errno != EINTR) {
			return;
		}
	}
}

static void *read_on(void *arg)
{
	struct descendants *d = arg;
	struct pollfd fds[2] = {
		{ .fd = d->fd, .events = POLLIN }, { .fd = d->stop[0], .events = POLLIN },
	};

	do {
		poll(fds, 2, -1);
		pthread_mutex_lock(&d->lock);
		take_all(d);
		pthread_mutex_unlock(&d->lock);
	} while (!fds[1].revents);
	return NULL;
}

/* Most events are others: the kernel drops them before they take room. */
static int want_forks(int fd)
{
	const unsigned int what = EVENT_AT + offsetof(struct proc_event, what);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, what),
		/* The filter loads in network order. */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __builtin_bswap32(PROC_EVENT_FORK), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __builtin_bswap32(PROC_EVENT_NONE), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	const int size = BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int give_order(int fd, enum proc_cn_mcast_op op)
{
	const struct order order = {
		.netlink = { .nlmsg_len = sizeof(order), .nlmsg_type = NLMSG_DONE },
		.connector = {
			.id = { .idx = CN_IDX_PROC, .val = CN_VAL_PROC },
			.ack = getpid(),
			.len = sizeof(order.op),
		},
		.op = op,
	};

	return send(fd, &order, sizeof(order), 0) == sizeof(order) ? 0 : -1;
}

static int subscribe(int fd)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return give_order(fd, PROC_CN_MCAST_LISTEN);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/*
 * 0, or -1 with errno. In a container the kernel does not answer, but the events that
 * others ordered come all the same, and so do the answers to them. Ours has our number and one.
 */
static int await_answer(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	const int64_t until = now_ms() + ANSWER_MS;
	struct proc_event event;
	struct cn_msg connector;

	while (now_ms() < until) {
		if (poll(&ready, 1, ANSWER_MS) != 1 || !receive(fd, &connector, &event) ||
		    event.what != PROC_EVENT_NONE || connector.ack != (__u32)getpid() + 1)
			continue;
		errno = abs((int)event.event_data.ack.err);
		return errno ? -1 : 0;
	}
	errno = EOPNOTSUPP;
	return -1;
}

static int open_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);

	if (fd < 0)
		return -1;
	if (want_forks(fd) == 0 && subscribe(fd) == 0 && await_answer(fd) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Signals are the main thread's. */
static int start_reader(struct descendants *d)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	ret = pthread_create(&d->reader, NULL, read_on, d);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

static struct descendants *complain(void)
{
	if (errno == EPERM || errno == EACCES)
		error("--own: the kernel tells which processes a command starts to root alone (CAP_NET_ADMIN): run with sudo");
	else if (errno == EOPNOTSUPP || errno == EPROTONOSUPPORT || errno == ECONNREFUSED)
		error("--own: this kernel does not tell which processes a command starts (CONFIG_PROC_EVENTS), or not in a container: leave --own out");
	else
		error("--own: cannot be told which processes a command starts: %s", strerror(errno));
	return NULL;
}

struct descendants *descendants_open(void)
{
	int fd = open_socket();
	struct descendants *d;

	if (fd < 0)
		return complain();
	d = xcalloc(1, sizeof(*d));
	pthread_mutex_init(&d->lock, NULL);
	d->fd = fd;
	if (pipe2(d->stop, O_CLOEXEC) == 0) {
		errno = start_reader(d);
		if (!errno)
			return d;
		close(d->stop[0]);
		close(d->stop[1]);
	}
	complain();
	close(fd);
	free(d);
	return NULL;
}

void descendants_add(pid_t pid, void *descendants)
{
	struct descendants *d = descendants;

	pthread_mutex_lock(&d->lock);
	if (pid > 0 && pid < PIDS)
		d->pids[pid / BITS] |= 1UL << pid % BITS;
	pthread_mutex_unlock(&d->lock);
}

void descendants_catch_up(struct descendants *d)
{
	bool missed;

	pthread_mutex_lock(&d->lock);
	take_all(d);
	missed = d->missed;
	pthread_mutex_unlock(&d->lock);
	if (missed)
		warning("--own: processes were started faster than they could be followed: VMs may be missing; measure again, or without --own");
}

bool descendants_have(const struct descendants *d, pid_t pid)
{
	return has(d, pid);
}

void descendants_close(struct descendants *d)
{
	if (!d)
		return;
	close(d->stop[1]);
	pthread_join(d->reader, NULL);
	/* Older kernels would go on telling everybody's forks to nobody. */
	give_order(d->fd, PROC_CN_MCAST_IGNORE);
	close(d->stop[0]);
	close(d->fd);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
