// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The BPF collector as a source: the pinned one, else one of our own, which counts
 * for as long as it is open.
 */
#include <errno.h>

#include "../bpf/collector.h"
#include "device.h"
#include "message.h"
#include "source.h"

static int bpf_read(struct source *source, struct run *run)
{
	struct snapshot snap;

	if (!collector_counts(source->collector)) {
		error("BPF: the collector was stopped meanwhile: run it again");
		return -1;
	}
	collector_snapshot(source->collector, &snap);
	source_live_run(run, &snap, "bpf");
	snapshot_free(&snap);
	return 0;
}

static void bpf_close(struct source *source)
{
	collector_close(source->collector);
}

static const struct source_type bpf_type = {
	.live = true,
	.read = bpf_read,
	.close = bpf_close,
};

int source_bpf_open(struct source *source, enum reading reading)
{
	source->type = &bpf_type;
	source->collector = collector_find();
	if (source->collector)
		return 0;
	if (errno != ENOENT && errno != EACCES)
		return -1;
	if (reading == READING_ONCE && collector_here()) {
		if (errno == EACCES)
			error(COLLECTOR_HIDDEN);
		else
			error("BPF: nothing counts yet: start it (kvmstat-report bpf start), or count from now on (show -i 1, stat -- COMMAND)");
		return -1;
	}
	source->collector = collector_load();
	source->ours = source->collector;
	return source->ours ? 0 : -1;
}
