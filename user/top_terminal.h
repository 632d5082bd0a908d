/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal: taken, and given back as it was on every way out. */
#ifndef KVMSTAT_TOP_TERMINAL_H
#define KVMSTAT_TOP_TERMINAL_H

/* Can a screen be drawn here? 0, or -1 after an error message. */
int terminal_check(void);
/*
 * Takes it; 0, or -1 after an error message. Signals that end the program have to
 * be caught before (child_catch_signals()). Ctrl-Z gives it back, and fg takes it again.
 */
int terminal_enter(void);
void terminal_leave(void);

enum terminal_event { TERMINAL_KEY, TERMINAL_TIMEOUT, TERMINAL_GONE };

/*
 * Waits for a key (KEY_RESIZE is one), so many milliseconds at most, -1: for ever. A
 * signal that was caught wakes it up as a timeout.
 */
enum terminal_event terminal_wait(int milliseconds, int *key);

#endif
