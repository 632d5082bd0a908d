// SPDX-License-Identifier: GPL-2.0-or-later
/* The process outside the jail: signals, the terminal, the exit status. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "veth.h"
#include "warden.h"

#define STATUS_SIGNAL 128	/* + N: as shells report a death by signal N */

static bool in_foreground(const struct warden *warden)
{
	return warden->tty >= 0 && tcgetpgrp(warden->tty) == getpgrp();
}

void warden_begin(struct warden *warden)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t all;

	memset(warden, 0, sizeof(*warden));
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &warden->mask);
	/* Whom SIGCHLD is ignored by is not told how a child ended. */
	sigaction(SIGCHLD, &standard, &warden->on_child);
	warden->tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	warden->foreground = in_foreground(warden);
}

void warden_leave(const struct warden *warden)
{
	close(warden->lifeline);
	setpgid(0, 0);
	if (warden->foreground)
		tcsetpgrp(warden->tty, getpgrp());
	if (warden->tty >= 0)
		close(warden->tty);
	sigaction(SIGCHLD, &warden->on_child, NULL);
	sigprocmask(SIG_SETMASK, &warden->mask, NULL);
}

static void resume(const struct warden *warden)
{
	if (in_foreground(warden))
		tcsetpgrp(warden->tty, warden->program);
	/* It may have left its group. */
	kill(-warden->program, SIGCONT);
	kill(warden->program, SIGCONT);
}

/*
 * Stopped as the program is, so that our shell sees it. A SIGTSTP is lost on a
 * process without a shell to continue it: then the program goes on as well.
 * The others are not lost, or it would be stopped again and again.
 */
static void stop(int number)
{
	sigset_t set;

	if (number != SIGTSTP) {
		raise(SIGSTOP);
		return;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void program_stopped(const struct warden *warden, int number)
{
	/* A shell's fg may give us the terminal without a word: the program wants it. */
	if (!((number == SIGTTIN || number == SIGTTOU) && in_foreground(warden)))
		stop(number);
	resume(warden);
}

/* Left to a process group that is no more, nobody could read from it. */
static void take_terminal_back(const struct warden *warden)
{
	pid_t group;

	if (warden->tty < 0)
		return;
	group = tcgetpgrp(warden->tty);
	if (group > 0 && kill(-group, 0) < 0 && errno == ESRCH)
		tcsetpgrp(warden->tty, getpgrp());
}

static void __attribute__((noreturn)) program_ended(const struct warden *warden, int status)
{
	if (warden->veth)
		veth_remove();
	close(warden->lifeline);
	/* It is reported when all others in its namespace are gone. */
	waitpid(warden->init, NULL, 0);
	take_terminal_back(warden);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL + WTERMSIG(status));
}

/* Of several changes one SIGCHLD may tell. */
static void look_at_program(const struct warden *warden)
{
	int status;

	while (waitpid(warden->program, &status, WNOHANG | WUNTRACED) > 0) {
		if (!WIFSTOPPED(status))
			program_ended(warden, status);
		program_stopped(warden, WSTOPSIG(status));
	}
}

void warden_watch(const struct warden *warden)
{
	sigset_t all;

	sigfillset(&all);
	for (;;) {
		int number = sigwaitinfo(&all, NULL);

		if (number == SIGCHLD)
			look_at_program(warden);
		else if (number == SIGCONT)
			resume(warden);
		else if (number > 0)
			kill(warden->program, number);
	}
}
