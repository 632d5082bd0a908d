/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the place that a report is printed to can show. */
#ifndef KVMSTAT_TERMINAL_H
#define KVMSTAT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns: the terminal's; elsewhere what COLUMNS says, or 80. */
size_t terminal_width(FILE *out);

/* A terminal that has colours, and nobody who set NO_COLOR (no-color.org). */
bool terminal_has_colour(FILE *out);

#endif
