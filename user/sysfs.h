/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of /sys and /proc. KVMSTAT_SYSROOT in the environment is put before
 * their paths, so that tests run on a tree of their own without any rights.
 */
#ifndef KVMSTAT_SYSFS_H
#define KVMSTAT_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

#define SYSFS_PATH_MAX 512

bool sysfs_prefixed(void);

/* The path with the prefix before it. */
void sysfs_path(char path[SYSFS_PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* First line of the file, without its end; false where it cannot be read. */
bool sysfs_read(char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool sysfs_exists(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
