// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a run comes from. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../bpf/collector.h"
#include "device.h"
#include "message.h"
#include "source.h"
#include "vendor.h"
#include "vm_name.h"

/* What a way other than the usual one leaves out is told besides. Once. */
static void say_way(const char *before, const struct source *source)
{
	static bool said;

	if (!said)
		inform("%s%s", before, collector_way(source->collector));
	said = true;
}

/* Not given: the module is exact about time; BPF is for where it may not be loaded. */
static int open_any(struct source *source, enum reading reading)
{
	struct collector *pinned;

	if (access(KVMSTAT_DEVICE, F_OK) == 0)
		return source_module_open(source);
	pinned = collector_find();
	if (pinned)
		collector_close(pinned);
	else if (errno != ENOENT && errno != EACCES)
		return -1;
	else if (errno == EACCES && reading == READING_ONCE) {
		error("no module loaded, and whether BPF counts is for root to see: run with sudo, run \"sudo insmod kvmstat.ko\", or use --source FILE");
		return -1;
	}
	if (!pinned && (reading == READING_ONCE || !collector_here()))
		return source_module_open(source);	/* which says what to do */
	if (source_bpf_open(source, reading) < 0) {
		error("no module loaded: run \"sudo insmod kvmstat.ko\", or see to what BPF lacks");
		return -1;
	}
	say_way("no module loaded: counted by BPF, ", source);
	return 0;
}

/* Asked for. */
static int open_bpf(struct source *source, enum reading reading)
{
	if (source_bpf_open(source, reading) < 0)
		return -1;
	if (strcmp(collector_way(source->collector), COLLECTOR_WAY))
		say_way("BPF: ", source);
	return 0;
}

int source_open(struct source *source, const char *name, enum reading reading)
{
	memset(source, 0, sizeof(*source));
	source->fd = -1;
	if (!collector_here())
		device_alternative = reading == READING_ONCE ? " or use --source FILE" : "";
	if (!name)
		return open_any(source, reading);
	if (!strcmp(name, "module"))
		return source_module_open(source);
	if (!strcmp(name, "bpf"))
		return open_bpf(source, reading);
	return source_file_open(source, name);
}

int source_read(struct source *source, struct run *run)
{
	return source->type->read(source, run);
}

void source_close(struct source *source)
{
	if (source->type->close)
		source->type->close(source);
}

void source_live_run(struct run *run, const struct snapshot *snap, const char *name)
{
	struct utsname host;

	run_from_snapshot(run, snap);
	vm_names_read(run);
	snprintf(run->source, sizeof(run->source), "%s", name);
	snprintf(run->paging, sizeof(run->paging), "%s", vendor_paging_name());
	if (uname(&host) == 0)
		snprintf(run->kernel, sizeof(run->kernel), "%.*s",
			 (int)sizeof(run->kernel) - 1, host.release);
}
