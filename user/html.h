/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --html FILE: the report as a page, beside what is printed or goes to -o. The
 * page is whole in itself: style, program, chart library, and the report as
 * JSON (json.h), which the program makes charts and tables of.
 */
#ifndef KVMSTAT_HTML_H
#define KVMSTAT_HTML_H

#include "compare.h"
#include "output.h"
#include "run.h"
#include "select.h"

/*
 * FILE is opened before anything is measured (output.h). Where path is NULL
 * there is no page, and the others do nothing. 0, or -1 after an error message.
 */
int html_open(struct output *page, const char *path);
int html_run(struct output *page, const struct run *run, const struct view *view);
int html_comparison(struct output *page, const struct comparison *c, const struct view *view);

#endif
