// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-report show: all that was counted, or interval by interval. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "child.h"
#include "commands.h"
#include "device.h"
#include "html.h"
#include "message.h"
#include "source.h"
#include "window.h"

/* What --top left out when a run was saved is in its totals alone. */
static void warn_left_out(const char *name, const struct run *run)
{
	uint64_t left = run_left_out(run);

	if (left)
		warning("%s: %" PRIu64 " of its exits are of reasons that --top left out when it was saved",
			name, left);
}

static int read_and_show(struct source *source, const struct options *options,
			 struct output *page)
{
	struct view view = options->view;
	struct run run;
	int status = EXIT_FAILED;

	if (source_read(source, &run) < 0)
		return EXIT_FAILED;
	warn_left_out(options->source, &run);
	if (run.runs > 1 && !options->format->comparison) {
		error("%s: is the mean of %u runs, and no counter: use a single run, or --format table, csv or json",
		      options->source, run.runs);
	} else if (run.runs > 1 && view_per(&view) != PER_ALL) {
		error("%s: is the mean of %u runs, which had VMs of their own: use --by reason, class or detail",
		      options->source, run.runs);
	} else if (select_check(&run, &view) == 0) {
		select_apply(&run, &view);
		options->format->run(stdout, &run, &view);
		status = html_run(page, &run, &view) < 0 ? EXIT_FAILED : EXIT_DONE;
	}
	run_free(&run);
	return status;
}

static int show_once(struct source *source, const struct options *options)
{
	struct output page;
	int status;

	if (html_open(&page, options->html) < 0)
		return EXIT_FAILED;
	status = read_and_show(source, options, &page);
	output_discard(&page);
	return status;
}

/* False when a signal ended it. */
static bool sleep_until(const struct timespec *when)
{
	int why;

	do
		why = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, when, NULL);
	while (why == EINTR && !child_signal());
	return !child_signal();
}

static void advance(struct timespec *when, double seconds)
{
	double whole = floor(seconds);

	when->tv_sec += whole;
	when->tv_nsec += (seconds - whole) * 1e9;
	if (when->tv_nsec >= 1000000000) {
		when->tv_nsec -= 1000000000;
		when->tv_sec++;
	}
}

/* 'last' is replaced by the reading that ends the interval. */
static int show_interval(struct source *source, const struct format *format,
			 const struct view *view, struct run *last)
{
	struct run now, window;
	int ret;

	if (source_read(source, &now) < 0)
		return -1;
	run_copy(&window, &now);
	ret = window_since(&window, last);
	if (ret == 0) {
		select_apply(&window, view);
		format->run(stdout, &window, view);
	}
	run_free(&window);
	run_free(last);
	*last = now;
	/* What is not read any more need not be made. */
	return ret < 0 || flush_output() < 0 ? -1 : 0;
}

/* A VM that is idle now and then is no unknown VM. */
static int show_intervals(struct source *source, const struct options *options)
{
	struct view view = options->view;
	struct timespec next;
	struct run last;
	uint64_t done;
	int ret;

	child_catch_signals();
	clock_gettime(CLOCK_MONOTONIC, &next);
	if (source_read(source, &last) < 0)
		return EXIT_FAILED;
	ret = select_check(&last, &view);
	for (done = 0; ret == 0 && (!options->count || done < options->count); done++) {
		advance(&next, options->interval);
		if (!sleep_until(&next))
			break;
		view.interval = done;
		ret = show_interval(source, options->format, &view, &last);
	}
	run_free(&last);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}

int cmd_show(const struct options *options)
{
	struct source source;
	int status;

	device_alternative = SOURCE_BPF_OR_FILE;
	if (source_open(&source, options->source,
			options->interval ? READING_WINDOW : READING_ONCE) < 0)
		return EXIT_FAILED;
	if (options->interval)
		status = show_intervals(&source, options);
	else
		status = show_once(&source, options);
	source_close(&source);
	return status;
}
