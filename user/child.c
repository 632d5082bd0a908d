// SPDX-License-Identifier: GPL-2.0-or-later
/* COMMAND: started, waited for, and told of the signals that end us. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "child.h"
#include "message.h"
#include "text.h"

/* Seconds that COMMAND's group has after a signal, then after SIGTERM. */
#define GRACE 3

static const int caught[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP };
#define NR_CAUGHT (sizeof(caught) / sizeof(caught[0]))

/* Read and written by signal handlers. */
static volatile sig_atomic_t noted;
static volatile sig_atomic_t child_pid;
static volatile sig_atomic_t child_group;
static volatile sig_atomic_t escalated;

/* How we were started; COMMAND gets it back. */
static struct sigaction inherited[NR_CAUGHT];
static bool catching;

static pid_t last_pid;

/*
 * What the terminal sends (SI_KERNEL) goes to the whole foreground group, so
 * COMMAND has it already where it is in ours; a kill() of us it knows not of.
 */
static void note_signal(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	noted = number;
	if (child_group) {
		kill(-child_group, number);
		alarm(GRACE);
	} else if (child_pid && info->si_code != SI_KERNEL) {
		kill(child_pid, number);
	}
	errno = saved;
}

/* COMMAND's group did not go: first asked, then made to. */
static void escalate(int number)
{
	int saved = errno;

	(void)number;
	if (child_group) {
		kill(-child_group, escalated ? SIGKILL : SIGTERM);
		kill(-child_group, SIGCONT);
		escalated = 1;
		alarm(GRACE);
	}
	errno = saved;
}

void child_catch_signals(void)
{
	struct sigaction action = { .sa_sigaction = note_signal, .sa_flags = SA_SIGINFO };
	struct sigaction timer = { .sa_handler = escalate };
	size_t i;

	for (i = 0; i < NR_CAUGHT; i++) {
		sigaction(caught[i], NULL, &inherited[i]);
		/* nohup */
		if (caught[i] == SIGHUP && inherited[i].sa_handler == SIG_IGN)
			continue;
		sigaction(caught[i], &action, NULL);
	}
	sigaction(SIGALRM, &timer, NULL);
	catching = true;
}

int child_signal(void)
{
	return noted;
}

pid_t child_last(void)
{
	return last_pid;
}

static void restore_signals(void)
{
	sigset_t none;
	size_t i;

	if (catching)
		for (i = 0; i < NR_CAUGHT; i++)
			sigaction(caught[i], &inherited[i], NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The controlling terminal where we are in its foreground, or -1. */
static int foreground_terminal(void)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (tty >= 0 && tcgetpgrp(tty) != getpgrp()) {
		close(tty);
		tty = -1;
	}
	return tty;
}

static void give_terminal(int tty, pid_t group)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;

	if (tty < 0)
		return;
	/* From the background, tcsetpgrp() would stop us. */
	sigaction(SIGTTOU, &ignore, &old);
	tcsetpgrp(tty, group);
	sigaction(SIGTTOU, &old, NULL);
}

struct start {
	int tty;		/* to be given to COMMAND, or -1 */
	pid_t parent;
	int go[2];		/* closed by the parent: run now */
	int failed[2];		/* errno of exec, or closed by it */
};

static void __attribute__((noreturn))
become(char *const argv[], const struct child_options *options, const struct start *start)
{
	char byte;
	int why;

	close(start->go[1]);
	if (options->own_group) {
		setpgid(0, 0);
		give_terminal(start->tty, getpid());
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != start->parent)
			_exit(EXIT_FAILED);
	}
	/* Whoever must know of the group knows it before COMMAND runs. */
	while (read(start->go[0], &byte, 1) < 0 && errno == EINTR)
		;
	restore_signals();
	execvp(argv[0], argv);
	why = errno;
	if (write(start->failed[1], &why, sizeof(why)) < 0)
		_exit(EXIT_FAILED);
	_exit(EXIT_FAILED);
}

/* 0, or errno of the exec that failed. */
static int exec_result(int fd)
{
	int why = 0;
	ssize_t got;

	do
		got = read(fd, &why, sizeof(why));
	while (got < 0 && errno == EINTR);
	return got == sizeof(why) ? why : 0;
}

static bool open_pipes(struct start *start)
{
	return pipe2(start->go, O_CLOEXEC) == 0 && pipe2(start->failed, O_CLOEXEC) == 0;
}

static pid_t start_child(char *const argv[], const struct child_options *options,
			 struct start *start)
{
	pid_t pid = open_pipes(start) ? fork() : -1;
	int why;

	if (pid < 0) {
		error("cannot start '%s': %s", argv[0], strerror(errno));
		return -1;
	}
	if (!pid)
		become(argv, options, start);
	if (options->own_group) {
		setpgid(pid, pid);
		child_group = pid;
	}
	child_pid = pid;
	last_pid = pid;
	if (options->started)
		options->started(pid, options->arg);
	close(start->go[0]);
	close(start->go[1]);
	close(start->failed[1]);
	why = exec_result(start->failed[0]);
	close(start->failed[0]);
	if (!why)
		return pid;
	error("cannot run '%s': %s", argv[0], strerror(why));
	waitpid(pid, NULL, 0);
	return -1;
}

/*
 * Stopped from the keyboard it would be measured standing still: it goes on.
 * Stopped for want of the terminal it never would.
 */
static void unstop(pid_t pid, int status)
{
	int number = WSTOPSIG(status);

	if (number == SIGTTIN || number == SIGTTOU) {
		error("the command needs the terminal: run this in the foreground");
		kill(-pid, SIGKILL);
	} else if (number == SIGTSTP) {
		warning("not stopped: a command that is being measured goes on");
	}
	kill(-pid, SIGCONT);
}

static void wait_child(pid_t pid, bool own_group, int *status)
{
	for (;;) {
		pid_t got = waitpid(pid, status, own_group ? WUNTRACED : 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || !WIFSTOPPED(*status))
			return;
		unstop(pid, *status);
	}
}

/* A signal comes either before COMMAND is started, or when it can be told. */
static pid_t start_unless_noted(char *const argv[], const struct child_options *options,
				struct start *start)
{
	sigset_t block, old;
	pid_t pid = -1;
	size_t i;

	sigemptyset(&block);
	for (i = 0; i < NR_CAUGHT; i++)
		sigaddset(&block, caught[i]);
	sigprocmask(SIG_BLOCK, &block, &old);
	escalated = 0;
	if (noted)
		error("'%s' was not started: %s", argv[0], strsignal(noted));
	else
		pid = start_child(argv, options, start);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

int child_run(char *const argv[], const struct child_options *options, int *status)
{
	struct start start = { .tty = -1, .parent = getpid() };
	struct termios modes;
	bool have_modes;
	pid_t pid;

	if (options->own_group)
		start.tty = foreground_terminal();
	have_modes = start.tty >= 0 && tcgetattr(start.tty, &modes) == 0;
	pid = start_unless_noted(argv, options, &start);
	if (pid > 0)
		wait_child(pid, options->own_group, status);
	child_pid = 0;
	child_group = 0;
	alarm(0);
	give_terminal(start.tty, getpgrp());
	/* A VMM that was killed leaves the terminal raw. */
	if (have_modes && pid > 0 && *status)
		tcsetattr(start.tty, TCSADRAIN, &modes);
	if (start.tty >= 0)
		close(start.tty);
	return pid > 0 ? 0 : -1;
}

/* rmmod and modprobe are there, which su and cron do not always search. */
static void search_sbin(void)
{
	const char *old = getenv("PATH");
	char *path;

	if (asprintf(&path, "%s%s/usr/sbin:/sbin", old ?: "", old ? ":" : "") >= 0)
		setenv("PATH", path, 1);
}

bool child_succeeds(const char * const *argv)
{
	int status;
	pid_t pid = fork();

	if (pid < 0) {
		error("cannot start '%s': %s", argv[0], strerror(errno));
		return false;
	}
	if (!pid) {
		restore_signals();
		search_sbin();
		execvp(argv[0], (char * const *)argv);
		error("cannot run '%s': %s", argv[0], strerror(errno));
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void child_explain(const char *command, int status, const char *then)
{
	if (WIFSIGNALED(status))
		error("'%s' was ended by signal %d (%s)%s", command, WTERMSIG(status),
		      strsignal(WTERMSIG(status)), then);
	else
		error("'%s' exited with status %d%s", command, WEXITSTATUS(status), then);
}

void child_describe(char *buf, size_t size, char *const argv[])
{
	size_t used = 0, i;

	buf[0] = '\0';
	for (i = 0; argv[i] && used + 1 < size; i++) {
		if (i)
			buf[used++] = ' ';
		text_clean(buf + used, argv[i], size - used);
		used += strlen(buf + used);
	}
	if (used + 1 >= size && size > 4)
		memcpy(buf + size - 4, "...", 4);
}
