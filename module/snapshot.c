// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every counter in one buffer. Two passes over the registry under its mutex:
 * measure, then copy. Where more appeared in between than there is room for, it
 * is done again with more room, so that nothing is ever left out.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/timekeeping.h>
#include <asm/tsc.h>

#include "hooks.h"
#include "reason.h"
#include "registry.h"
#include "snapshot.h"

static_assert(sizeof(struct kvmstat_info) == 48);
static_assert(sizeof(struct kvmstat_snapshot_arg) == 24);
static_assert(sizeof(struct kvmstat_snapshot) == 104);
static_assert(sizeof(struct kvmstat_vm) == 40);
static_assert(sizeof(struct kvmstat_vcpu) == 40);
static_assert(sizeof(struct kvmstat_cell) == 88);
static_assert(TALLY_BUCKETS == KVMSTAT_HISTOGRAM_BUCKETS);
static_assert(sizeof(struct vcpu_record) + TALLY_CELLS * sizeof(struct tally_cell) <= SZ_64K);
static_assert(sizeof_field(struct kvmstat_vm, comm) == TASK_COMM_LEN);

static u64 instance;
static u64 since_ns;	/* under registry_mutex */

struct measure {
	u32 vms;
	u32 vcpus;
	u32 cells;
	u32 buckets;
};

static bool retired_any(void)
{
	return tally_exits(&retired_vcpu->tally) || retired_vcpu->tally.guest_cycles;
}

/* Where a cell's histogram is not empty; 0 buckets where it is. */
struct bucket_range {
	u32 first, nr;
};

static struct bucket_range range_of(const struct tally_cell *cell)
{
	u64 min = READ_ONCE(cell->min), max = READ_ONCE(cell->max);
	struct bucket_range range = {};

	if (READ_ONCE(cell->huge)) {
		range.first = tally_bucket(min_t(u64, min, TALLY_HUGE - 1));
		range.nr = TALLY_BUCKETS - range.first;
	} else if (min <= max) {
		range.first = tally_bucket(min);
		range.nr = tally_bucket(max) - range.first + 1;
	}
	return range;
}

static u32 nr_cells(const struct vcpu_record *rec)
{
	/* Pairs with new_cell(): a cell that is there has its key. */
	return registry_current(rec) ? smp_load_acquire(&rec->tally.nr_cells) : 0;
}

static void measure_cell(const struct tally_cell *cell, struct measure *m)
{
	m->cells++;
	m->buckets += range_of(cell).nr;
}

static void measure_vcpu(const struct vcpu_record *rec, struct measure *m)
{
	u32 i, nr = nr_cells(rec);

	m->vcpus++;
	measure_cell(&rec->tally.other, m);
	for (i = 0; i < nr; i++)
		measure_cell(rec->tally.cells[i], m);
}

static struct measure measure(void)
{
	struct vcpu_record *rec;
	struct vm_record *vm;
	struct measure m = {};

	if (retired_any()) {
		m.vms++;
		measure_vcpu(retired_vcpu, &m);
	}
	list_for_each_entry_rcu(vm, &vm_records, all, lockdep_is_held(&registry_mutex)) {
		m.vms++;
		list_for_each_entry_rcu(rec, &vm->vcpus, of_vm, lockdep_is_held(&registry_mutex))
			measure_vcpu(rec, &m);
	}
	return m;
}

static size_t bytes(const struct measure *m)
{
	return sizeof(struct kvmstat_snapshot) +
	       (size_t)m->vms * sizeof(struct kvmstat_vm) +
	       (size_t)m->vcpus * sizeof(struct kvmstat_vcpu) +
	       (size_t)m->cells * sizeof(struct kvmstat_cell) +
	       (size_t)m->buckets * sizeof(u64);
}

/* Where the copy has got to; 'room' is what was measured. */
struct copy {
	struct measure room, used;
	bool overflow;
	struct kvmstat_vm *vms;
	struct kvmstat_vcpu *vcpus;
	struct kvmstat_cell *cells;
	u64 *buckets;
};

/* False when there is no room. */
static bool copy_histogram(const struct tally_cell *cell, struct kvmstat_cell *out, struct copy *c)
{
	struct bucket_range range = range_of(cell);
	u32 i;

	if (range.nr > c->room.buckets - c->used.buckets)
		return false;
	for (i = 0; i < range.nr; i++)
		c->buckets[c->used.buckets + i] = READ_ONCE(cell->histogram[range.first + i]);
	out->min = range.nr ? READ_ONCE(cell->min) : 0;
	out->max = max(READ_ONCE(cell->max), READ_ONCE(cell->huge));
	out->first_bucket = c->used.buckets;
	out->histogram_first = range.first;
	out->nr_buckets = range.nr;
	c->used.buckets += range.nr;
	return true;
}

static void copy_cell(const struct tally_cell *cell, const struct tally_reading *now,
		      struct copy *c)
{
	struct kvmstat_cell *out = &c->cells[c->used.cells];
	u64 exits = READ_ONCE(cell->exits), kernel = READ_ONCE(cell->kernel_cycles);

	if (!exits && !kernel)
		return;
	if (c->used.cells == c->room.cells || !copy_histogram(cell, out, c)) {
		c->overflow = true;
		return;
	}
	out->code = reason_abi_code(cell->key);
	out->flags = cell->key & TALLY_L2 ? KVMSTAT_CELL_L2 : 0;
	out->detail = TALLY_DETAIL(cell->key);
	out->exits = exits;
	out->kernel_cycles = kernel;
	out->user_cycles = cell == now->open ? now->user_cycles : READ_ONCE(cell->user_cycles);
	out->offcpu_cycles = cell == now->open ? now->offcpu_cycles : READ_ONCE(cell->offcpu_cycles);
	out->squares_low = cell->squares;
	out->squares_high = cell->squares >> 64;
	c->used.cells++;
}

static void copy_vcpu(const struct vcpu_record *rec, bool alive, struct copy *c)
{
	u32 i, nr = nr_cells(rec);
	struct tally_reading now;
	struct kvmstat_vcpu *out;

	if (c->used.vcpus == c->room.vcpus) {
		c->overflow = true;
		return;
	}
	out = &c->vcpus[c->used.vcpus++];
	out->id = rec->vcpu_id;
	out->first_cell = c->used.cells;
	if (!registry_current(rec))
		return;
	out->guest_cycles = READ_ONCE(rec->tally.guest_cycles);
	now = tally_read(&rec->tally, alive ? rdtsc() : 0);
	out->wall_cycles = now.wall;
	out->untraced = READ_ONCE(rec->tally.untraced);
	copy_cell(&rec->tally.other, &now, c);
	for (i = 0; i < nr; i++)
		copy_cell(rec->tally.cells[i], &now, c);
	out->nr_cells = c->used.cells - out->first_cell;
}

static void copy_vm(const struct vm_record *vm, struct copy *c)
{
	bool alive = registry_alive(vm);
	struct vcpu_record *rec;
	struct kvmstat_vm *out;

	if (c->used.vms == c->room.vms) {
		c->overflow = true;
		return;
	}
	out = &c->vms[c->used.vms++];
	out->id = vm->id;
	out->pid = vm->pid;
	out->flags = alive ? KVMSTAT_VM_ALIVE : 0;
	memcpy(out->comm, vm->comm, sizeof(out->comm));
	out->first_vcpu = c->used.vcpus;
	list_for_each_entry_rcu(rec, &vm->vcpus, of_vm, lockdep_is_held(&registry_mutex))
		copy_vcpu(rec, alive, c);
	out->nr_vcpus = c->used.vcpus - out->first_vcpu;
}

static void copy_retired(struct copy *c)
{
	struct kvmstat_vm *out = &c->vms[c->used.vms++];

	out->flags = KVMSTAT_VM_RETIRED;
	out->first_vcpu = c->used.vcpus;
	copy_vcpu(retired_vcpu, false, c);
	out->nr_vcpus = 1;
}

/* False when there was not room enough. */
static bool copy_all(struct kvmstat_snapshot *s, const struct measure *room)
{
	struct copy c = { .room = *room };
	struct vm_record *vm;

	c.vms = (struct kvmstat_vm *)(s + 1);
	c.vcpus = (struct kvmstat_vcpu *)(c.vms + room->vms);
	c.cells = (struct kvmstat_cell *)(c.vcpus + room->vcpus);
	c.buckets = (u64 *)(c.cells + room->cells);
	if (retired_any())
		copy_retired(&c);
	list_for_each_entry_rcu(vm, &vm_records, all, lockdep_is_held(&registry_mutex))
		copy_vm(vm, &c);

	/* Sections follow each other directly, also where less was used. */
	s->nr_vms = c.used.vms;
	s->nr_vcpus = c.used.vcpus;
	s->nr_cells = c.used.cells;
	s->nr_buckets = c.used.buckets;
	memmove(snapshot_vcpus(s), c.vcpus, c.used.vcpus * sizeof(*c.vcpus));
	memmove(snapshot_cells(s), c.cells, c.used.cells * sizeof(*c.cells));
	memmove(snapshot_buckets(s), c.buckets, c.used.buckets * sizeof(*c.buckets));
	return !c.overflow;
}

static void fill_header(struct kvmstat_snapshot *s)
{
	s->magic = KVMSTAT_MAGIC;
	s->abi_version = KVMSTAT_ABI_VERSION;
	s->header_size = sizeof(struct kvmstat_snapshot);
	s->vm_size = sizeof(struct kvmstat_vm);
	s->vcpu_size = sizeof(struct kvmstat_vcpu);
	s->cell_size = sizeof(struct kvmstat_cell);
	s->isa = reason_isa();
	s->tsc_khz = tsc_khz;
	s->instance = instance;
	s->generation = generation;
	s->since_ns = since_ns;
	s->time_ns = ktime_get_ns();
	s->tsc = rdtsc();
	s->lost = registry_lost();
}

/* With room for so many more VMs and vCPUs than there are, and their cells. */
static struct kvmstat_snapshot *take_with_spare(unsigned int spare, size_t *size)
{
	struct measure room = measure();
	struct kvmstat_snapshot *s;

	room.vms += spare;
	room.vcpus += spare;
	room.cells += spare * 16;
	room.buckets += spare * 64;
	s = kvzalloc(bytes(&room), GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	fill_header(s);
	if (!copy_all(s, &room)) {
		kvfree(s);
		return ERR_PTR(-ENOSPC);
	}
	*size = (void *)(snapshot_buckets(s) + s->nr_buckets) - (void *)s;
	return s;
}

void *snapshot_take(size_t *size)
{
	struct kvmstat_snapshot *s;
	unsigned int spare;

	if (mutex_lock_killable(&registry_mutex))
		return ERR_PTR(-EINTR);
	/* Doubled room outgrows whatever may appear during one pass. */
	for (spare = 0; ; spare = spare ? 2 * spare : 16) {
		s = take_with_spare(spare, size);
		if (s != ERR_PTR(-ENOSPC))
			break;
	}
	mutex_unlock(&registry_mutex);
	return s;
}

int snapshot_reset(void)
{
	if (mutex_lock_killable(&registry_mutex))
		return -EINTR;
	registry_reset();
	since_ns = ktime_get_ns();
	mutex_unlock(&registry_mutex);
	return 0;
}

int snapshot_get_info(struct kvmstat_info *info)
{
	struct measure m;

	memset(info, 0, sizeof(*info));
	if (mutex_lock_killable(&registry_mutex))
		return -EINTR;
	m = measure();
	info->generation = generation;
	mutex_unlock(&registry_mutex);
	info->snapshot_size = bytes(&m);
	info->abi_version = KVMSTAT_ABI_VERSION;
	info->isa = reason_isa();
	info->hooks = hooks_state();
	info->tsc_khz = tsc_khz;
	info->instance = instance;
	info->vms_max_dead = history;
	return 0;
}

u64 snapshot_instance(void)
{
	return instance;
}

void snapshot_init(void)
{
	instance = get_random_u64();
	since_ns = ktime_get_ns();
}
