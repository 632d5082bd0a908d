/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schemas "kvmstat/1" (a run) and "kvmstat-diff/1" (two), to and from JSON; and
 * to JSON alone "kvmstat-spaces/1", which cmd_spaces.c writes:
 *
 *   kernel, paging       as in a run
 *   tsc, tsc_khz         TSC when it was read, and its cycles in a millisecond
 *   vms                  of each that was seen with paging on:
 *     id, pid, comm, alive
 *     complete           each load of CR3 was seen; else it is a sample
 *     folded             the two tables of a process were made one
 *     spaces             how many; of those that had room
 *     switches, entries  of all spaces together
 *     unread             entries whose CR3 was out of reach
 *     others             {switches, entries} of those that had no room
 *     list               [{cr3, first_tsc, last_tsc, switches, entries}], most switches first
 *
 * "kvmstat-reasons/1" (cmd_reasons.c): kernel; reasons: [{isa, code, name, class,
 * handled (by that kernel's KVM), cause, manual, section, paging, why}]
 *
 * "kvmstat-caps/1" (cmd_caps.c): isa, source, about; groups: [{title, register,
 * address, value; controls: [{bit, name, can_set, can_clear, in_use}] or
 * features: [{bit, name, present, in_use, meaning}]}]
 */
#ifndef KVMSTAT_JSON_H
#define KVMSTAT_JSON_H

#include <jansson.h>

#include "compare.h"
#include "run.h"
#include "select.h"

#define RUN_SCHEMA "kvmstat/1"
#define COMPARISON_SCHEMA "kvmstat-diff/1"
#define SPACES_SCHEMA "kvmstat-spaces/1"
#define REASONS_SCHEMA "kvmstat-reasons/1"
#define CAPS_SCHEMA "kvmstat-caps/1"

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
