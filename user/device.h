/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/kvmstat from the reader's side: open, snapshot, walk. */
#ifndef KVMSTAT_DEVICE_H
#define KVMSTAT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../module/uapi/kvmstat.h"

#define KVMSTAT_DEVICE "/dev/kvmstat"

struct snapshot {
	struct kvmstat_snapshot *header;	/* start of the buffer */
	size_t size;				/* bytes used */
};

/*
 * What a program has to offer where there is no module, appended to the
 * message of device_open(): "" or, say, " or use --source FILE".
 */
extern const char *device_alternative;

/* Descriptor, or -1 after an error message that says what to do. */
int device_open(bool for_reset);
/* 0, or -1 after an error message; checks magic, ABI version and every index. */
int device_info(int fd, struct kvmstat_info *info);
int device_snapshot(int fd, struct snapshot *snap);
int device_reset(int fd);
void snapshot_free(struct snapshot *snap);
/* The check that device_snapshot() makes: 0, or -1 after an error message. */
int snapshot_check(const struct snapshot *snap);

/* The address spaces of guests, as they are copied. */
struct spaces_copy {
	struct kvmstat_spaces *header;		/* start of the buffer */
	size_t size;
};

/* 0, or -1 after an error message: among others where guest_spaces is off. */
int device_spaces(int fd, struct spaces_copy *spaces);
void device_spaces_free(struct spaces_copy *spaces);
const struct kvmstat_spaces_vcpu *spaces_vcpu(const struct spaces_copy *spaces, uint32_t index);
const struct kvmstat_space *spaces_space(const struct spaces_copy *spaces, uint32_t index);

/* Records, stepping by the sizes that the header gives. */
const struct kvmstat_vm *snapshot_vm(const struct snapshot *snap, uint32_t index);
const struct kvmstat_vcpu *snapshot_vcpu(const struct snapshot *snap, uint32_t index);
const struct kvmstat_cell *snapshot_cell(const struct snapshot *snap, uint32_t index);
const __u64 *snapshot_bucket(const struct snapshot *snap, uint32_t index);

/* May these two be subtracted? Same load of the module, no reset in between. */
bool snapshot_same_window(const struct snapshot *before, const struct snapshot *after);

#endif
