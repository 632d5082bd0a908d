/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keys do to the state of kvmstat-report top. Nothing in here draws. */
#ifndef KVMSTAT_TOP_KEYS_H
#define KVMSTAT_TOP_KEYS_H

#include "top_model.h"

/* A key as getch() gives it, on the rows in sight. False: it was the one to quit. */
bool top_key(struct top_state *state, const struct top_rows *rows, int key);

#endif
