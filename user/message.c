// SPDX-License-Identifier: GPL-2.0-or-later
/* Diagnostics on stderr, and the last word on what was written to stdout. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "message.h"

/* Why a write of the results failed first; a later flush may not know any more. */
static int write_errno;

int flush_output(void)
{
	if (fflush(stdout) != EOF)
		return 0;
	write_errno = write_errno ?: errno;
	return -1;
}

static const char warning_mark[] = "warning: ";

static void (*taker)(const char *line);

void messages_to(void (*take)(const char *line))
{
	taker = take;
}

/* One write per message, so that those of two processes never interleave. */
static void __attribute__((format(printf, 2, 0)))
emit(const char *prefix, const char *format, va_list args)
{
	char line[2048];
	int used = snprintf(line, sizeof(line), "kvmstat: %s", prefix);

	vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	if (taker) {
		taker(line);
		return;
	}
	strcat(line, "\n");
	flush_output();
	fputs(line, stderr);
	fflush(stderr);
}

void error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit("", format, args);
	va_end(args);
}

void inform(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit("", format, args);
	va_end(args);
}

void warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit(warning_mark, format, args);
	va_end(args);
}

/*
 * A write may fail at any time before the last byte is out: early ones leave
 * the error flag behind, late ones show when the stream is flushed, and on
 * some file systems (quota, NFS) only when it is closed.
 */
int finish_output(int status)
{
	bool failed = ferror(stdout);

	failed |= flush_output() < 0;
	if (fclose(stdout) == EOF) {
		failed = true;
		write_errno = write_errno ?: errno;
	}
	if (!failed)
		return status;
	error("cannot write the results to standard output: %s",
	      write_errno ? strerror(write_errno) : "an earlier write failed");
	return EXIT_FAILED;
}
