/* SPDX-License-Identifier: GPL-2.0-or-later */
/* COMMAND: started, waited for, and told of the signals that end us. */
#ifndef KVMSTAT_CHILD_H
#define KVMSTAT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child_options {
	/*
	 * In a process group of its own (the terminal's foreground group where
	 * ours was), which ends with us: signals to us go to the group, and
	 * what is not gone some seconds later is killed.
	 */
	bool own_group;
	/* Told before COMMAND runs its first instruction. */
	void (*started)(pid_t pid, void *arg);
	void *arg;
};

/*
 * From now on SIGINT, SIGTERM, SIGQUIT and SIGHUP are noted, not died of.
 * Nothing is restarted: sleeps and waits end with EINTR.
 */
void child_catch_signals(void);
/* The last one noted, or 0. */
int child_signal(void);

/* Process id, and group where it had its own, of the COMMAND that ran last; or 0. */
pid_t child_last(void);

/* 0 with COMMAND's wait status, or -1 after an error message: it did not start. */
int child_run(char *const argv[], const struct child_options *options, int *status);

/*
 * Like child_run() for a program of ours: true if it exited with 0. Signals
 * are left alone, and no message is made.
 */
bool child_succeeds(const char * const *argv);

/* Says that and how COMMAND failed; 'then' says what became of the results. */
void child_explain(const char *command, int status, const char *then);

/* argv as one line, cut where it is too long. */
void child_describe(char *buf, size_t size, char *const argv[]);

#endif
