// SPDX-License-Identifier: GPL-2.0-or-later
/* In place of the collector, where this was built without clang, bpftool or libbpf. */
#include <errno.h>
#include <stddef.h>

#include "../user/message.h"
#include "collector.h"

bool collector_here(void)
{
	return false;
}

static int refuse(void)
{
	error("BPF: this program was built without it: install clang, bpftool and libbpf-dev, and run make again");
	return -1;
}

struct collector *collector_load(void)
{
	refuse();
	return NULL;
}

struct collector *collector_find(void)
{
	errno = ENOENT;
	return NULL;
}

bool collector_counts(const struct collector *collector)
{
	(void)collector;
	return false;
}

void collector_close(struct collector *collector)
{
	(void)collector;
}

const char *collector_way(const struct collector *collector)
{
	(void)collector;
	return "";
}

uint64_t collector_vms(const struct collector *collector)
{
	(void)collector;
	return 0;
}

size_t collector_memory(const struct collector *collector)
{
	(void)collector;
	return 0;
}

void collector_snapshot(const struct collector *collector, struct snapshot *snap)
{
	(void)collector;
	(void)snap;
}

int collector_may_pin(void)
{
	return 0;
}

int collector_pin(struct collector *collector)
{
	(void)collector;
	return -1;
}

int collector_unpin(void)
{
	return refuse();
}
