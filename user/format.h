/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forms that results come in. */
#ifndef KVMSTAT_FORMAT_H
#define KVMSTAT_FORMAT_H

#include <stdio.h>

#include "compare.h"
#include "run.h"
#include "select.h"

/* Errors of writing stay in the stream, for its owner to find. */
struct format {
	const char *name;
	void (*run)(FILE *out, const struct run *run, const struct view *view);
	/* NULL: metrics are of one run. */
	void (*comparison)(FILE *out, const struct comparison *c, const struct view *view);
};

extern const struct format format_table;
extern const struct format format_json;
extern const struct format format_csv;
extern const struct format format_openmetrics;
extern const struct format format_prometheus;

/* NULL where there is none of that name. */
const struct format *format_find(const char *name);
/* "table|json|…" */
const char *format_names(void);

#endif
