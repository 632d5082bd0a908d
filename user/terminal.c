// SPDX-License-Identifier: GPL-2.0-or-later
/* What the place that a report is printed to can show. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "terminal.h"

#define USUAL_WIDTH 80
/* What text can be put in, and no more than anybody has. */
#define WIDTH_MIN 40
#define WIDTH_MAX 1000

/* 0 where it is not known: a serial console has a size of 0. */
static size_t window_width(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

static size_t wanted_width(void)
{
	const char *columns = getenv("COLUMNS");

	return columns ? strtoul(columns, NULL, 10) : 0;
}

size_t terminal_width(FILE *out)
{
	size_t width = window_width(out);

	if (!width)
		width = wanted_width();
	if (!width || width > WIDTH_MAX)
		return USUAL_WIDTH;
	return width < WIDTH_MIN ? WIDTH_MIN : width;
}

bool terminal_has_colour(FILE *out)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_colour && *no_colour)
		return false;
	return term && *term && strcmp(term, "dumb") && isatty(fileno(out));
}
