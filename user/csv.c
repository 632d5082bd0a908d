// SPDX-License-Identifier: GPL-2.0-or-later
/* Comma-separated values as RFC 4180 has them. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "csv.h"

void csv_empty(struct csv *csv)
{
	if (csv->started)
		fputc(',', csv->out);
	csv->started = true;
}

void csv_text(struct csv *csv, const char *text)
{
	csv_empty(csv);
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, csv->out);
		return;
	}
	fputc('"', csv->out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', csv->out);
		fputc(*text, csv->out);
	}
	fputc('"', csv->out);
}

void csv_count(struct csv *csv, uint64_t n)
{
	csv_empty(csv);
	fprintf(csv->out, "%" PRIu64, n);
}

/* As many digits as JSON has. */
void csv_number(struct csv *csv, double n)
{
	csv_empty(csv);
	if (isfinite(n))
		fprintf(csv->out, n == rint(n) ? "%.0f" : "%.12g", n);
}

void csv_end_line(struct csv *csv)
{
	fputs("\r\n", csv->out);
	csv->started = false;
}
