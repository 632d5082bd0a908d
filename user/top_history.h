/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many exits there were in each of the last windows, for sparklines. */
#ifndef KVMSTAT_TOP_HISTORY_H
#define KVMSTAT_TOP_HISTORY_H

#include "top_model.h"

#define TREND_MAX 60

struct past_counts {
	struct past_count *list;
	size_t nr;
};

struct past {
	double seconds;
	struct past_counts of_vms;	/* of each vCPU's finest rows, by VM */
	struct past_counts sum;		/* of all of them together */
};

struct top_history {
	struct past past[TREND_MAX];	/* oldest first */
	size_t nr;
};

void history_add(struct top_history *history, const struct run *window);
void history_clear(struct top_history *history);

/* Exits a second of this part in the last windows, at most 'max', oldest first. How many. */
size_t history_trend(const struct top_history *history, const struct part *part, double *rates,
		     size_t max);

/* The height of a rate where 'most' is the highest: 0 of none, up to 'steps' of 'most'. */
unsigned int trend_height(double rate, double most, unsigned int steps);

#endif
