/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diagnostics: what failed, on what, why, what to do next. All go to stderr. */
#ifndef KVMSTAT_MESSAGE_H
#define KVMSTAT_MESSAGE_H

/* Exit status of every command. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* "kvmstat: " + message + newline. */
void error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void inform(const char *format, ...) __attribute__((format(printf, 1, 2)));	/* nothing is wrong */
void warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * From now on each message goes there, as a line without its end, and not to
 * stderr; with NULL it is stderr again. For who draws on the terminal.
 */
void messages_to(void (*take)(const char *line));

/* Whatever stdout holds back is written; 0, or -1, which finish_output() explains. */
int flush_output(void);

/*
 * Flushes and closes stdout; returns status, or EXIT_FAILED after a message
 * when the results could not be written (full disk, closed pipe).
 */
int finish_output(int status);

#endif
