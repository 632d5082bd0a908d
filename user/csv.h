/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comma-separated values as RFC 4180 has them: lines end with CR and LF, and text
 * is quoted where it has to be.
 */
#ifndef KVMSTAT_CSV_H
#define KVMSTAT_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct csv {
	FILE *out;
	bool started;		/* the line has a cell */
};

void csv_text(struct csv *csv, const char *text);
void csv_count(struct csv *csv, uint64_t n);
/* Whole numbers have no decimals; nothing stands for what is not finite. */
void csv_number(struct csv *csv, double n);
void csv_empty(struct csv *csv);
void csv_end_line(struct csv *csv);

#endif
