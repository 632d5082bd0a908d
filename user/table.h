/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table for people: columns as wide as they must be, all within the terminal's width if it can be. */
#ifndef KVMSTAT_TABLE_H
#define KVMSTAT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS 24
#define TABLE_CELL 48

struct column {
	const char *title;
	bool left;		/* aligned; numbers are to the right */
	unsigned char drop;	/* the higher, the sooner, where there is no room; 0: never */
};

/* On a terminal that has colours. */
enum accent { ACCENT_NONE, ACCENT_MORE, ACCENT_LESS, NR_ACCENTS };

struct table_row {
	enum accent accent;
	char cells[TABLE_COLUMNS][TABLE_CELL];
};

struct table {
	const struct column *columns;
	size_t nr_columns;
	struct table_row *rows;
	size_t nr_rows;
	size_t next;		/* column of the last row that is filled next */
};

void table_start(struct table *table, const struct column *columns, size_t nr_columns);
void table_row(struct table *table);
/* Of the last row. */
void table_accent(struct table *table, enum accent accent);
void table_cell(struct table *table, const char *text);
/* The last 'footer' rows are set off by a line. Frees the table. */
void table_print(struct table *table, FILE *out, size_t footer);

#endif
