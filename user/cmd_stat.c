// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-report stat: what was counted while COMMAND ran. */
#include <stdio.h>
#include <sys/wait.h>

#include "commands.h"
#include "html.h"
#include "measure.h"
#include "message.h"
#include "sample.h"

/* Numbers that took long to get are not lost with a full disk. */
static int print_report(struct output *output, const struct options *options,
			const struct run *run)
{
	options->format->run(output->stream, run, &options->view);
	if (output_finish(output) == 0)
		return EXIT_DONE;
	warning("the report follows on standard output instead");
	options->format->run(stdout, run, &options->view);
	return EXIT_FAILED;
}

static int report(struct measurement *m, struct output *output, struct output *page)
{
	struct run mean;
	int status;

	sample_mean(&mean, m->done, m->nr_done);
	status = print_report(output, m->options, &mean);
	if (html_run(page, &mean, &m->options->view) < 0)
		status = EXIT_FAILED;
	run_free(&mean);
	return status;
}

/*
 * A run that failed is not part of a mean, but where it is all there is, it
 * is what happened so far.
 */
static void end_early(struct measurement *m, struct run *window, int status)
{
	const char *command = m->options->operands[0];
	char then[80];

	if (m->options->runs == 1)
		child_explain(command, status, ": the report is of the time until then");
	else if (!m->nr_done)
		child_explain(command, status, " in its first run: the report is of that run alone");
	else {
		snprintf(then, sizeof(then), " in run %zu: the report is of the %zu before it",
			 m->nr_done + 1, m->nr_done);
		child_explain(command, status, then);
	}
	if (m->nr_done)
		run_free(window);
	else
		measurement_keep(m, window);
}

/* As shells have it. */
static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* COMMAND's status, or ours. */
static int run_all(struct measurement *m)
{
	while (m->nr_done < m->options->runs) {
		struct run window;
		int status;

		if (measure_once(m, &window, &status) < 0)
			return EXIT_FAILED;
		if (status) {
			end_early(m, &window, status);
			return exit_status(status);
		}
		measurement_keep(m, &window);
		if (child_signal() && m->nr_done < m->options->runs) {
			error("interrupted after %zu of %u runs", m->nr_done, m->options->runs);
			return EXIT_FAILED;
		}
	}
	return EXIT_DONE;
}

static int measure_and_report(struct source *source, const struct options *options,
			      struct output *output, struct output *page)
{
	struct measurement m = { .source = source, .options = options };
	int status, reported = EXIT_DONE;

	if (options->own) {
		m.own = descendants_open();
		if (!m.own)
			return EXIT_FAILED;
		m.child.started = descendants_add;
		m.child.arg = m.own;
	}
	child_catch_signals();
	status = run_all(&m);
	if (m.nr_done)
		reported = report(&m, output, page);
	measurement_free(&m);
	descendants_close(m.own);
	return reported ?: status;
}

int cmd_stat(const struct options *options)
{
	struct output output, page;
	struct source source;
	int status = EXIT_FAILED;

	device_alternative = SOURCE_BPF;
	if (source_open(&source, options->source, READING_WINDOW) < 0)
		return EXIT_FAILED;
	if (output_open(&output, options->output) == 0) {
		if (html_open(&page, options->html) == 0) {
			status = measure_and_report(&source, options, &output, &page);
			output_discard(&page);
		}
		output_discard(&output);
	}
	source_close(&source);
	return status;
}
