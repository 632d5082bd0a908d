// SPDX-License-Identifier: GPL-2.0-or-later
/* A table for people. */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "table.h"

#define GAP 2

void table_start(struct table *table, const struct column *columns, size_t nr_columns)
{
	memset(table, 0, sizeof(*table));
	table->columns = columns;
	table->nr_columns = nr_columns;
}

void table_row(struct table *table)
{
	table->cells = xgrow(table->cells, table->nr_rows, sizeof(*table->cells));
	memset(&table->cells[table->nr_rows++], 0, sizeof(*table->cells));
	table->next = 0;
}

void table_cell(struct table *table, const char *text)
{
	char *cell = table->cells[table->nr_rows - 1][table->next++];

	snprintf(cell, TABLE_CELL, "%s", text);
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = strlen(table->columns[column].title), i;

	for (i = 0; i < table->nr_rows; i++) {
		size_t length = strlen(table->cells[i][column]);

		width = length > width ? length : width;
	}
	return width;
}

/* The column to drop next, or NULL. */
static size_t *most_dispensable(const struct table *table, size_t widths[TABLE_COLUMNS])
{
	size_t *found = NULL, i;
	unsigned char drop = 0;

	for (i = 0; i < table->nr_columns; i++) {
		if (!widths[i] || table->columns[i].drop <= drop)
			continue;
		drop = table->columns[i].drop;
		found = &widths[i];
	}
	return found;
}

/* Width of each column; 0 for one that is dropped. */
static void lay_out(const struct table *table, size_t widths[TABLE_COLUMNS])
{
	size_t total = 0, *dropped, i;

	for (i = 0; i < table->nr_columns; i++) {
		widths[i] = column_width(table, i);
		total += widths[i] + (i ? GAP : 0);
	}
	while (total > TABLE_WIDTH && (dropped = most_dispensable(table, widths))) {
		total -= *dropped + GAP;
		*dropped = 0;
	}
}

static void print_cell(FILE *out, const struct column *column, const char *text, size_t width,
		       bool last)
{
	if (!column->left)
		fprintf(out, "%*s", (int)width, text);
	else if (last)
		fputs(text, out);
	else
		fprintf(out, "%-*s", (int)width, text);
}

static void print_row(const struct table *table, FILE *out, const size_t *widths, size_t row)
{
	bool title = row == table->nr_rows;
	size_t i, last = 0;

	for (i = 0; i < table->nr_columns; i++)
		if (widths[i] && (title || table->cells[row][i][0]))
			last = i;
	for (i = 0; i <= last; i++) {
		if (!widths[i])
			continue;
		if (i)
			fprintf(out, "%*s", GAP, "");
		print_cell(out, &table->columns[i],
			   title ? table->columns[i].title : table->cells[row][i],
			   widths[i], i == last);
	}
	fputc('\n', out);
}

static void print_line(const struct table *table, FILE *out, const size_t *widths)
{
	size_t total = 0, i;

	for (i = 0; i < table->nr_columns; i++)
		total += widths[i] ? widths[i] + (i ? GAP : 0) : 0;
	while (total--)
		fputc('-', out);
	fputc('\n', out);
}

void table_print(struct table *table, FILE *out, size_t footer)
{
	size_t widths[TABLE_COLUMNS], i;

	lay_out(table, widths);
	print_row(table, out, widths, table->nr_rows);
	for (i = 0; i < table->nr_rows; i++) {
		if (footer && i == table->nr_rows - footer)
			print_line(table, out, widths);
		print_row(table, out, widths, i);
	}
	free(table->cells);
	memset(table, 0, sizeof(*table));
}
