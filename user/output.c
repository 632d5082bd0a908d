// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the report goes: standard output, or -o FILE. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "output.h"

static int explain(const struct output *output, const char *what, int why)
{
	error("%s: cannot %s it: %s", output->path, what, why ? strerror(why) : "a write failed");
	return -1;
}

static void forget(struct output *output)
{
	free(output->temporary);
	free(output->target);
	memset(output, 0, sizeof(*output));
}

static mode_t current_umask(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return mask;
}

static int open_temporary(struct output *output, const struct stat *old)
{
	int fd = -1;

	if (asprintf(&output->temporary, "%s.XXXXXX", output->target) < 0)
		output->temporary = NULL;
	else
		fd = mkostemp(output->temporary, O_CLOEXEC);
	if (fd < 0) {
		free(output->temporary);
		output->temporary = NULL;
		return -1;
	}
	/* mkostemp() makes files for the owner alone. */
	if (fchmod(fd, old ? old->st_mode & 0777 : 0666 & ~current_umask()) < 0)
		warning("%s: cannot set its permissions: %s", output->path, strerror(errno));
	return fd;
}

/* A file that may be written, in a directory that may not, is written in place. */
static int open_file(struct output *output)
{
	struct stat old;
	bool exists = stat(output->path, &old) == 0;
	int fd;

	output->target = exists ? realpath(output->path, NULL) : strdup(output->path);
	if (!output->target)
		return -1;
	if (exists && !S_ISREG(old.st_mode))
		return open(output->path, O_WRONLY | O_CLOEXEC);
	if (exists && access(output->path, W_OK) < 0)
		return -1;
	fd = open_temporary(output, exists ? &old : NULL);
	if (fd < 0 && exists)
		fd = open(output->path, O_WRONLY | O_CLOEXEC);
	return fd;
}

int output_open(struct output *output, const char *path)
{
	int fd;

	memset(output, 0, sizeof(*output));
	output->path = path && strcmp(path, "-") ? path : NULL;
	if (!output->path) {
		output->stream = stdout;
		return 0;
	}
	fd = open_file(output);
	output->stream = fd < 0 ? NULL : fdopen(fd, "w");
	if (output->stream)
		return 0;
	explain(output, "write", errno);
	if (fd >= 0)
		close(fd);
	output_discard(output);
	return -1;
}

/* A direct write leaves no tail of what a longer file held before. */
static bool cut_tail(struct output *output)
{
	struct stat now;
	int fd = fileno(output->stream);

	if (output->temporary || fstat(fd, &now) < 0 || !S_ISREG(now.st_mode))
		return true;
	return ftruncate(fd, ftello(output->stream)) == 0;
}

static bool close_stream(struct output *output, int *why)
{
	bool ok;

	errno = 0;
	ok = !ferror(output->stream);
	ok &= fflush(output->stream) == 0;
	ok = ok && cut_tail(output);
	*why = errno;
	if (fclose(output->stream) != 0) {
		ok = false;
		*why = *why ?: errno;
	}
	output->stream = NULL;
	return ok;
}

int output_finish(struct output *output)
{
	int why, ret = 0;

	if (!output->path)
		return 0;
	if (!close_stream(output, &why))
		ret = explain(output, "write", why);
	else if (output->temporary && rename(output->temporary, output->target) < 0)
		ret = explain(output, "replace", errno);
	if (ret < 0 && output->temporary)
		unlink(output->temporary);
	forget(output);
	return ret;
}

void output_discard(struct output *output)
{
	if (!output->path)
		return;
	if (output->stream)
		fclose(output->stream);
	if (output->temporary)
		unlink(output->temporary);
	forget(output);
}
