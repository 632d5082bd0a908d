// SPDX-License-Identifier: GPL-2.0-or-later
/* The process outside the jail: signals, the terminal, the exit status. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "veth.h"
#include "warden.h"

#define STATUS_SIGNAL 128	/* + N: as shells report a death by signal N */

static bool in_foreground(const struct warden *warden)
{
	return warden->tty >= 0 && tcgetpgrp(warden->tty) == getpgrp();
}

static bool program_in_foreground(const struct warden *warden)
{
	return warden->tty >= 0 && tcgetpgrp(warden->tty) == warden->program;
}

/* Not a script's, nor one of a pipeline, whose neighbours need the terminal as well. */
static bool is_job_of_its_own(void)
{
	pid_t group = getpgrp();

	return group == getpid() && tcgetpgrp(STDIN_FILENO) == group &&
	       tcgetpgrp(STDOUT_FILENO) == group;
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
	warden->wants_tty = is_job_of_its_own();
}

void warden_leave(const struct warden *warden)
{
	close(warden->lifeline);
	setpgid(0, 0);
	if (warden->wants_tty)
		tcsetpgrp(warden->tty, getpgrp());
	if (warden->tty >= 0)
		close(warden->tty);
	sigaction(SIGCHLD, &warden->on_child, NULL);
	sigprocmask(SIG_SETMASK, &warden->mask, NULL);
}

static void resume(struct warden *warden)
{
	warden->passed_stop = false;
	if (warden->wants_tty && in_foreground(warden))
		tcsetpgrp(warden->tty, warden->program);
	kill(-warden->program, SIGCONT);
	/* It may have left its group; else a second one could undo a stop that came since. */
	if (getpgid(warden->program) != warden->program)
		kill(warden->program, SIGCONT);
}

/* To us, or to our whole process group where that is 0: as if it were not blocked. */
static void signal_us(pid_t whom, int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	kill(whom, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A stop of ours would undo the SIGCONT of a shell that was faster than we are. */
static void stop(pid_t whom, int number)
{
	sigset_t pending;

	sigpending(&pending);
	if (!sigismember(&pending, SIGCONT))
		signal_us(whom, number);
}

/*
 * We stop as the program does where the terminal has a part in it, so that our
 * shell sees it; else whoever stopped the program may continue it.
 *
 * A SIGTSTP is lost on a process without a shell to continue it: then the
 * program goes on as well. A SIGSTOP is not, or a program that wants the
 * terminal would be stopped again and again.
 */
static void program_stopped(struct warden *warden, int number)
{
	if (number == SIGTTIN || number == SIGTTOU) {
		warden->wants_tty = true;
		if (!in_foreground(warden))
			stop(getpid(), SIGSTOP);
	} else if (program_in_foreground(warden)) {
		/* What is typed reaches the program alone: our job, a script maybe, waits for us. */
		stop(0, SIGTSTP);
	} else if (number == SIGTSTP && warden->passed_stop) {
		stop(getpid(), SIGTSTP);
	} else {
		return;
	}
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

/*
 * A shell ends its script or loop when it sees that Ctrl-C ended the program. If
 * the terminal was the program's, our shell has not heard of Ctrl-C.
 */
static void die_of(int number, bool for_all)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };

	sigaction(number, &standard, NULL);
	/* If a core was to be dumped, the program did. */
	prctl(PR_SET_DUMPABLE, 0);
	signal_us(for_all ? 0 : getpid(), number);
}

static void __attribute__((noreturn)) program_ended(const struct warden *warden, int status)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	bool had_terminal = program_in_foreground(warden);

	veth_remove(warden->veth);
	close(warden->lifeline);
	/* It is reported when all others in its namespace are gone. */
	waitpid(warden->init, NULL, 0);
	take_terminal_back(warden);
	if (number == SIGINT || number == SIGQUIT)
		die_of(number, had_terminal);
	_exit(number ? STATUS_SIGNAL + number : WEXITSTATUS(status));
}

/* Of several changes one SIGCHLD may tell. */
static void look_at_program(struct warden *warden)
{
	int status;

	while (waitpid(warden->program, &status, WNOHANG | WUNTRACED) > 0) {
		if (!WIFSTOPPED(status))
			program_ended(warden, status);
		program_stopped(warden, WSTOPSIG(status));
	}
}

static bool is_from_terminal(const siginfo_t *info)
{
	switch (info->si_signo) {
	case SIGINT:
	case SIGQUIT:
	case SIGTSTP:
	case SIGHUP:
	case SIGWINCH:
		return info->si_code == SI_KERNEL;
	}
	return false;
}

/* The terminal's are for all in the foreground. */
static void pass_on(struct warden *warden, const siginfo_t *info)
{
	if (info->si_signo == SIGTSTP)
		warden->passed_stop = true;
	kill(is_from_terminal(info) ? -warden->program : warden->program, info->si_signo);
}

void warden_watch(struct warden *warden)
{
	siginfo_t info;
	sigset_t all;

	/* As it does itself: whoever is first. */
	setpgid(warden->program, warden->program);
	sigfillset(&all);
	for (;;) {
		int number = sigwaitinfo(&all, &info);

		if (number == SIGCHLD)
			look_at_program(warden);
		else if (number == SIGCONT)
			resume(warden);
		else if (number > 0)
			pass_on(warden, &info);
	}
}
