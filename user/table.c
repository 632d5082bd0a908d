// SPDX-License-Identifier: GPL-2.0-or-later
/* A table for people. */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "table.h"
#include "terminal.h"

#define GAP 2

/* ECMA-48: select graphic rendition. */
#define SGR_BOLD "\033[1m"
#define SGR_RED "\033[31m"
#define SGR_GREEN "\033[32m"
#define SGR_NORMAL "\033[m"

static const char * const accents[NR_ACCENTS] = {
	[ACCENT_MORE] = SGR_RED, [ACCENT_LESS] = SGR_GREEN,
};

void table_start(struct table *table, const struct column *columns, size_t nr_columns)
{
	memset(table, 0, sizeof(*table));
	table->columns = columns;
	table->nr_columns = nr_columns;
}

void table_row(struct table *table)
{
	table->rows = xgrow(table->rows, table->nr_rows, sizeof(*table->rows));
	memset(&table->rows[table->nr_rows++], 0, sizeof(*table->rows));
	table->next = 0;
}

void table_accent(struct table *table, enum accent accent)
{
	table->rows[table->nr_rows - 1].accent = accent;
}

void table_cell(struct table *table, const char *text)
{
	char *cell = table->rows[table->nr_rows - 1].cells[table->next++];

	snprintf(cell, TABLE_CELL, "%s", text);
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = strlen(table->columns[column].title), i;

	for (i = 0; i < table->nr_rows; i++) {
		size_t length = strlen(table->rows[i].cells[column]);

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
static void lay_out(const struct table *table, size_t widths[TABLE_COLUMNS], size_t room)
{
	size_t total = 0, *dropped, i;

	for (i = 0; i < table->nr_columns; i++) {
		widths[i] = column_width(table, i);
		total += widths[i] + (i ? GAP : 0);
	}
	while (total > room && (dropped = most_dispensable(table, widths))) {
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

/* Without blanks at its end. */
static void print_line(const struct table *table, FILE *out, const size_t *widths,
		       const char * const *texts)
{
	size_t i, last = 0;

	for (i = 0; i < table->nr_columns; i++)
		if (widths[i] && texts[i][0])
			last = i;
	for (i = 0; i <= last; i++) {
		if (!widths[i])
			continue;
		if (i)
			fprintf(out, "%*s", GAP, "");
		print_cell(out, &table->columns[i], texts[i], widths[i], i == last);
	}
}

static void print_coloured(const struct table *table, FILE *out, const size_t *widths,
			   const char * const *texts, const char *colour)
{
	if (!terminal_has_colour(out))
		colour = NULL;
	fputs(colour ?: "", out);
	print_line(table, out, widths, texts);
	fputs(colour ? SGR_NORMAL "\n" : "\n", out);
}

static void print_titles(const struct table *table, FILE *out, const size_t *widths)
{
	const char *texts[TABLE_COLUMNS];
	size_t i;

	for (i = 0; i < table->nr_columns; i++)
		texts[i] = table->columns[i].title;
	print_coloured(table, out, widths, texts, SGR_BOLD);
}

static void print_row(const struct table *table, FILE *out, const size_t *widths,
		      const struct table_row *row)
{
	const char *texts[TABLE_COLUMNS];
	size_t i;

	for (i = 0; i < table->nr_columns; i++)
		texts[i] = row->cells[i];
	print_coloured(table, out, widths, texts, accents[row->accent]);
}

static void print_rule(const struct table *table, FILE *out, const size_t *widths)
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

	lay_out(table, widths, terminal_width(out));
	print_titles(table, out, widths);
	for (i = 0; i < table->nr_rows; i++) {
		if (footer && i == table->nr_rows - footer)
			print_rule(table, out, widths);
		print_row(table, out, widths, &table->rows[i]);
	}
	free(table->rows);
	memset(table, 0, sizeof(*table));
}
