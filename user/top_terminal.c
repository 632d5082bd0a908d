// SPDX-License-Identifier: GPL-2.0-or-later
/* The terminal: taken, and given back as it was on every way out. */
#define _GNU_SOURCE
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "child.h"
#include "message.h"
#include "top_terminal.h"

#define INSTEAD "use \"kvmstat-report show\" instead"
#define CTRL_L	('L' & 0x1f)

static bool entered;
static volatile sig_atomic_t to_stop;	/* Ctrl-Z */

static bool has(const char *capability)
{
	const char *string = tigetstr(capability);

	return string && string != (const char *)-1;
}

/* What terminfo has on it is read again by newterm(). */
static bool has_screen(void)
{
	bool screen = has("cup") && has("clear");

	del_curterm(cur_term);
	return screen;
}

int terminal_check(void)
{
	const char *name = getenv("TERM");
	int why;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		error("top: %s is no terminal: " INSTEAD,
		      isatty(STDIN_FILENO) ? "standard output" : "standard input");
		return -1;
	}
	if (!name || !*name) {
		error("top: TERM is not set, so nothing is known of this terminal: set it, or " INSTEAD);
		return -1;
	}
	if (setupterm(NULL, STDOUT_FILENO, &why) != OK) {
		error("top: terminfo has nothing on the terminal TERM=%s: set another one (\"TERM=xterm\"), install ncurses-term, or " INSTEAD,
		      name);
		return -1;
	}
	if (!has_screen()) {
		error("top: a terminal TERM=%s has no screen to draw on: " INSTEAD, name);
		return -1;
	}
	return 0;
}

/* https://no-color.org: set and not empty. */
static void start_colours(void)
{
	const char *none = getenv("NO_COLOR");

	if ((none && *none) || !has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(1, COLOR_RED, -1);
}

static void note_stop(int sig)
{
	(void)sig;
	to_stop = 1;
}

static void on_stop(void (*handler)(int sig))
{
	const struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigaction(SIGTSTP, &action, NULL);
}

/*
 * ncurses would take the terminal again whatever a stopped program is continued
 * for, and be stopped for that: "kill %1" would not end it. Once there is a handler
 * ncurses leaves it alone. Who has no job control has the signal ignored.
 */
static void catch_stop(void)
{
	struct sigaction before;

	if (sigaction(SIGTSTP, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
		on_stop(note_stop);
}

static void stop(void)
{
	to_stop = 0;
	endwin();
	on_stop(SIG_DFL);
	raise(SIGTSTP);
	on_stop(note_stop);
	if (!child_signal())
		refresh();
}

int terminal_enter(void)
{
	/* Bytes alone: a decimal point is one everywhere. */
	setlocale(LC_CTYPE, "");
	catch_stop();
	if (!newterm(NULL, stdout, stdin)) {
		error("top: cannot set up the terminal TERM=%s: " INSTEAD, getenv("TERM"));
		return -1;
	}
	entered = true;
	start_colours();
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	return 0;
}

void terminal_leave(void)
{
	if (entered && !isendwin())
		endwin();
	entered = false;
}

/* Between the look at what was caught and the wait nothing gets lost. */
static int wait_for_input(struct pollfd *fd, int milliseconds)
{
	struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if (child_signal() || to_stop)
		ret = -1;
	else
		ret = ppoll(fd, 1, milliseconds < 0 ? NULL : &time, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

/* Ctrl-L is no command, but for a screen that others wrote on. */
static bool get_key(int *key)
{
	*key = getch();
	if (*key == CTRL_L)
		clearok(curscr, TRUE);
	return *key != ERR;
}

enum terminal_event terminal_wait(int milliseconds, int *key)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	int ret;

	/* What one read brought may be several keys. */
	if (get_key(key))
		return TERMINAL_KEY;
	ret = wait_for_input(&fd, milliseconds);
	if (to_stop)
		stop();
	/* After a signal, too: it may have been a resize. */
	if (!child_signal() && get_key(key))
		return TERMINAL_KEY;
	return ret > 0 && fd.revents & ~POLLIN ? TERMINAL_GONE : TERMINAL_TIMEOUT;
}
