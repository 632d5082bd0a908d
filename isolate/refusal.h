/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why there is no jail, and what can be done about it. */
#ifndef KVMSTAT_ISOLATE_REFUSAL_H
#define KVMSTAT_ISOLATE_REFUSAL_H

/* Says that 'what' failed, why (an errno), and what to do. -1. */
int refusal(const char *what, int why);

/* The same for mounting /proc, which has reasons of its own. */
int refusal_of_proc(int why);

#endif
