/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two halves of the format for people. */
#ifndef KVMSTAT_FORMAT_TABLE_H
#define KVMSTAT_FORMAT_TABLE_H

#include "compare.h"
#include "text.h"

/* The time that cycles take; with --cycles, they as they are. */
char *cycles_text(char buf[TEXT_CELL], double cycles, uint64_t tsc_khz, const struct view *view);

void table_comparison(FILE *out, const struct comparison *c, const struct view *view);

#endif
