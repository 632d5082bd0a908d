// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of /sys and /proc, below a prefix. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"

static const char *prefix(void)
{
	return secure_getenv("KVMSTAT_SYSROOT") ?: "";
}

bool sysfs_prefixed(void)
{
	return *prefix();
}

static void __attribute__((format(printf, 2, 0)))
vpath(char path[SYSFS_PATH_MAX], const char *format, va_list args)
{
	int used = snprintf(path, SYSFS_PATH_MAX, "%s", prefix());

	if (used < SYSFS_PATH_MAX)
		vsnprintf(path + used, SYSFS_PATH_MAX - used, format, args);
}

void sysfs_path(char path[SYSFS_PATH_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vpath(path, format, args);
	va_end(args);
}

bool sysfs_read(char *buf, size_t size, const char *format, ...)
{
	char path[SYSFS_PATH_MAX];
	va_list args;
	FILE *file;
	bool ok;

	va_start(args, format);
	vpath(path, format, args);
	va_end(args);
	file = fopen(path, "re");
	if (!file)
		return false;
	ok = fgets(buf, size, file);
	fclose(file);
	if (ok)
		buf[strcspn(buf, "\n")] = '\0';
	return ok;
}

bool sysfs_exists(const char *format, ...)
{
	char path[SYSFS_PATH_MAX];
	va_list args;

	va_start(args, format);
	vpath(path, format, args);
	va_end(args);
	return access(path, F_OK) == 0;
}
