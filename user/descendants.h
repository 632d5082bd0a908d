/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that COMMAND starts, and they start, those that are gone again
 * among them: the kernel's process connector tells of each fork. It tells in the
 * initial user and pid namespaces only, and on older kernels CAP_NET_ADMIN alone.
 */
#ifndef KVMSTAT_DESCENDANTS_H
#define KVMSTAT_DESCENDANTS_H

#include <stdbool.h>
#include <sys/types.h>

struct descendants;

/* NULL after an error message. */
struct descendants *descendants_open(void);
/* From now on pid and what descends from it; struct child_options has this form. */
void descendants_add(pid_t pid, void *descendants);
/*
 * Knows of all that was started until now; a warning where the kernel's messages
 * came too fast, so that some may be missing.
 */
void descendants_catch_up(struct descendants *d);
bool descendants_have(const struct descendants *d, pid_t pid);
void descendants_close(struct descendants *d);

#endif
