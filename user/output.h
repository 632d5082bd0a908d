/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the report goes: standard output, or -o FILE. FILE is opened before
 * anything is measured and appears, whole, when it is finished: until then an
 * older FILE stays as it was. Only what is no plain file (a pipe, /dev/…) is
 * written to directly.
 */
#ifndef KVMSTAT_OUTPUT_H
#define KVMSTAT_OUTPUT_H

#include <stdio.h>

struct output {
	const char *path;	/* NULL: standard output */
	char *target;		/* path with its symbolic links resolved */
	char *temporary;	/* what becomes target; NULL when written directly */
	FILE *stream;
};

/* 0, or -1 after an error message. path may be NULL. */
int output_open(struct output *output, const char *path);
/* 0, or -1 after an error message: then an older FILE is untouched. */
int output_finish(struct output *output);
/* Nothing is to be reported; nothing happens where it is finished. */
void output_discard(struct output *output);

#endif
