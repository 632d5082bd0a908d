// SPDX-License-Identifier: GPL-2.0-or-later
/* The address spaces of one VM, and which of them belong together. */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "spaces.h"

/* In Linux, PTI_USER_PGTABLE_BIT of a top table's address. */
#define USER_HALF	0x1000ULL

/* A pair may be a parent and its child. */
#define PAIRS_MIN	2

/* Of so many switches to odd pages one may be to no user's half: boot loaders have tables, too. */
#define STRAY_SHARE	8

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void add(struct space *to, const struct space *from)
{
	to->first = to->entries ? smaller(to->first, from->first) : from->first;
	to->last = larger(to->last, from->last);
	to->entries += from->entries;
	to->switches += from->switches;
	to->from_partner += from->from_partner;
	to->flags |= from->flags;
}

static int by_cr3(const void *a, const void *b)
{
	const struct space *x = a, *y = b;

	return (x->cr3 > y->cr3) - (x->cr3 < y->cr3);
}

static int by_switches(const void *a, const void *b)
{
	const struct space *x = a, *y = b;

	if (x->switches != y->switches)
		return x->switches < y->switches ? 1 : -1;
	if (x->entries != y->entries)
		return x->entries < y->entries ? 1 : -1;
	return by_cr3(a, b);
}

/* Sorted by cr3, with the same cr3 made one. */
static void unite(struct vm_spaces *s)
{
	size_t i, nr = 0;

	if (!s->nr)
		return;
	qsort(s->list, s->nr, sizeof(*s->list), by_cr3);
	for (i = 1; i < s->nr; i++) {
		if (s->list[i].cr3 == s->list[nr].cr3)
			add(&s->list[nr], &s->list[i]);
		else
			s->list[++nr] = s->list[i];
	}
	s->nr = nr + 1;
}

static void add_vcpu(struct vm_spaces *to, const struct spaces_copy *from,
		     const struct kvmstat_spaces_vcpu *vcpu)
{
	uint32_t i;

	to->nr_vcpus++;
	to->unread += vcpu->unread;
	to->sampled |= vcpu->flags & KVMSTAT_SPACES_NESTED;
	for (i = 0; i < vcpu->nr_spaces; i++) {
		const struct kvmstat_space *space = spaces_space(from, vcpu->first_space + i);
		const struct space row = {
			.cr3 = space->cr3, .entries = space->entries,
			.switches = space->switches, .from_partner = space->switches_from_partner,
			.first = space->first_tsc, .last = space->last_tsc, .flags = space->flags,
		};

		to->first = to->first ? smaller(to->first, row.first) : row.first;
		if (space->flags & KVMSTAT_SPACE_OTHERS) {
			add(&to->others, &row);
			continue;
		}
		to->list = xgrow(to->list, to->nr, sizeof(*to->list));
		to->list[to->nr++] = row;
	}
}

void spaces_of_vm(struct vm_spaces *to, const struct spaces_copy *from, uint64_t vm)
{
	uint32_t i;

	memset(to, 0, sizeof(*to));
	to->vm = vm;
	for (i = 0; i < from->header->nr_vcpus; i++)
		if (spaces_vcpu(from, i)->vm == vm)
			add_vcpu(to, from, spaces_vcpu(from, i));
	unite(to);
}

void spaces_free(struct vm_spaces *spaces)
{
	free(spaces->list);
	memset(spaces, 0, sizeof(*spaces));
}

static struct space *partner_of(const struct vm_spaces *s, const struct space *space)
{
	const struct space partner = { .cr3 = space->cr3 ^ USER_HALF };

	return bsearch(&partner, s->list, s->nr, sizeof(*s->list), by_cr3);
}

/*
 * Whether this looks like the user's half of a process. Its PCIDs have bit 11, the
 * kernel's have not. The kernel enters it from its own half and is back there when
 * it is left; where each load of CR3 was seen, that is so each time but where
 * counting began, or is, within it.
 */
static bool is_user_half(const struct vm_spaces *s, const struct space *user)
{
	const struct space *kernel = partner_of(s, user);
	uint64_t left = kernel ? kernel->from_partner : 0;

	if ((user->flags & KVMSTAT_SPACE_PCID_LOW) ||
	    (kernel && (kernel->flags & KVMSTAT_SPACE_PCID_HIGH)))
		return false;
	if (s->sampled)
		return kernel || (user->flags & KVMSTAT_SPACE_PCID_HIGH);
	return kernel && user->from_partner == user->switches &&
	       left + s->nr_vcpus >= user->switches && left <= user->switches + s->nr_vcpus;
}

/*
 * One process alone does not tell: but if it is isolated, all are. And who enters the
 * user's halves comes back from them, which tells them from pages in a row.
 */
static bool isolates(const struct vm_spaces *s)
{
	uint64_t halves = 0, strays = 0, there = 0, back = 0;
	size_t pairs = 0, i;

	for (i = 0; i < s->nr; i++) {
		const struct space *user = &s->list[i], *kernel = partner_of(s, user);

		if (!(user->cr3 & USER_HALF))
			continue;
		if (!is_user_half(s, user)) {
			strays += user->switches;
			continue;
		}
		pairs++;
		halves += user->switches;
		there += user->from_partner;
		back += kernel ? kernel->from_partner : 0;
	}
	return pairs >= PAIRS_MIN && strays * STRAY_SHARE <= halves && back * 2 >= there;
}

/* From one half of a process to the other is no switch. */
static void forget_partner(struct space *space)
{
	space->switches -= space->from_partner;
	space->from_partner = 0;
}

void spaces_fold(struct vm_spaces *s, enum pairs pairs)
{
	bool *halves = xcalloc(s->nr, sizeof(*halves));
	size_t i;

	s->folded = pairs == PAIRS_FOLD || (pairs == PAIRS_AUTO && isolates(s));
	for (i = 0; s->folded && i < s->nr; i++)
		halves[i] = (s->list[i].cr3 & USER_HALF) &&
			    (pairs == PAIRS_FOLD || is_user_half(s, &s->list[i]));
	for (i = 0; i < s->nr; i++) {
		struct space *kernel = halves[i] ? partner_of(s, &s->list[i]) : NULL;

		if (halves[i])
			forget_partner(&s->list[i]);
		if (kernel)
			forget_partner(kernel);
	}
	for (i = 0; i < s->nr; i++)
		if (halves[i])
			s->list[i].cr3 &= ~USER_HALF;
	free(halves);
	unite(s);
}

void spaces_sort(struct vm_spaces *s)
{
	qsort(s->list, s->nr, sizeof(*s->list), by_switches);
}

struct space spaces_total(const struct vm_spaces *s)
{
	struct space total = s->others;
	size_t i;

	for (i = 0; i < s->nr; i++)
		add(&total, &s->list[i]);
	return total;
}
