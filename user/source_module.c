// SPDX-License-Identifier: GPL-2.0-or-later
/* The module as a source: a run is all that it counted since its last reset. */
#include <unistd.h>

#include "device.h"
#include "message.h"
#include "source.h"

static int module_read(struct source *source, struct run *run)
{
	struct snapshot snap;

	if (device_snapshot(source->fd, &snap) < 0)
		return -1;
	source_live_run(run, &snap, "module");
	snapshot_free(&snap);
	return 0;
}

static void module_close(struct source *source)
{
	close(source->fd);
}

static const struct source_type module_type = {
	.live = true,
	.read = module_read,
	.close = module_close,
};

/* Loaded is not yet counting: KVM may be missing, or not what it expects. */
static int check_hooks(int fd)
{
	struct kvmstat_info info;

	if (device_info(fd, &info) < 0)
		return -1;
	if (info.hooks & KVMSTAT_HOOK_REFUSED) {
		error("the module does not count: this kernel's kvm is not what it expects: see \"dmesg | grep kvmstat\"");
		return -1;
	}
	if ((info.hooks & KVMSTAT_HOOK_ENTRY) && !(info.hooks & KVMSTAT_HOOK_SPLIT))
		warning("this kernel does not tell the module of time in userspace and off the CPU: all of it is in the kernel's");
	return 0;
}

int source_module_open(struct source *source)
{
	source->type = &module_type;
	source->fd = device_open(false);
	if (source->fd < 0)
		return -1;
	if (check_hooks(source->fd) == 0)
		return 0;
	close(source->fd);
	return -1;
}
