/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands above and below a table: whose numbers these are, and how far to trust them. */
#ifndef KVMSTAT_HEAD_H
#define KVMSTAT_HEAD_H

#include <stdio.h>

#include "run.h"

/* The lines above: which command, source, machine and window the run is of. */
void print_head(FILE *out, const struct run *run);

/* Lines of it: "Command: make -j8", "Source:  module". */
void print_command(FILE *out, const struct run *run);
void print_source(FILE *out, const struct run *run);
/* No whole line: "Linux 6.1.0-49-amd64, AMD SVM, nested paging (npt)". */
void print_machine(FILE *out, const struct run *run);

/* What a reader must know before believing it; nothing, mostly. 'which' run: "", " before". */
void print_doubts(FILE *out, const struct run *run, const char *which);
void print_left_out(FILE *out, size_t left_out);

#endif
