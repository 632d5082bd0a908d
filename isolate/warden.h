/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process outside the jail: what is done to it is done to the program, and
 * what becomes of the program becomes of it.
 */
#ifndef KVMSTAT_ISOLATE_WARDEN_H
#define KVMSTAT_ISOLATE_WARDEN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct warden {
	pid_t init;			/* pid 1 of the jail */
	pid_t program;
	int lifeline;			/* pid 1 ends when this is closed */
	int tty;			/* our controlling terminal, or -1 */
	bool wants_tty;			/* the program is to be in its foreground when we are */
	bool passed_stop;		/* a SIGTSTP: the program may stop of it */
	int veth;			/* the interface of a pair to be taken down, or 0 */
	sigset_t mask;			/* as we were started with */
	struct sigaction on_child;
};

/* Signals wait from here on, until there is someone to tell. */
void warden_begin(struct warden *warden);

/* Watches over the program until it ends. */
void warden_watch(struct warden *warden) __attribute__((noreturn));

/*
 * In the program, before it begins: a process group of its own (one that it
 * shared with us would let it signal those outside), the terminal at
 * once where that can disturb nobody, else when it wants to read from it; and
 * signals as they were.
 */
void warden_leave(const struct warden *warden);

#endif
