// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF collector's records of VMs and vCPUs: they come and go, are folded into the
 * sum of all that are gone, and find no room. Prints TAP. collector_records [SEED]
 */
#include <stdio.h>
#include <stdlib.h>

#include "collector_twin.h"

#define VMS 80
#define LIVE 6
#define VM_MAX 3

struct fake_vm {
	u64 number;
	u32 nr;
	bool alive, folded;
	struct twin *vcpus[VM_MAX];
};

struct used {
	u64 vms, vcpus, cells;
};

struct churn {
	struct fake_vm vms[VMS];
	struct fake_vm *dead[VMS];	/* in the order of their end */
	u32 nr_vms, nr_dead, nr_folded, nr_live;
	struct tally sum;		/* of those that are folded */
	bool refuses;			/* there may be no room for a vCPU */
	unsigned int refusals, wrong_refusals;
	struct used none;		/* in use when nobody has come yet */
};

static struct used used_now(void)
{
	const struct totals_of_all *all = collector_all();

	return (struct used){ all->vms.used, all->used_vcpus, all->cells.used };
}

static bool used_is(u64 vms, u64 vcpus, u64 cells)
{
	struct used used = used_now();

	return used.vms == vms && used.vcpus == vcpus && used.cells == cells;
}

static void add_vcpu(struct churn *c, struct fake_vm *vm, u32 id)
{
	struct twin *w = calloc(1, sizeof(*w));
	struct used before;

	if (!w)
		abort();
	twin_begin(w, vm->number, id, c->refuses ? 1 + below(2) : KVMSTAT_ISA_SVM);
	if (!c->refuses)	/* all of them together have no more reasons than there are cells */
		w->nr_codes = 5;
	pass(w);
	before = used_now();
	tell_entry(w);
	if (known(w)) {
		vm->vcpus[vm->nr++] = w;
		return;
	}
	before.vms += id == 0;	/* that of the first one is there */
	c->wrong_refusals += !c->refuses || !used_is(before.vms, before.vcpus, before.cells);
	c->refusals++;
	twin_end(w);
	free(w);
}

static void begin_vm(struct churn *c)
{
	struct fake_vm *vm = &c->vms[c->nr_vms++];
	u32 i, nr = 1 + below(VM_MAX);

	vm->number = c->nr_vms;
	vm->alive = true;
	c->nr_live++;
	for (i = 0; i < nr; i++)
		add_vcpu(c, vm, i);
}

static struct fake_vm *any_live(struct churn *c)
{
	struct fake_vm *vm;

	do {
		vm = &c->vms[below(c->nr_vms)];
	} while (!vm->alive);
	return vm;
}

static void end_vm(struct churn *c)
{
	struct fake_vm *vm = any_live(c);
	u32 i;

	for (i = 0; i < vm->nr; i++)
		tell_gone(vm->vcpus[i]);
	event_destroy(vm->number);
	vm->alive = false;
	c->nr_live--;
	c->dead[c->nr_dead++] = vm;
}

static void add_tally(struct tally *sum, const struct tally *t)
{
	u32 i;

	for (i = 0; i < t->nr_cells; i++)
		tally_add_cell(tally_cell(sum, t->cells[i]->key), t->cells[i]);
	tally_add_cell(&sum->other, &t->other);
	sum->guest_cycles += t->guest_cycles;
	sum->untraced += t->untraced;
	sum->mark += tally_read(t, 0).wall;
}

/* Those that the collector does not keep one by one any more: the oldest. */
static void follow_folds(struct churn *c)
{
	struct fake_vm *vm;
	u32 i;

	while (c->nr_dead - c->nr_folded > collector_all()->nr_dead) {
		vm = c->dead[c->nr_folded++];
		vm->folded = true;
		for (i = 0; i < vm->nr; i++)
			add_tally(&c->sum, &vm->vcpus[i]->t);
	}
}

static void events(struct churn *c)
{
	struct fake_vm *vm = any_live(c);
	unsigned int i;

	for (i = 0; vm->nr && i < 60; i++)
		any_event(vm->vcpus[below(vm->nr)]);
	/* A count that waits is nowhere: out of the way of whoever reads, and off their CPU. */
	for (i = 0; i < vm->nr; i++) {
		if (!vm->vcpus[i]->pending)
			continue;
		tell_entry(vm->vcpus[i]);
		tell_out(vm->vcpus[i]);
	}
}

static const struct fake_vm *vm_of_pid(const struct churn *c, u32 pid)
{
	return &c->vms[pid - 1001];
}

static bool same_vm(const struct snapshot *s, const struct kvmstat_vm *out, const struct fake_vm *vm)
{
	u32 i;

	if (vm->folded || out->nr_vcpus != vm->nr || vm->alive != !!(out->flags & KVMSTAT_VM_ALIVE))
		return false;
	for (i = 0; i < vm->nr; i++)
		if (!read_vcpu(s, out->first_vcpu + i, &vm->vcpus[i]->t, vm->alive ? now : 0))
			return false;
	return true;
}

static bool same_vms(const struct churn *c)
{
	struct snapshot s = look();
	u32 i, retired = 0;
	bool same = true;

	for (i = 0; i < s.header->nr_vms; i++) {
		const struct kvmstat_vm *out = snapshot_vm(&s, i);

		if (out->flags & KVMSTAT_VM_RETIRED) {
			same &= read_vcpu(&s, out->first_vcpu, &c->sum, 0);
			retired++;
		} else {
			same &= same_vm(&s, out, vm_of_pid(c, out->pid));
		}
	}
	same &= retired == (c->nr_folded > 0) && i - retired == c->nr_vms - c->nr_folded;
	snapshot_free(&s);
	return same;
}

/* Whatever cell or VM they are in. */
struct totals {
	__uint128_t squares;
	u64 exits, kernel, user, offcpu, guest, wall, untraced, buckets;
};

static void add_bucket_sum(struct totals *to, const struct tally_cell *cell)
{
	u32 i;

	for (i = 0; i < TALLY_BUCKETS; i++)
		to->buckets += cell->histogram[i] * (i + 1);
}

static void add_cell_totals(struct totals *to, const struct tally_cell *cell)
{
	to->exits += cell->exits;
	to->kernel += cell->kernel_cycles;
	to->user += cell->user_cycles;
	to->offcpu += cell->offcpu_cycles;
	to->squares += cell->squares;
	add_bucket_sum(to, cell);
}

static struct totals totals_of_twins(const struct churn *c)
{
	struct totals to = { 0 };
	u32 i, j, k;

	for (i = 0; i < c->nr_vms; i++)
		for (j = 0; j < c->vms[i].nr; j++) {
			const struct tally *t = &c->vms[i].vcpus[j]->t;
			struct tally_reading r = tally_read(t, c->vms[i].alive ? now : 0);

			for (k = 0; k < t->nr_cells; k++)
				add_cell_totals(&to, t->cells[k]);
			add_cell_totals(&to, &t->other);
			to.user += r.user_cycles - r.open->user_cycles;
			to.offcpu += r.offcpu_cycles - r.open->offcpu_cycles;
			to.wall += r.wall;
			to.guest += t->guest_cycles;
			to.untraced += t->untraced;
		}
	return to;
}

static struct totals totals_of_snapshot(const struct snapshot *s)
{
	struct totals to = { 0 };
	u32 i, j;

	for (i = 0; i < s->header->nr_vcpus; i++) {
		to.guest += snapshot_vcpu(s, i)->guest_cycles;
		to.wall += snapshot_vcpu(s, i)->wall_cycles;
		to.untraced += snapshot_vcpu(s, i)->untraced;
	}
	for (i = 0; i < s->header->nr_cells; i++) {
		const struct kvmstat_cell *cell = snapshot_cell(s, i);

		to.exits += cell->exits;
		to.kernel += cell->kernel_cycles;
		to.user += cell->user_cycles;
		to.offcpu += cell->offcpu_cycles;
		to.squares += (__uint128_t)cell->squares_high << 64 | cell->squares_low;
		for (j = 0; j < cell->nr_buckets; j++)
			to.buckets += *snapshot_bucket(s, cell->first_bucket + j) *
				      (cell->histogram_first + j + 1);
	}
	return to;
}

static bool same_totals(const struct churn *c)
{
	struct totals twins = totals_of_twins(c), read;
	struct snapshot s = look();

	read = totals_of_snapshot(&s);
	snapshot_free(&s);
	if (!near(read.squares, twins.squares))
		return false;
	read.squares = twins.squares;
	return !memcmp(&twins, &read, sizeof(read));
}

/* What is in use is what somebody has. */
static bool used_is_right(const struct churn *c)
{
	u64 nr_vms = 0, nr_vcpus = 0, nr_cells = collector_vcpu(0)->nr_cells;
	u32 i, j;

	for (i = 1; i < MAX_VMS; i++) {
		const struct vm *vm = collector_vm(i);

		if (!vm->id)
			continue;
		nr_vms++;
		for (j = 0; j < vm->nr_vcpus; j++, nr_vcpus++)
			nr_cells += collector_vcpu(vm->vcpus[j])->nr_cells + 1;
	}
	return nr_vms == c->nr_vms - c->nr_folded && (c->refuses || !collector_all()->lost) &&
	       used_is(c->none.vms + nr_vms, c->none.vcpus + nr_vcpus, c->none.cells + nr_cells);
}

static void end_churn(struct churn *c)
{
	u32 i, j;

	for (i = 0; i < c->nr_vms; i++)
		for (j = 0; j < c->vms[i].nr; j++) {
			twin_end(c->vms[i].vcpus[j]);
			free(c->vms[i].vcpus[j]);
		}
	for (i = 0; i < c->sum.nr_cells; i++)
		free(c->sum.cells[i]);
}

static void come_and_go(u32 nr_vms, u32 nr_vcpus, u32 nr_cells, u32 history, const char *name)
{
	static struct churn c;
	unsigned int differ = 0, sums = 0, used = 0, kept = 0;
	char text[200];

	memset(&c, 0, sizeof(c));
	tally_init(&c.sum);
	c.refuses = nr_cells < 1000;
	cells_left = ~0U;
	steady = true;
	collector_new(history);
	collector_room(nr_vms, nr_vcpus, nr_cells);
	c.none = used_now();
	fake_kernel(1);
	now = 1 << 20;
	while (c.nr_vms < VMS || c.nr_live) {
		if (c.nr_vms < VMS && c.nr_live < LIVE && (!c.nr_live || below(2)))
			begin_vm(&c);
		else if (!below(3))
			end_vm(&c);
		else
			events(&c);
		if (!c.nr_live)
			continue;
		events(&c);
		follow_folds(&c);
		used += !used_is_right(&c);
		sums += !same_totals(&c);
		differ += !c.refuses && !same_vms(&c);
		kept += collector_all()->nr_dead > history;
	}
	follow_folds(&c);
	used += !used_is_right(&c);
	sums += !same_totals(&c);
	if (!c.refuses) {
		differ += !same_vms(&c);
		snprintf(text, sizeof(text), "%s: each VM by itself, and the sum of the others", name);
		verdict(differ + c.sum.other.exits, text);
	}
	snprintf(text, sizeof(text), "%s: not an exit or a cycle of all VMs is lost", name);
	verdict(sums, text);
	snprintf(text, sizeof(text), "%s: what is in use is what somebody has", name);
	verdict(used, text);
	snprintf(text, sizeof(text), "%s: the oldest are folded, and no more are kept than wanted", name);
	verdict(kept + !c.nr_folded, text);
	if (c.refuses) {
		snprintf(text, sizeof(text), "%s: a vCPU without room takes nothing", name);
		verdict(c.wrong_refusals + !c.refusals, text);
	}
	end_churn(&c);
	steady = false;
}

/* vCPUs as they come, until there is no room for one. */
#define MANY (VM_VCPUS + 10)

struct crowd {
	struct fake_vcpu *f[MANY];
	u32 nr;		/* that found room */
	bool same_vm;
	bool classic;
	struct used none;
};

static struct fake_vcpu *one_more(const struct crowd *c, u32 i)
{
	struct fake_vcpu *f = fake_vcpu(c->same_vm ? 1 : 1 + i, i);
	struct fake_reason reason = { .isa = KVMSTAT_ISA_SVM, .code = 0x72 };

	fake_exit(f, &reason);
	return f;
}

static void crowd_exit(const struct crowd *c, u32 i)
{
	if (c->classic)
		event_exit_classic(c->f[i], KVMSTAT_ISA_SVM);
	else
		event_exit(c->f[i], KVMSTAT_ISA_SVM);
}

static void fill(struct crowd *c)
{
	for (c->nr = 0; c->nr < MANY; c->nr++) {
		c->f[c->nr] = one_more(c, c->nr);
		event_entry(c->f[c->nr]);
		if (!collector_find(c->f[c->nr]))
			break;
	}
}

/* The one that found no room tries again and again. */
static unsigned int refuse(const struct crowd *c)
{
	u64 lost = collector_all()->lost;
	struct used before = used_now();
	unsigned int i, wrong = 0;

	for (i = 0; i < 5; i++) {
		crowd_exit(c, c->nr);
		event_entry(c->f[c->nr]);
		wrong += !used_is(before.vms, before.vcpus, before.cells) ||
			 collector_find(c->f[c->nr]);
	}
	if (c->same_vm)
		wrong += collector_vm(collector_find_vm(1))->nr_vcpus != VM_VCPUS;
	return wrong + (collector_all()->lost != lost + 5);
}

static unsigned int go_on(const struct crowd *c)
{
	const struct vcpu *v = collector_vcpu(collector_find(c->f[0]));

	crowd_exit(c, 0);
	event_entry(c->f[0]);
	return collector_exits(collector_find(c->f[0])) != 1 || collector_cell(v->open)->exits != 1;
}

static unsigned int all_end(struct crowd *c)
{
	u32 i;

	for (i = 0; i <= c->nr; i++) {
		event_destroy(c->same_vm ? 1 : 1 + i);
		fake_free(c->f[i]);
	}
	return collector_all()->nr_dead ||
	       !used_is(c->none.vms, c->none.vcpus, c->none.cells + collector_vcpu(0)->nr_cells);
}

static void full_of(u32 room, struct crowd like, const char *name)
{
	struct crowd c = like;
	unsigned int wrong = 0, leaks = 0, round;
	char text[200];

	c.none = used_now();
	for (round = 0; round < 3; round++) {
		fill(&c);
		wrong += c.nr != room;
		leaks += refuse(&c);
		wrong += go_on(&c);
		leaks += all_end(&c);
	}
	snprintf(text, sizeof(text), "full of %s: the others go on, and there is room again after their end", name);
	verdict(wrong, text);
	snprintf(text, sizeof(text), "full of %s: the lost exits are counted, and nothing else leaks", name);
	verdict(leaks, text);
}

static void full_maps(void)
{
	static const struct crowd apart, of_one_vm = { .same_vm = true }, classic = { .classic = true };

	collector_new(0);
	collector_room(7, 90, 900);
	full_of(7, apart, "VMs");
	collector_new(0);
	collector_room(90, 7, 900);
	full_of(7, apart, "vCPUs");
	collector_new(0);
	collector_room(90, 90, 7);
	full_of(7, apart, "cells");
	collector_new(0);
	collector_limit(FAKE_VM_INDEX, 7);
	full_of(7, apart, "VMs in the index");
	collector_new(0);
	collector_limit(FAKE_VCPU_INDEX, 7);
	full_of(7, apart, "vCPUs in the index");
	collector_new(0);
	full_of(VM_VCPUS, of_one_vm, "vCPUs of one VM");
	collector_new(0);
	collector_classic();
	collector_room(90, 7, 900);
	full_of(7, classic, "vCPUs, whose exits come as records");
	collector_new(0);
	full_of(MAX_VMS - 1, apart, "as many VMs as there may be");
}

/* On two CPUs at once. */
static struct fake_vcpu *second;

static void second_enters(void)
{
	event_entry(second);
}

static void vm_ends(void)
{
	event_destroy(1);
}

static void at_once(void)
{
	struct crowd c = { .same_vm = true };
	struct fake_vcpu *first = one_more(&c, 0);
	const struct totals_of_all *all = collector_all();
	struct vm *vm;

	second = one_more(&c, 1);
	collector_new(0);
	collector_meanwhile(FAKE_VM_INDEX, second_enters);
	event_entry(first);
	vm = collector_vm(collector_find_vm(1));
	verdict(!used_is(1, 2, 2) || !vm->id || vm->nr_vcpus != 2 ||
		!collector_find(first) || !collector_find(second),
		"two vCPUs that come at once make one VM");
	event_exit(first, KVMSTAT_ISA_SVM);
	event_entry(first);
	collector_meanwhile(FAKE_VM_INDEX, vm_ends);
	vm_ends();
	verdict(!used_is(0, 0, 1) || all->nr_dead || collector_exits(0) != 1,
		"two that find the end of a VM at once end it once");
	fake_free(first);
	fake_free(second);
}

int main(int argc, char **argv)
{
	srand(argc > 1 ? strtoul(argv[1], NULL, 10) : 1);
	come_and_go(1000, 2000, 16000, 4, "VMs that come and go");
	/* From three quarters on it is short: of VMs, of vCPUs, of cells. */
	come_and_go(300, 2000, 16000, 100, "many VMs");
	come_and_go(1000, 560, 16000, 100, "many vCPUs");
	come_and_go(1000, 2000, 5500, 100, "many cells");
	come_and_go(1000, 2000, 100, 3, "too few cells");
	full_maps();
	at_once();
	return done_testing();
}
