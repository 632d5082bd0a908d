// SPDX-License-Identifier: GPL-2.0-only
/* The address spaces of all guests in one buffer, in two passes as in snapshot.c. */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <asm/tsc.h>

#include "guest_spaces.h"
#include "registry.h"
#include "snapshot.h"

static_assert(sizeof(struct kvmstat_spaces) == 80);
static_assert(sizeof(struct kvmstat_spaces_vcpu) == 32);
static_assert(sizeof(struct kvmstat_space) == 56);

struct copy {
	u32 nr_vcpus, nr_spaces;	/* used, or needed */
	u32 max_vcpus, max_spaces;
	struct kvmstat_spaces_vcpu *vcpus;
	struct kvmstat_space *spaces;
};

static void copy_space(const struct space *space, struct copy *c)
{
	if (c->nr_spaces < c->max_spaces)
		c->spaces[c->nr_spaces] = (struct kvmstat_space) {
			.cr3 = space->cr3,
			.entries = READ_ONCE(space->entries),
			.switches = READ_ONCE(space->switches),
			.switches_from_partner = READ_ONCE(space->from_partner),
			.first_tsc = READ_ONCE(space->first),
			.last_tsc = READ_ONCE(space->last),
			.flags = READ_ONCE(space->flags),
		};
	c->nr_spaces++;
}

static void copy_spaces(const struct spaces *s, struct copy *c)
{
	/* Pairs with find_or_make(). */
	u32 i, nr = smp_load_acquire(&s->nr);

	for (i = 0; i < nr; i++)
		copy_space(spaces_get(s, i), c);
	if (READ_ONCE(s->others.entries))
		copy_space(&s->others, c);
}

static void copy_vcpu(const struct vcpu_record *rec, struct copy *c)
{
	const struct spaces *s = &rec->spaces;
	u32 first = c->nr_spaces;

	if (!registry_current(rec) || !guest_spaces_current(s))
		return;
	copy_spaces(s, c);
	if (c->nr_vcpus < c->max_vcpus)
		c->vcpus[c->nr_vcpus] = (struct kvmstat_spaces_vcpu) {
			.vm = rec->vm->id,
			.id = rec->vcpu_id,
			.flags = s->nested ? KVMSTAT_SPACES_NESTED : 0,
			.unread = READ_ONCE(s->unread),
			.first_space = first,
			.nr_spaces = c->nr_spaces - first,
		};
	c->nr_vcpus++;
}

static void copy_all(struct copy *c)
{
	struct vcpu_record *rec;
	struct vm_record *vm;

	list_for_each_entry_rcu(vm, &vm_records, all, lockdep_is_held(&registry_mutex))
		list_for_each_entry_rcu(rec, &vm->vcpus, of_vm, lockdep_is_held(&registry_mutex))
			copy_vcpu(rec, c);
}

static void fill_header(struct kvmstat_spaces *s, const struct copy *c)
{
	s->magic = KVMSTAT_SPACES_MAGIC;
	s->abi_version = KVMSTAT_ABI_VERSION;
	s->header_size = sizeof(*s);
	s->vcpu_size = sizeof(struct kvmstat_spaces_vcpu);
	s->space_size = sizeof(struct kvmstat_space);
	s->tsc_khz = tsc_khz;
	s->epoch = guest_spaces_epoch();
	s->instance = snapshot_instance();
	s->generation = generation;
	s->time_ns = ktime_get_ns();
	s->tsc = rdtsc();
	s->nr_vcpus = c->nr_vcpus;
	s->nr_spaces = c->nr_spaces;
}

/* With room for what there was; -ENOSPC where that was not enough. */
static struct kvmstat_spaces *take_with_room(u32 vcpus, u32 spaces, size_t *size)
{
	struct copy c = { .max_vcpus = vcpus, .max_spaces = spaces };
	struct kvmstat_spaces *s;

	s = kvzalloc(sizeof(*s) + vcpus * sizeof(*c.vcpus) + spaces * sizeof(*c.spaces),
		     GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	c.vcpus = (struct kvmstat_spaces_vcpu *)(s + 1);
	c.spaces = (struct kvmstat_space *)(c.vcpus + vcpus);
	copy_all(&c);
	if (c.nr_vcpus > vcpus || c.nr_spaces > spaces) {
		kvfree(s);
		return ERR_PTR(-ENOSPC);
	}
	fill_header(s, &c);
	/* Sections follow each other directly, also where less was used. */
	memmove(c.vcpus + c.nr_vcpus, c.spaces, c.nr_spaces * sizeof(*c.spaces));
	*size = (void *)((struct kvmstat_space *)(c.vcpus + c.nr_vcpus) + c.nr_spaces) - (void *)s;
	return s;
}

static struct kvmstat_spaces *take(size_t *size)
{
	struct kvmstat_spaces *s;
	struct copy needed = {};
	u32 spare;

	if (!guest_spaces_epoch())
		return ERR_PTR(-ENODATA);
	copy_all(&needed);
	/* Doubled room outgrows whatever may appear during one pass. */
	for (spare = 16; ; spare *= 2) {
		s = take_with_room(needed.nr_vcpus + spare, needed.nr_spaces + spare, size);
		if (s != ERR_PTR(-ENOSPC))
			return s;
	}
}

void *spaces_take(size_t *size)
{
	struct kvmstat_spaces *s;

	if (mutex_lock_killable(&registry_mutex))
		return ERR_PTR(-EINTR);
	s = take(size);
	mutex_unlock(&registry_mutex);
	return s;
}
