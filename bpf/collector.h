/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BPF collector: loaded for as long as this process wants it, or pinned below
 * /sys/fs/bpf, where it counts on by itself and any process may read it. Its
 * snapshots are as the module's (uapi/kvmstat.h).
 */
#ifndef KVMSTAT_COLLECTOR_H
#define KVMSTAT_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../user/device.h"

#define COLLECTOR_PINS "/sys/fs/bpf/kvmstat"

struct collector;

/* It was built in. */
bool collector_here(void);
/* Loaded and attached; NULL after an error message that says what to do. */
struct collector *collector_load(void);
/*
 * The pinned one. NULL with errno ENOENT: there is none; EACCES: none that we may see,
 * which is to be said by COLLECTOR_HIDDEN, if at all; else after an error message.
 */
#define COLLECTOR_HIDDEN "BPF: " COLLECTOR_PINS ": Permission denied: its counters are for root: run with sudo"
struct collector *collector_find(void);
/* Still counting: false where a pinned one was stopped meanwhile. */
bool collector_counts(const struct collector *collector);
/* That collector is let go of; a pinned one counts on. */
void collector_close(struct collector *collector);

/* In words: how it is attached, and what that leaves out; the usual way is COLLECTOR_WAY. */
#define COLLECTOR_WAY "tp_btf"
const char *collector_way(const struct collector *collector);
/* So many have come, those that are gone among them. */
uint64_t collector_vms(const struct collector *collector);
/* Bytes of the kernel's memory that its tables take. */
size_t collector_memory(const struct collector *collector);
/* To be freed by snapshot_free(). */
void collector_snapshot(const struct collector *collector, struct snapshot *snap);

/* Before one is loaded to be pinned: nothing is there yet. 0, or -1 after an error message. */
int collector_may_pin(void);
/* Pins a loaded one. 0, or -1 after an error message: there is one, or it cannot be. */
int collector_pin(struct collector *collector);
/* Takes the pinned one away. 0, or -1 after an error message. */
int collector_unpin(void);

#endif
