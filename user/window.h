/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A window is the difference of two snapshots of the same counters. */
#ifndef KVMSTAT_WINDOW_H
#define KVMSTAT_WINDOW_H

#include "run.h"

/*
 * Turns 'run', the later of two, into what was counted since 'before'. What
 * counted nothing is left out. 0, or -1 after an error message when the
 * counters were reset in between or do not fit together.
 */
int window_since(struct run *run, const struct run *before);

#endif
