/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Draws the screen of kvmstat-report top, of whatever size it is. */
#ifndef KVMSTAT_TOP_DRAW_H
#define KVMSTAT_TOP_DRAW_H

#include "top_history.h"
#include "top_model.h"

struct top_screen {
	const struct run *now;		/* all that was counted */
	const struct run *window;	/* what the rates are of */
	const struct top_history *history;
	const struct top_rows *rows;
	bool live;			/* there is, or will be, a trend */
	const char *note;		/* what is wrong just now; else "" */
};

/* Scrolls the rows of the state to what there is room for. */
void top_draw(struct top_state *state, const struct top_screen *screen);

#endif
