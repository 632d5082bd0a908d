// SPDX-License-Identifier: GPL-2.0-or-later
/* The BPF collector: chosen, loaded and attached as this kernel and our rights allow. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../user/memory.h"
#include "../user/message.h"
#include "../user/tsc.h"
#include "collector.h"
#include "host.h"
#include "loaded.h"
#include "record_format.h"
#include "snapshot.h"

/* As the module's parameter of that name. */
#define HISTORY 128

/* What libbpf said first: that is nearest to what went wrong. KVMSTAT_BPF_DEBUG=1: all. */
static char libbpf_said[200];

static int __attribute__((format(printf, 2, 0)))
take_message(enum libbpf_print_level level, const char *format, va_list args)
{
	va_list again;

	if (level != LIBBPF_WARN)
		return 0;
	va_copy(again, args);
	if (!*libbpf_said) {
		vsnprintf(libbpf_said, sizeof(libbpf_said), format, args);
		libbpf_said[strcspn(libbpf_said, "\n")] = 0;
	}
	if (getenv("KVMSTAT_BPF_DEBUG"))
		vfprintf(stderr, format, again);
	va_end(again);
	return 0;
}

/*
 * How the programs get at the vCPU and at the reason of an exit. The first is the
 * fastest; the others are for who or what lacks something for it.
 */
enum way { WAY_BTF, WAY_RAW, WAY_CLASSIC, WAY_CLASSIC_UNTYPED };

static enum way choose_way(const struct host *host)
{
	bool typed = host->kvm_built_in || (host->kvm_btf && host->module_btf);

	if (!host->vendor)
		return typed ? WAY_CLASSIC : WAY_CLASSIC_UNTYPED;
	return typed && (host->vendor_built_in || host->module_btf) ? WAY_BTF : WAY_RAW;
}

static void describe(char *to, size_t size, enum way way, const struct host *host)
{
	static const char * const ways[] = {
		[WAY_BTF] = COLLECTOR_WAY,
		[WAY_RAW] = "raw tracepoints (tp_btf on a module takes CAP_SYS_ADMIN)",
		[WAY_CLASSIC] = "classic tracepoint (no BTF of the vendor module): nested guests are not told apart",
		[WAY_CLASSIC_UNTYPED] = "classic tracepoint (no BTF of kvm, or no right to it): nested guests, and several VMs of a process, are not told apart",
	};

	snprintf(to, size, "%s%s", ways[way],
		 host->kprobes || way == WAY_CLASSIC_UNTYPED ? "" :
		 "; a VM ends with its process (no kprobes)");
}

static void want(struct bpf_program *program, bool wanted)
{
	bpf_program__set_autoload(program, wanted);
}

static void choose_programs(struct programs *p, enum way way, const struct host *host)
{
	bool typed = way != WAY_CLASSIC_UNTYPED;

	want(p->progs.exit_btf, way == WAY_BTF);
	want(p->progs.exit_raw, way == WAY_RAW);
	want(p->progs.exit_classic, way == WAY_CLASSIC || way == WAY_CLASSIC_UNTYPED);
	want(p->progs.entry_btf, way == WAY_BTF || way == WAY_CLASSIC);
	want(p->progs.entry_raw, way == WAY_RAW || way == WAY_CLASSIC_UNTYPED);
	want(p->progs.destroy, typed && host->kprobes);
	want(p->progs.process_exit, !typed || !host->kprobes);
	want(p->progs.fpu, typed);
}

static int fill_settings(struct settings *s, enum way way, const struct host *host)
{
	struct timespec t;

	s->version = COLLECTOR_VERSION;
	s->history = HISTORY;
	s->tsc_khz = tsc_khz(20) + 0.5;
	s->cycles_per_ns = ((uint64_t)s->tsc_khz << CYCLES_SHIFT) / 1000000;
	if (getrandom(&s->instance, sizeof(s->instance), 0) != sizeof(s->instance)) {
		error("BPF: no random number: %s", strerror(errno));
		return -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &t);
	s->since_ns = t.tv_sec * 1000000000ULL + t.tv_nsec;
	s->end_seen = way != WAY_CLASSIC_UNTYPED && host->kprobes;
	describe(s->way, sizeof(s->way), way, host);
	if (way == WAY_CLASSIC || way == WAY_CLASSIC_UNTYPED)
		return record_format_read(s);
	return 0;
}

static int open_programs(struct collector *c, enum way way, const struct host *host)
{
	struct bpf_object_open_opts opts = { .sz = sizeof(opts) };
	char path[40];

	if (way == WAY_RAW && !host->vendor_built_in) {
		c->btf = host_merged_btf(host->vendor);
		if (c->btf < 0)
			return -1;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", c->btf);
		opts.btf_custom_path = path;
	} else if (!host->module_btf) {
		/* Else libbpf asks for those of modules, too, where a type is in none. */
		opts.btf_custom_path = VMLINUX_BTF;
	}
	c->programs = programs__open_opts(&opts);
	if (!c->programs) {
		host_explain_load(-errno, libbpf_said);
		return -1;
	}
	choose_programs(c->programs, way, host);
	bpf_map__set_max_entries(c->programs->maps.cpus, libbpf_num_possible_cpus());
	return 0;
}

static uint8_t bucket_of(uint64_t cycles)
{
	uint32_t octave = 63 - __builtin_clzll(cycles >> 2 | 1);

	return octave * 4 + (cycles >> octave);
}

/* Before anything is attached. Cell 1 is what vCPU 0 has for the rest. */
static void fill_memory(struct programs__bss *memory, uint64_t cycles_per_ns)
{
	uint32_t ns;

	for (ns = 0; ns < BUCKET_END; ns++)
		memory->bucket_of[ns] = bucket_of(cycles_of_ns(ns, cycles_per_ns));
	memory->cells[0].key = KEY_NONE;
	memory->cells[1].key = KEY_OTHER;
	memory->cells[1].min = UINT64_MAX;
	memory->vcpus[0].open = 1;
	memory->vcpus[0].other = 1;
	memory->all.vms.next = 1;
	memory->all.cells.next = 2;
	memory->all.next_id = 1;
}

static int load_programs(struct programs *p)
{
	int err = programs__load(p);

	if (err) {
		host_explain_load(err, libbpf_said);
		return -1;
	}
	fill_memory(p->bss, p->rodata_settings->settings.cycles_per_ns);
	return 0;
}

/*
 * Whoever brings time to an exit comes before it, and the entry last, for an entry
 * without its exit would count as untraced.
 */
static int attach(struct collector *c)
{
	struct programs *p = c->programs;
	struct bpf_program * const order[] = {
		p->progs.sched_switch, p->progs.userspace_exit, p->progs.fpu,
		p->progs.destroy, p->progs.process_exit,
		p->progs.exit_btf, p->progs.exit_raw, p->progs.exit_classic,
		p->progs.entry_btf, p->progs.entry_raw,
	};
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct bpf_link *link;

		if (!bpf_program__autoload(order[i]))
			continue;
		link = bpf_program__attach(order[i]);
		if (!link) {
			error("BPF: %s cannot be attached: %s: %s", bpf_program__section_name(order[i]),
			      strerror(errno), libbpf_said);
			return -1;
		}
		c->links[c->nr_links++] = link;
	}
	p->bss->all.attached = 1;
	return 0;
}

static int map_memory(struct collector *c)
{
	c->settings_fd = bpf_map__fd(c->programs->maps.rodata_settings);
	c->memory_fd = bpf_map__fd(c->programs->maps.bss);
	if (tables_map(&c->tables, c->settings_fd, c->memory_fd) == 0)
		return 0;
	error("BPF: the memory of the programs cannot be mapped: %s", strerror(errno));
	return -1;
}

static int set_up(struct collector *c, const struct host *host)
{
	enum way way = choose_way(host);
	struct settings *settings;

	if (open_programs(c, way, host) < 0)
		return -1;
	settings = (struct settings *)&c->programs->rodata_settings->settings;
	if (fill_settings(settings, way, host) < 0 || load_programs(c->programs) < 0 ||
	    map_memory(c) < 0)
		return -1;
	return attach(c);
}

bool collector_here(void)
{
	return true;
}

struct collector *collector_load(void)
{
	struct collector *c;
	struct host host;

	libbpf_set_print(take_message);
	if (host_look(&host) < 0)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	c->btf = -1;
	if (set_up(c, &host) == 0)
		return c;
	collector_close(c);
	return NULL;
}

void collector_close(struct collector *c)
{
	/* The entry first: see attach(). */
	while (c->nr_links)
		bpf_link__destroy(c->links[--c->nr_links]);
	tables_unmap(&c->tables);
	programs__destroy(c->programs);
	if (c->btf >= 0)
		close(c->btf);
	free(c);
}

const char *collector_way(const struct collector *c)
{
	return c->tables.settings->way;
}

uint64_t collector_vms(const struct collector *c)
{
	return c->tables.memory->all.next_id - 1;
}

size_t collector_memory(const struct collector *c)
{
	return sizeof(*c->tables.memory);
}

void collector_snapshot(const struct collector *c, struct snapshot *snap)
{
	snapshot_of_tables(snap, &c->tables);
}
