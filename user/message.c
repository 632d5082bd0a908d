// SPDX-License-Identifier: GPL-2.0-or-later
/* Diagnostics on stderr, and the last word on what was written to stdout. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "message.h"

/* One write per message, so that those of two processes never interleave. */
static void __attribute__((format(printf, 2, 0)))
emit(const char *prefix, const char *format, va_list args)
{
	char line[2048];
	int used = snprintf(line, sizeof(line), "kvmstat: %s", prefix);

	vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	strcat(line, "\n");
	fflush(stdout);
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

void warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit("warning: ", format, args);
	va_end(args);
}

/*
 * A write may fail at any time before the last byte is out: early ones leave
 * the error flag behind, late ones show when the stream is flushed, and on
 * some file systems (quota, NFS) only when it is closed.
 */
int finish_output(int status)
{
	bool failed;
	int why;

	errno = 0;
	failed = ferror(stdout);
	failed |= fflush(stdout) == EOF;
	why = errno;
	if (fclose(stdout) == EOF) {
		failed = true;
		why = why ?: errno;
	}
	if (!failed)
		return status;
	error("cannot write the results to standard output: %s",
	      why ? strerror(why) : "an earlier write failed");
	return EXIT_FAILED;
}
