// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers and names as people read them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "terminal.h"
#include "text.h"

/* Longer lines are hard to read. */
#define WRAP_MAX 100

void text_clean(char *to, const char *from, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i]; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = '\0';
}

char *text_count(char buf[TEXT_CELL], uint64_t n)
{
	snprintf(buf, TEXT_CELL, "%" PRIu64, n);
	return buf;
}

/* Three significant digits. */
static void print_digits(char buf[TEXT_CELL], double n, const char *space, const char *unit)
{
	int decimals = n < 9.995 ? 2 : n < 99.95 ? 1 : 0;

	snprintf(buf, TEXT_CELL, "%.*f%s%s", decimals, n, space, unit);
}

char *text_scaled(char buf[TEXT_CELL], double n)
{
	static const char * const units[] = { "", "k", "M", "G", "T", "P", "E" };
	size_t i = 0;

	if (n < 9999.5) {
		snprintf(buf, TEXT_CELL, "%.0f", n);
		return buf;
	}
	while (n >= 999.5 && i < sizeof(units) / sizeof(units[0]) - 1) {
		n /= 1000;
		i++;
	}
	print_digits(buf, n, "", units[i]);
	return buf;
}

static void print_ns(char buf[TEXT_CELL], double ns, const char *space)
{
	static const struct { double ns; const char *unit; } units[] = {
		{ 1e9, "s" }, { 1e6, "ms" }, { 1e3, "us" },
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns >= 0.9995 * units[i].ns) {
			print_digits(buf, ns / units[i].ns, space, units[i].unit);
			return;
		}
	}
	snprintf(buf, TEXT_CELL, "%.0f%sns", ns, space);
}

char *text_ns(char buf[TEXT_CELL], double ns)
{
	print_ns(buf, ns, " ");
	return buf;
}

char *text_time(char buf[TEXT_CELL], double cycles, uint64_t tsc_khz)
{
	if (tsc_khz && cycles > 0)
		print_ns(buf, cycles * 1e6 / tsc_khz, "");
	else
		text_scaled(buf, cycles);
	return buf;
}

char *text_share(char buf[TEXT_CELL], double part, double whole)
{
	if (whole > 0)
		snprintf(buf, TEXT_CELL, "%.1f%%", 100 * part / whole);
	else
		snprintf(buf, TEXT_CELL, "-");
	return buf;
}

char *text_real(char buf[TEXT_CELL], double n)
{
	if (n > 0 && n < 99.95)
		print_digits(buf, n, "", "");
	else
		text_scaled(buf, n);
	return buf;
}

char *text_ratio(char buf[TEXT_CELL], double before, double after)
{
	double ratio = before > 0 ? after / before : 0;

	if (before > 0 && after > 0)
		snprintf(buf, TEXT_CELL, ratio < 99.95 ? "%.2fx" : "%.0fx", ratio);
	else
		snprintf(buf, TEXT_CELL, after > 0 ? "new" : before > 0 ? "gone" : "-");
	return buf;
}

void text_wrap(FILE *out, int indent, const char *text)
{
	size_t room = terminal_width(out);
	size_t width = (room < WRAP_MAX ? room : WRAP_MAX) - indent;

	while (*text) {
		size_t length = strlen(text), cut = length;

		if (length > width) {
			cut = width;
			while (cut && text[cut] != ' ')
				cut--;
			cut = cut ?: strcspn(text, " ");
		}
		fprintf(out, "%*s%.*s\n", indent, "", (int)cut, text);
		text += cut + strspn(text + cut, " ");
	}
}
