// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every counter of the maps in one buffer. The programs go on meanwhile: each counter
 * is read whole, what belongs together by the vCPU's 'changes', and all of it again
 * where a VM that is gone was added up with the others meanwhile.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../user/memory.h"
#include "snapshot.h"

#define barrier() __asm__ volatile("" ::: "memory")
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))

struct building {
	const struct tables *tables;
	uint64_t now;			/* ns */
	struct kvmstat_vm *vms;
	struct kvmstat_vcpu *vcpus;
	struct kvmstat_cell *cells;
	__u64 *buckets;
	uint32_t nr_vms, nr_vcpus, nr_cells, nr_buckets;
};

static uint64_t cycles(const struct tables *tables, uint64_t ns)
{
	return cycles_of_ns(ns, tables->settings->cycles_per_ns);
}

static uint64_t elapsed(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* As module/tally.c's tally_read(). */
struct reading {
	uint32_t open;
	uint64_t user_ns, offcpu_ns;
	uint64_t wall_ns;
};

static struct reading read_together(const struct tables *tables, const struct vcpu *v, uint64_t now)
{
	struct reading r;
	uint32_t changes;
	uint64_t gone;

	do {
		const struct cell *open;

		while ((changes = READ_ONCE(v->changes)) & 1)
			barrier();
		barrier();
		r.open = READ_ONCE(v->open);
		open = &tables->memory->cells[r.open % MAX_CELLS];
		r.user_ns = READ_ONCE(open->user_ns);
		r.offcpu_ns = READ_ONCE(open->offcpu_ns);
		r.wall_ns = READ_ONCE(v->mark) - READ_ONCE(v->first) - READ_ONCE(v->late_off);
		gone = elapsed(READ_ONCE(v->away), now);
		if (READ_ONCE(v->state) == VCPU_USER)
			r.user_ns += gone;
		else if (READ_ONCE(v->state) == VCPU_OFF)
			r.offcpu_ns += gone;
		else
			gone = 0;
		r.wall_ns += gone;
		barrier();
	} while (READ_ONCE(v->changes) != changes);
	return r;
}

static uint32_t bucket_of(uint64_t value)
{
	uint32_t octave = 63 - __builtin_clzll(value >> 2 | 1);

	return value < COLLECTOR_HUGE ? octave * 4 + (uint32_t)(value >> octave) :
					COLLECTOR_BUCKETS - 1;
}

/* The sum of squares of nanoseconds as one of cycles: 128 bits. */
static void add_squares(const struct tables *tables, const struct cell *cell, struct kvmstat_cell *out)
{
	long double ratio = (long double)tables->settings->cycles_per_ns / (1U << CYCLES_SHIFT);
	long double sum = cell->squares_high * 0x1p64L + cell->squares_low;
	unsigned __int128 squares = sum * ratio * ratio;

	out->squares_low = squares;
	out->squares_high = squares >> 64;
}

static void add_histogram(struct building *b, const struct cell *cell, struct kvmstat_cell *out)
{
	uint64_t min = READ_ONCE(cell->min), max = READ_ONCE(cell->max);
	uint32_t first, last, i;

	out->first_bucket = b->nr_buckets;
	if (min > max)
		return;
	out->min = cycles(b->tables, min);
	out->max = cycles(b->tables, max);
	first = bucket_of(out->min);
	last = bucket_of(out->max);
	out->histogram_first = first;
	out->nr_buckets = last - first + 1;
	for (i = first; i <= last; i++) {
		b->buckets = xgrow(b->buckets, b->nr_buckets, sizeof(*b->buckets));
		b->buckets[b->nr_buckets++] = READ_ONCE(cell->histogram[i]);
	}
}

static uint64_t abi_code(uint64_t key)
{
	uint32_t code = KEY_CODE(key);

	if (key & KEY_OTHER)
		return KVMSTAT_CODE_OTHER;
	if (key & KEY_NO_REASON)
		return KVMSTAT_CODE_UNTRACED;
	/* SVM's software and error codes are small negative 64-bit numbers. */
	return code >= 0xfffffff0 ? (uint64_t)(int64_t)(int32_t)code : code;
}

static void add_cell(struct building *b, uint32_t index, const struct reading *now)
{
	const struct cell *cell = &b->tables->memory->cells[index % MAX_CELLS];
	uint64_t exits = READ_ONCE(cell->exits), kernel = READ_ONCE(cell->kernel_ns);
	bool open = index == now->open;
	struct kvmstat_cell *out;

	if (!exits && !kernel)
		return;
	b->cells = xgrow(b->cells, b->nr_cells, sizeof(*b->cells));
	out = &b->cells[b->nr_cells++];
	*out = (struct kvmstat_cell){
		.code = abi_code(cell->key),
		.flags = cell->key & KEY_L2 ? KVMSTAT_CELL_L2 : 0,
		.detail = KEY_DETAIL(cell->key),
		.exits = exits,
		.kernel_cycles = cycles(b->tables, kernel),
		.user_cycles = cycles(b->tables, open ? now->user_ns : READ_ONCE(cell->user_ns)),
		.offcpu_cycles = cycles(b->tables, open ? now->offcpu_ns : READ_ONCE(cell->offcpu_ns)),
	};
	add_squares(b->tables, cell, out);
	add_histogram(b, cell, out);
}

static void add_vcpu(struct building *b, uint32_t index, bool alive)
{
	const struct vcpu *v = &b->tables->memory->vcpus[index % MAX_VCPUS];
	uint32_t i, nr = READ_ONCE(v->nr_cells);
	struct kvmstat_vcpu out = { .id = v->id, .first_cell = b->nr_cells };
	struct reading now;

	barrier();
	out.guest_cycles = cycles(b->tables, READ_ONCE(v->guest_ns));
	now = read_together(b->tables, v, alive ? b->now : 0);
	out.wall_cycles = cycles(b->tables, now.wall_ns);
	out.untraced = READ_ONCE(v->untraced);
	add_cell(b, v->other, &now);
	for (i = 0; i < nr && i < COLLECTOR_CELLS; i++)
		add_cell(b, v->cells[i], &now);
	out.nr_cells = b->nr_cells - out.first_cell;
	b->vcpus = xgrow(b->vcpus, b->nr_vcpus, sizeof(*b->vcpus));
	b->vcpus[b->nr_vcpus++] = out;
}

static void add_vm(struct building *b, const struct vm *vm)
{
	uint32_t i, nr = READ_ONCE(vm->nr_vcpus);
	bool alive = READ_ONCE(vm->key);
	struct kvmstat_vm out = {
		.id = vm->id,
		.pid = vm->pid,
		.flags = alive ? KVMSTAT_VM_ALIVE : 0,
		.first_vcpu = b->nr_vcpus,
	};

	barrier();
	memcpy(out.comm, vm->comm, sizeof(out.comm));
	for (i = 0; i < nr && i < VM_VCPUS; i++) {
		uint32_t index = READ_ONCE(vm->vcpus[i]);

		/* Else it is just coming: the next time it is there, and those after it. */
		if (!index)
			break;
		add_vcpu(b, index, alive);
	}
	out.nr_vcpus = b->nr_vcpus - out.first_vcpu;
	b->vms = xgrow(b->vms, b->nr_vms, sizeof(*b->vms));
	b->vms[b->nr_vms++] = out;
}

/* The sum of those that are gone is vCPU 0. */
static void add_retired(struct building *b)
{
	if (!b->tables->memory->all.folds)
		return;
	add_vcpu(b, 0, false);
	b->vms = xgrow(b->vms, b->nr_vms, sizeof(*b->vms));
	b->vms[b->nr_vms++] = (struct kvmstat_vm){ .flags = KVMSTAT_VM_RETIRED, .nr_vcpus = 1 };
}

static int by_id(const void *a, const void *b)
{
	const struct vm *vm_a = *(const struct vm * const *)a, *vm_b = *(const struct vm * const *)b;

	return vm_a->id < vm_b->id ? -1 : vm_a->id > vm_b->id;
}

static void add_all(struct building *b)
{
	const struct vm **list = NULL;
	const struct programs__bss *memory = b->tables->memory;
	uint32_t i, nr = 0;

	add_retired(b);
	for (i = 1; i < MAX_VMS && i < READ_ONCE(memory->all.vms.next); i++) {
		const struct vm *vm = &memory->vms[i];

		if (!READ_ONCE(vm->id))
			continue;
		list = xgrow(list, nr, sizeof(*list));
		list[nr++] = vm;
	}
	if (nr)
		qsort(list, nr, sizeof(*list), by_id);
	for (i = 0; i < nr; i++)
		add_vm(b, list[i]);
	free(list);
}

static void fill_header(struct kvmstat_snapshot *s, const struct building *b)
{
	const struct settings *settings = b->tables->settings;
	const struct totals_of_all *all = &b->tables->memory->all;

	*s = (struct kvmstat_snapshot){
		.magic = KVMSTAT_MAGIC,
		.abi_version = KVMSTAT_ABI_VERSION,
		.header_size = sizeof(*s),
		.vm_size = sizeof(struct kvmstat_vm),
		.vcpu_size = sizeof(struct kvmstat_vcpu),
		.cell_size = sizeof(struct kvmstat_cell),
		.isa = all->isa <= KVMSTAT_ISA_SVM ? all->isa : KVMSTAT_ISA_UNKNOWN,
		.tsc_khz = settings->tsc_khz,
		.instance = settings->instance,
		.time_ns = b->now,
		.since_ns = settings->since_ns,
		.tsc = cycles(b->tables, b->now),
		.lost = READ_ONCE(all->lost),
		.nr_vms = b->nr_vms,
		.nr_vcpus = b->nr_vcpus,
		.nr_cells = b->nr_cells,
		.nr_buckets = b->nr_buckets,
	};
}

static void *append(void *to, const void *from, size_t size)
{
	if (size)
		memcpy(to, from, size);
	return (char *)to + size;
}

static void join(struct snapshot *snap, const struct building *b)
{
	void *at;

	snap->size = sizeof(*snap->header) + b->nr_vms * sizeof(*b->vms) +
		     b->nr_vcpus * sizeof(*b->vcpus) + b->nr_cells * sizeof(*b->cells) +
		     b->nr_buckets * sizeof(*b->buckets);
	snap->header = xcalloc(1, snap->size);
	fill_header(snap->header, b);
	at = append(snap->header + 1, b->vms, b->nr_vms * sizeof(*b->vms));
	at = append(at, b->vcpus, b->nr_vcpus * sizeof(*b->vcpus));
	at = append(at, b->cells, b->nr_cells * sizeof(*b->cells));
	append(at, b->buckets, b->nr_buckets * sizeof(*b->buckets));
}

static void free_building(struct building *b)
{
	free(b->vms);
	free(b->vcpus);
	free(b->cells);
	free(b->buckets);
}

void snapshot_of_tables(struct snapshot *snap, const struct tables *tables)
{
	const struct totals_of_all *all = &tables->memory->all;
	struct building b;
	struct timespec t;
	uint64_t folds;

	for (;;) {
		while ((folds = READ_ONCE(all->folds)) & 1)
			barrier();
		b = (struct building){ .tables = tables };
		clock_gettime(CLOCK_MONOTONIC, &t);
		b.now = t.tv_sec * 1000000000ULL + t.tv_nsec;
		barrier();
		add_all(&b);
		barrier();
		if (READ_ONCE(all->folds) == folds)
			break;
		free_building(&b);
	}
	join(snap, &b);
	free_building(&b);
}
