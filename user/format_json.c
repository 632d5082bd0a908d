// SPDX-License-Identifier: GPL-2.0-or-later
/* Results as JSON, for programs; an interval is one line. */
#include "format.h"
#include "json.h"

/* Memory never fails (main.c), and a failed write stays in the stream. */
static void dump(FILE *out, json_t *object, bool one_line)
{
	json_dumpf(object, out, JSON_REAL_PRECISION(12) | (one_line ? JSON_COMPACT : JSON_INDENT(1)));
	fputc('\n', out);
	json_decref(object);
}

static void json_run(FILE *out, const struct run *run, const struct view *view)
{
	dump(out, json_from_run(run, view), run->window == WINDOW_INTERVAL);
}

static void json_comparison(FILE *out, const struct comparison *c, const struct view *view)
{
	dump(out, json_from_comparison(c, view), false);
}

const struct format format_json = {
	.name = "json",
	.run = json_run,
	.comparison = json_comparison,
};
