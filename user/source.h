/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a run comes from: the module, the BPF collector, or a file that an earlier
 * run was saved to. Whoever asks gets one plain struct run and need not know.
 */
#ifndef KVMSTAT_SOURCE_H
#define KVMSTAT_SOURCE_H

#include "run.h"

struct collector;
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
	struct collector *collector;
	bool ours;		/* counts only as long as it is open */
};

/* For device_alternative: where no module is loaded. */
#define SOURCE_BPF " or use --source bpf"
#define SOURCE_BPF_OR_FILE " or use --source bpf (after \"kvmstat-report bpf start\") or --source FILE"

/* What it is read for: all that was counted up to now, or what is counted from now on. */
enum reading { READING_ONCE, READING_WINDOW };

/*
 * "module", "bpf", or the path of a file. NULL: the module where it is loaded, else
 * BPF, with a message that says so. 0, or -1 after an error message.
 */
int source_open(struct source *source, const char *name, enum reading reading);
/* 0 with a run to be freed, or -1 after an error message. */
int source_read(struct source *source, struct run *run);
void source_close(struct source *source);

/* A run of what counts on, from its snapshot. */
void source_live_run(struct run *run, const struct snapshot *snap, const char *name);

int source_module_open(struct source *source);
int source_bpf_open(struct source *source, enum reading reading);
int source_file_open(struct source *source, const char *path);

#endif
