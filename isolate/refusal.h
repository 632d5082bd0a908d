/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why there is no jail, and what can be done about it. */
#ifndef KVMSTAT_ISOLATE_REFUSAL_H
#define KVMSTAT_ISOLATE_REFUSAL_H

/* Looks at the system's switches; a new user namespace would show its own instead. */
void refusal_begin(void);

/* Says that 'what' failed, why (an errno), and what to do. -1. */
int refusal(const char *what, int why);

/* The same for mounting /proc, which has reasons of its own. */
int refusal_of_proc(int why);

/* Where there is none outside. */
int refusal_of_no_proc(int why);

#endif
