/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a run comes from: the module, or a file that an earlier run was saved
 * to. Whoever asks gets one plain struct run and need not know.
 */
#ifndef KVMSTAT_SOURCE_H
#define KVMSTAT_SOURCE_H

#include "run.h"

struct source;

struct source_type {
	bool live;		/* counts on: two readings make a window */
	int (*read)(struct source *source, struct run *run);
	void (*close)(struct source *source);
};

struct source {
	const struct source_type *type;
	const char *path;	/* of a file */
	int fd;			/* of a device */
};

/* "module", or the path of a file. 0, or -1 after an error message. */
int source_open(struct source *source, const char *name);
/* 0 with a run to be freed, or -1 after an error message. */
int source_read(struct source *source, struct run *run);
void source_close(struct source *source);

int source_module_open(struct source *source);
int source_file_open(struct source *source, const char *path);

#endif
