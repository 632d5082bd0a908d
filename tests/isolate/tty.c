// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * isolate on a terminal: tty ISOLATE prints TAP.
 *
 * Three play: the user, who types on a pty and reads from it; a shell on the
 * other side, which knows of jobs what is needed here, and says what becomes
 * of them; and the job.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS	20000
#define CTRL_C		"\003"
#define CTRL_Z		"\032"

static const char *isolate;
static int master;
static char screen[8192];
static size_t seen;		/* what was waited for ends here */
static int tests, failed;

static void verdict(bool ok, const char *name)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", ++tests, name);
	if (!ok)
		printf("# the screen: %s\n", screen);
	failed |= !ok;
}

/* True once this is on the screen, after what was waited for before. */
static bool see(const char *text)
{
	struct pollfd fd = { .fd = master, .events = POLLIN };
	size_t used = strlen(screen);
	char *at;

	while (!(at = strstr(screen + seen, text))) {
		ssize_t got;

		if (poll(&fd, 1, PATIENCE_MS) <= 0)
			return false;
		got = read(master, screen + used, sizeof(screen) - 1 - used);
		if (got <= 0)
			return false;
		used += got;
		screen[used] = '\0';
	}
	seen = at - screen + strlen(text);
	return true;
}

static void type(const char *keys)
{
	if (write(master, keys, strlen(keys)) < 0)
		perror("# cannot type");
}

static pid_t start_job(const char *script, bool foreground)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setpgid(0, 0);
	if (foreground)
		tcsetpgrp(0, getpid());
	signal(SIGTTOU, SIG_DFL);
	execl(isolate, isolate, "--no-veth", "sh", "-c", script, NULL);
	_exit(99);
}

/* A stopped job is taken into the foreground at once, as fg would. */
static void shell(const char *script, bool foreground)
{
	int status;
	pid_t job;

	signal(SIGTTOU, SIG_IGN);
	job = start_job(script, foreground);
	while (waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status)) {
		tcsetpgrp(0, getpgrp());
		dprintf(1, "stopped\n");
		tcsetpgrp(0, job);
		kill(-job, SIGCONT);
	}
	dprintf(1, "%s, ended %d\n", tcgetpgrp(0) == job ? "the job's terminal" : "lost terminal",
		WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
	_exit(0);
}

/* The shell's pid; it ends when its terminal does. */
static void open_terminal(const char *script, bool with_shell, bool foreground)
{
	pid_t pid;

	memset(screen, 0, sizeof(screen));
	seen = 0;
	pid = forkpty(&master, NULL, NULL, NULL);
	if (pid < 0) {
		printf("Bail out! no pty\n");
		exit(1);
	}
	if (pid)
		return;
	if (with_shell)
		shell(script, foreground);
	execl(isolate, isolate, "--no-veth", "sh", "-c", script, NULL);
	_exit(99);
}

static int close_terminal(void)
{
	int status = -1;

	close(master);
	wait(&status);
	return status;
}

static void interrupt(void)
{
	open_terminal("set -- $(ps -o pgid=,tpgid= -p $$); [ $1 = $2 ] && echo ready; exec sleep 1000",
		      true, true);
	verdict(see("ready"), "a program is in the foreground of its terminal");
	type(CTRL_C);
	verdict(see("ended 130"), "Ctrl-C ends it");
	close_terminal();
}

static void stop_and_go_on(void)
{
	open_terminal("echo ready; read x; echo got $x; exit 5", true, true);
	see("ready");
	type(CTRL_Z);
	verdict(see("stopped"), "Ctrl-Z stops it, and the shell knows");
	type("line\n");
	verdict(see("got line"), "continued, it reads from the terminal");
	verdict(see("the job's terminal, ended 5"), "its end gives the terminal back");
	close_terminal();
}

static void in_background(void)
{
	open_terminal("echo ready; read x; echo got $x; exit 6", true, false);
	verdict(see("stopped"), "in the background, reading stops it");
	type("line\n");
	verdict(see("got line"), "in the foreground it reads");
	verdict(see("ended 6"), "and ends");
	close_terminal();
}

static void shell_inside(void)
{
	open_terminal("exec bash --norc --noprofile -i", true, true);
	type("echo rea''dy\n");
	verdict(see("ready"), "an interactive shell inside");
	type("sh -c 'echo r''unning; exec sleep 1000'\n");
	see("running");
	type(CTRL_Z);
	verdict(see("Stopped"), "stops its own job at Ctrl-Z");
	type("kill %1; exit 9\nexit 9\n");
	verdict(see("the job's terminal, ended 9"), "and leaves the terminal to ours");
	close_terminal();
}

static void without_shell(void)
{
	open_terminal("echo ready; read x; echo got $x", false, false);
	see("ready");
	type(CTRL_Z);
	type("line\n");
	verdict(see("got line"), "where no shell could continue it, Ctrl-Z does not stop it");
	close_terminal();
}

static void hang_up(void)
{
	int status;

	open_terminal("echo ready; exec sleep 1000", false, false);
	see("ready");
	status = close_terminal();
	verdict(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGHUP,
		"a terminal that hangs up ends it");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: tty ISOLATE\n");
		return 2;
	}
	isolate = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	interrupt();
	stop_and_go_on();
	in_background();
	shell_inside();
	without_shell();
	hang_up();
	printf("1..%d\n", tests);
	return failed;
}
