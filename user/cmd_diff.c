// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-report diff: two saved runs side by side. */
#include <inttypes.h>

#include "commands.h"
#include "html.h"
#include "json.h"
#include "message.h"

/* Reasons that --top left out would look as if there had been none. */
static int read_whole(const char *path, struct run *run)
{
	uint64_t left;

	if (json_read_run(path, run) < 0)
		return -1;
	left = run_left_out(run);
	if (!left)
		return 0;
	error("%s: %" PRIu64 " of its exits are of reasons that --top left out: save it again without --top",
	      path, left);
	run_free(run);
	return -1;
}

static int read_both(const struct options *options, struct run *before, struct run *after,
		     bool *mode_verified)
{
	*mode_verified = false;
	if (options->nr_operands == 1)
		return json_read_comparison(options->operands[0], before, after, mode_verified);
	if (read_whole(options->operands[0], before) < 0)
		return -1;
	if (read_whole(options->operands[1], after) == 0)
		return 0;
	run_free(before);
	return -1;
}

static int show_both(const struct options *options, struct output *page)
{
	struct comparison comparison;
	struct run before, after;
	bool mode_verified;
	int ret;

	if (read_both(options, &before, &after, &mode_verified) < 0)
		return -1;
	compare(&comparison, &before, &after, &options->view);
	comparison.mode_verified = mode_verified;
	options->format->comparison(stdout, &comparison, &options->view);
	ret = html_comparison(page, &comparison, &options->view);
	comparison_free(&comparison);
	run_free(&before);
	run_free(&after);
	return ret;
}

int cmd_diff(const struct options *options)
{
	struct output page;
	int ret;

	if (html_open(&page, options->html) < 0)
		return EXIT_FAILED;
	ret = show_both(options, &page);
	output_discard(&page);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}
