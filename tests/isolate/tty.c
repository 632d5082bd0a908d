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

/* What runs the script: isolate, or a shell, which runs "$ISOLATE" itself. */
enum job { ALONE, FOREGROUND, BACKGROUND, IN_SCRIPT };

static void become(enum job kind, const char *script)
{
	if (kind == IN_SCRIPT)
		execlp("bash", "bash", "-c", script, NULL);
	else
		execl(isolate, isolate, "--no-veth", "sh", "-c", script, NULL);
	_exit(99);
}

static pid_t start_job(const char *script, enum job kind)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setpgid(0, 0);
	if (kind != BACKGROUND)
		tcsetpgrp(0, getpid());
	signal(SIGTTOU, SIG_DFL);
	become(kind, script);
	return -1;
}

/* A stopped job is taken into the foreground at once, as fg would. */
static void shell(const char *script, enum job kind)
{
	int status;
	pid_t job;

	signal(SIGTTOU, SIG_IGN);
	job = start_job(script, kind);
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
static void open_terminal(enum job kind, const char *script)
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
	if (kind != ALONE)
		shell(script, kind);
	become(kind, script);
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
	open_terminal(FOREGROUND, "set -- $(ps -o pgid=,tpgid= -p $$); [ $1 = $2 ] && echo ready; exec sleep 1000");
	verdict(see("ready"), "a program is in the foreground of its terminal");
	type(CTRL_C);
	verdict(see("ended 1002"), "Ctrl-C ends it");
	close_terminal();
}

static void stop_and_go_on(void)
{
	open_terminal(FOREGROUND, "echo ready; read x; echo got $x; exit 5");
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
	open_terminal(BACKGROUND, "echo ready; read x; echo got $x; exit 6");
	verdict(see("stopped"), "in the background, reading stops it");
	type("line\n");
	verdict(see("got line"), "in the foreground it reads");
	verdict(see("ended 6"), "and ends");
	close_terminal();
}

/* Which the others of the job see by it, as they would see any program's. */
static void interrupt_script(void)
{
	open_terminal(IN_SCRIPT, "for i in 1 2; do $ISOLATE sh -c 'echo ready; exec sleep 9'; done; echo EN''D");
	see("ready");
	type(CTRL_C);
	verdict(see("ended 1002") && !strstr(screen, "END"), "Ctrl-C ends a script, and a loop");
	close_terminal();
	open_terminal(IN_SCRIPT, "$ISOLATE sh -c 'read x; echo ready; exec sleep 9'; echo EN''D");
	type("line\n");
	see("ready");
	type(CTRL_C);
	verdict(see("ended 1002") && !strstr(screen, "END"),
		"and when the program read from the terminal");
	close_terminal();
}

static void stop_script(void)
{
	open_terminal(IN_SCRIPT, "$ISOLATE sh -c 'echo ready; exec sleep 2'; echo EN''D");
	see("ready");
	type(CTRL_Z);
	verdict(see("stopped"), "Ctrl-Z stops a script");
	verdict(see("END") && see("ended 0"), "which goes on when it is continued");
	close_terminal();
	open_terminal(IN_SCRIPT, "$ISOLATE sh -c 'read x; echo ready; read x; echo got $x'; read y; echo EN''D $y");
	type("line\n");
	see("ready");
	type(CTRL_Z);
	verdict(see("stopped"), "also when the program read from the terminal");
	type("more\nrest\n");
	verdict(see("got more") && see("END rest") && see("the job's terminal, ended 0"),
		"and again both can read");
	close_terminal();
}

static void in_pipeline(void)
{
	open_terminal(IN_SCRIPT, "$ISOLATE sleep 2 | { sleep 1; echo ready; read x </dev/tty; echo got $x; }");
	see("ready");
	type("line\n");
	verdict(see("got line") && see("ended 0") && !strstr(screen, "stopped"),
		"another in the pipeline reads from the terminal");
	close_terminal();
}

static void killed_in_script(void)
{
	open_terminal(IN_SCRIPT, "{ sleep 1; pkill -KILL -P $$ -x isolate; } & $ISOLATE sleep 9; echo ready; read x; echo got $x");
	see("ready");
	type("line\n");
	verdict(see("got line") && see("ended 0") && !strstr(screen, "stopped"),
		"after SIGKILL the script has its terminal");
	close_terminal();
}

static void shell_in_script(void)
{
	open_terminal(IN_SCRIPT, "$ISOLATE bash --norc --noprofile -i; read x; echo EN''D $x");
	type("sh -c 'echo r''unning; exec sleep 9'\n");
	see("running");
	type(CTRL_Z);
	verdict(see("Stopped"), "an interactive shell, run by a script, has job control");
	type("disown; exit\nline\n");
	verdict(see("END line") && see("ended 0"), "and leaves the terminal to it");
	close_terminal();
}

static void shell_inside(void)
{
	open_terminal(FOREGROUND, "exec bash --norc --noprofile -i");
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
	open_terminal(ALONE, "echo ready; read x; echo got $x");
	see("ready");
	type(CTRL_Z);
	type("line\n");
	verdict(see("got line"), "where no shell could continue it, Ctrl-Z does not stop it");
	close_terminal();
}

static void hang_up(void)
{
	int status;

	open_terminal(ALONE, "echo ready; exec sleep 1000");
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
	setenv("ISOLATE", isolate, 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	interrupt();
	stop_and_go_on();
	in_background();
	interrupt_script();
	stop_script();
	in_pipeline();
	killed_in_script();
	shell_inside();
	shell_in_script();
	without_shell();
	hang_up();
	printf("1..%d\n", tests);
	return failed;
}
