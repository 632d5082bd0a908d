// SPDX-License-Identifier: GPL-2.0-or-later
/* The terminal: taken, and given back as it was on every way out. */
#define _GNU_SOURCE
#include <errno.h>
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

#define INSTEAD "use \"kvmstat-report -i 1\" instead"

static bool entered;

static bool has(const char *capability)
{
	const char *string = tigetstr(capability);

	return string && string != (const char *)-1;
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
	if (!has("cup") || !has("clear")) {
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

int terminal_enter(void)
{
	/* Bytes alone: a decimal point is one everywhere. */
	setlocale(LC_CTYPE, "");
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
	if (entered)
		endwin();
	entered = false;
}

/* Between the look at child_signal() and the wait nothing gets lost. */
static int wait_for_input(struct pollfd *fd, int milliseconds)
{
	struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if (child_signal()) {
		ret = -1;
		errno = EINTR;
	} else {
		ret = ppoll(fd, 1, milliseconds < 0 ? NULL : &time, &before);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

enum terminal_event terminal_wait(int milliseconds, int *key)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	int ret;

	/* What one read brought may be several keys. */
	*key = getch();
	if (*key != ERR)
		return TERMINAL_KEY;
	ret = wait_for_input(&fd, milliseconds);
	/* After a signal, too: it may have been a resize. */
	*key = getch();
	if (*key != ERR)
		return TERMINAL_KEY;
	return ret > 0 && fd.revents & ~POLLIN ? TERMINAL_GONE : TERMINAL_TIMEOUT;
}
