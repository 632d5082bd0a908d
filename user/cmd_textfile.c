// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvmstat-report textfile: metrics for node_exporter's textfile collector, which
 * reads each *.prom of a directory whenever it is scraped. So the file is made
 * under another name, and is on the disk before it gets its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "device.h"
#include "message.h"
#include "source.h"

#define TEXTFILE	"kvmstat.prom"
/* One name for all: what a killed one leaves, the next one takes. */
#define TEMPORARY	".kvmstat.prom.new"

static int explain(const char *dir, const char *name, const char *what)
{
	error("%s/%s: cannot %s it: %s", dir, name, what, strerror(errno));
	return -1;
}

/* Only one writes at a time; the lock ends with the descriptor. */
static int open_directory(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	error("%s: cannot use it: %s: give the directory that node_exporter has as --collector.textfile.directory",
	      dir, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		text += written;
		length -= written;
	}
	return 0;
}

/* The collector is another user. */
static int make_temporary(int dir_fd, const char *dir, const char *text, size_t length)
{
	int fd, ret = 0;

	/* Whatever is there by that name: not to be waited for, nor written through. */
	unlinkat(dir_fd, TEMPORARY, 0);
	fd = openat(dir_fd, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return explain(dir, TEXTFILE, "write");
	if (write_all(fd, text, length) < 0 || fchmod(fd, 0644) < 0 || fsync(fd) < 0)
		ret = explain(dir, TEXTFILE, "write");
	close(fd);
	return ret;
}

static int replace(int dir_fd, const char *dir, const char *text, size_t length)
{
	if (make_temporary(dir_fd, dir, text, length) == 0) {
		if (renameat(dir_fd, TEMPORARY, dir_fd, TEXTFILE) == 0)
			return 0;
		explain(dir, TEXTFILE, "replace");
	}
	unlinkat(dir_fd, TEMPORARY, 0);
	return -1;
}

/* A signal that ends the program waits until nothing is half done. */
static int write_textfile(const char *dir, const char *text, size_t length)
{
	int fd = open_directory(dir), ret;
	sigset_t all, before;

	if (fd < 0)
		return -1;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	ret = replace(fd, dir, text, length);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fd);
	return ret;
}

/* NULL after an error message. */
static char *make_text(const struct run *run, const struct view *view, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);
	bool failed = !out;

	if (out) {
		format_prometheus.run(out, run, view);
		failed = ferror(out);
		failed |= fclose(out) != 0;
	}
	if (!failed)
		return text;
	error("not enough memory for the metrics");
	free(text);
	return NULL;
}

static int write_run(const struct run *run, const struct options *options)
{
	size_t length;
	char *text;
	int ret;

	if (run->runs > 1) {
		error("%s: is the mean of %u runs, and no counter: use the module, or a single run",
		      options->source, run->runs);
		return -1;
	}
	text = make_text(run, &options->view, &length);
	if (!text)
		return -1;
	ret = write_textfile(options->operands[0], text, length);
	free(text);
	return ret;
}

int cmd_textfile(const struct options *options)
{
	struct source source;
	struct run run;
	int ret;

	device_alternative = SOURCE_BPF_OR_FILE;
	if (source_open(&source, options->source, READING_ONCE) < 0)
		return EXIT_FAILED;
	ret = source_read(&source, &run);
	if (ret == 0) {
		ret = write_run(&run, options);
		run_free(&run);
	}
	source_close(&source);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}
