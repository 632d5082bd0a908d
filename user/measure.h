/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was counted while COMMAND ran, once or several times. */
#ifndef KVMSTAT_MEASURE_H
#define KVMSTAT_MEASURE_H

#include "child.h"
#include "descendants.h"
#include "output.h"
#include "options.h"
#include "source.h"

struct measurement {
	struct source *source;
	const struct options *options;	/* COMMAND, runs, selection */
	struct child_options child;
	struct descendants *own;	/* only VMs that these made, unless NULL */
	struct run *done;		/* one per run that succeeded */
	size_t nr_done;
};

/*
 * Runs COMMAND once, into 'window'. 0 with COMMAND's wait status, or -1 after
 * an error message.
 */
int measure_once(struct measurement *m, struct run *window, int *status);
/* Keeps a window as one of the runs; it is the measurement's to free. */
void measurement_keep(struct measurement *m, const struct run *window);
void measurement_free(struct measurement *m);

#endif
