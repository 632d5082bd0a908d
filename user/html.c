// SPDX-License-Identifier: GPL-2.0-or-later
/* --html FILE: the report as a page, whole in itself. */
#include <string.h>

#include "html.h"
#include "json.h"
#include "message.h"
#include "version.h"

/* page.S has them, each with a NUL at its end. */
extern const char page_style[], page_program[], page_charts[], page_charts_licence[];

/* The policy keeps the page off the network, whatever is in it. */
static const char head[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:;\n"
	"script-src 'unsafe-inline'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<meta name=\"generator\" content=\"kvmstat-report " KVMSTAT_VERSION "\">\n"
	"<link rel=\"icon\" href=\"data:,\">\n"
	"<title>kvmstat</title>\n";

static const char body[] =
	"</head>\n"
	"<body>\n"
	"<noscript>This page makes its charts and tables with JavaScript, which is off here:\n"
	"kvmstat-report shows the same numbers as text.</noscript>\n"
	"<main id=\"report\"></main>\n";

static void put_script(FILE *out, const char *program)
{
	fprintf(out, "<script>\n%s</script>\n", program);
}

/*
 * A script element ends at the first "</script" in it, and "<!--" changes how
 * it is read. JSON has a "<" in strings alone, where it can be written so.
 */
static int put_json(const char *text, size_t size, void *arg)
{
	FILE *out = arg;
	size_t i;

	for (i = 0; i < size; i++) {
		if (text[i] == '<')
			fputs("\\u003c", out);
		else
			fputc(text[i], out);
	}
	return 0;
}

static void put_data(FILE *out, const json_t *data)
{
	fputs("<script type=\"application/json\" id=\"data\">\n", out);
	json_dump_callback(data, put_json, out, JSON_REAL_PRECISION(12) | JSON_COMPACT);
	fputs("\n</script>\n", out);
}

/* Takes the data. Errors of writing stay in the stream until it is finished. */
static int write_page(struct output *page, json_t *data)
{
	FILE *out = page->stream;

	fprintf(out, "%s<style>\n%s</style>\n%s", head, page_style, body);
	put_data(out, data);
	fprintf(out, "<!--\n%s-->\n", page_charts_licence);
	put_script(out, page_charts);
	put_script(out, page_program);
	fputs("</body>\n</html>\n", out);
	json_decref(data);
	return output_finish(page);
}

int html_open(struct output *page, const char *path)
{
	memset(page, 0, sizeof(*page));
	if (!path)
		return 0;
	if (!*page_charts) {
		error("--html %s: this program was built without the chart library: install libjs-chart.js (Debian), then build it again",
		      path);
		return -1;
	}
	return output_open(page, path);
}

int html_run(struct output *page, const struct run *run, const struct view *view)
{
	return page->stream ? write_page(page, json_from_run(run, view)) : 0;
}

int html_comparison(struct output *page, const struct comparison *c, const struct view *view)
{
	return page->stream ? write_page(page, json_from_comparison(c, view)) : 0;
}
