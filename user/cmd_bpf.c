// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-report bpf: the collector that is pinned, and counts on by itself. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../bpf/collector.h"
#include "commands.h"
#include "device.h"
#include "message.h"
#include "run.h"

static int start(void)
{
	struct collector *collector;
	int ret;

	if (collector_may_pin() < 0)
		return EXIT_FAILED;
	collector = collector_load();
	if (!collector)
		return EXIT_FAILED;
	ret = collector_pin(collector);
	if (ret == 0)
		inform("counting by BPF, %s: \"kvmstat-report\" shows it, \"kvmstat-report bpf stop\" ends it",
		       collector_way(collector));
	collector_close(collector);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int stop(void)
{
	return collector_unpin() < 0 ? EXIT_FAILED : EXIT_DONE;
}

static void print_status(const struct collector *collector)
{
	struct snapshot snap;
	size_t i, alive = 0;
	struct run run;

	collector_snapshot(collector, &snap);
	run_from_snapshot(&run, &snap);
	snapshot_free(&snap);
	for (i = 0; i < run.nr_vms; i++)
		alive += run.vms[i].alive;
	printf("Collector:  pinned at " COLLECTOR_PINS "\n");
	printf("Attached:   %s\n", collector_way(collector));
	printf("Counting:   for %.1f s\n", run.window_ns / 1e9);
	printf("Counted:    %" PRIu64 " exits of %" PRIu64 " VMs (%zu alive); %" PRIu64 " lost\n",
	       run.totals.exits, collector_vms(collector), alive, run.totals.lost);
	printf("Memory:     %.1f MB\n", collector_memory(collector) / 1e6);
	run_free(&run);
}

static int status(void)
{
	/* To load one that was not built in only says so. */
	struct collector *collector = collector_here() ? collector_find() : collector_load();

	if (!collector && collector_here() && errno == EACCES)
		error(COLLECTOR_HIDDEN);
	else if (!collector && collector_here() && errno == ENOENT)
		error("BPF: no collector is pinned at " COLLECTOR_PINS ": start one with \"kvmstat-report bpf start\"");
	if (!collector)
		return EXIT_FAILED;
	print_status(collector);
	collector_close(collector);
	return EXIT_DONE;
}

int cmd_bpf(const struct options *options)
{
	const char *what = options->operands[0];

	if (!strcmp(what, "start"))
		return start();
	if (!strcmp(what, "stop"))
		return stop();
	if (!strcmp(what, "status"))
		return status();
	error("bpf: \"%s\" is not one of start, stop, status", what);
	return EXIT_USAGE;
}
