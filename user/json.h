/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schemas "kvmstat/1" (a run) and "kvmstat-diff/1" (two), to and from JSON. */
#ifndef KVMSTAT_JSON_H
#define KVMSTAT_JSON_H

#include <jansson.h>

#include "compare.h"
#include "run.h"
#include "select.h"

#define RUN_SCHEMA "kvmstat/1"
#define COMPARISON_SCHEMA "kvmstat-diff/1"

json_t *json_from_run(const struct run *run, const struct view *view);
json_t *json_from_comparison(const struct comparison *c, const struct view *view);

/*
 * Each 0, or -1 after an error message that names file and place. A path may
 * be a pipe.
 */
int json_read_run(const char *path, struct run *run);
int json_read_comparison(const char *path, struct run *before, struct run *after,
			 bool *mode_verified);

#endif
