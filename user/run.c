// SPDX-License-Identifier: GPL-2.0-or-later
/* The run: what was counted over one window. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "run.h"
#include "text.h"

const char *isa_name(uint32_t isa)
{
	switch (isa) {
	case KVMSTAT_ISA_VMX:
		return "vmx";
	case KVMSTAT_ISA_SVM:
		return "svm";
	default:
		return "unknown";
	}
}

struct reason *reasons_append(struct reasons *reasons, const struct reason *reason)
{
	reasons->list = xgrow(reasons->list, reasons->nr, sizeof(*reason));
	reasons->list[reasons->nr] = *reason;
	return &reasons->list[reasons->nr++];
}

static struct reason *find_reason(const struct reasons *reasons, uint64_t code)
{
	size_t i;

	for (i = 0; i < reasons->nr; i++)
		if (reasons->list[i].code == code)
			return &reasons->list[i];
	return NULL;
}

struct reason *reasons_get(struct reasons *reasons, uint32_t isa, uint64_t code)
{
	struct reason *found = find_reason(reasons, code);
	struct reason fresh = { .code = code };

	if (found)
		return found;
	reason_name(isa, code, fresh.name);
	snprintf(fresh.class, sizeof(fresh.class), "%s", reason_class(isa, code));
	return reasons_append(reasons, &fresh);
}

/* A file's own names win over this program's tables: they may be newer. */
static void add_reason(struct reasons *sum, const struct reason *reason)
{
	struct reason *to = find_reason(sum, reason->code);

	if (!to) {
		reasons_append(sum, reason);
		return;
	}
	to->exits += reason->exits;
	to->cycles += reason->cycles;
}

static void add_totals(struct totals *sum, const struct totals *t)
{
	sum->exits += t->exits;
	sum->cycles += t->cycles;
	sum->guest_cycles += t->guest_cycles;
	sum->untraced += t->untraced;
}

static void sum_vcpu(struct run *run, struct vcpu *vcpu)
{
	size_t i;

	vcpu->totals.exits = 0;
	vcpu->totals.cycles = 0;
	for (i = 0; i < vcpu->reasons.nr; i++) {
		const struct reason *reason = &vcpu->reasons.list[i];

		vcpu->totals.exits += reason->exits;
		vcpu->totals.cycles += reason->cycles;
		add_reason(&run->reasons, reason);
	}
}

static void clear_reasons(struct reasons *reasons)
{
	free(reasons->list);
	memset(reasons, 0, sizeof(*reasons));
}

static struct reason *find_class(const struct reasons *classes, const char *class)
{
	size_t i;

	for (i = 0; i < classes->nr; i++)
		if (!strcmp(classes->list[i].class, class))
			return &classes->list[i];
	return NULL;
}

/* The spread of a sum does not follow from those of its parts. */
void run_classify(struct run *run)
{
	size_t i;

	clear_reasons(&run->classes);
	for (i = 0; i < run->reasons.nr; i++) {
		const struct reason *reason = &run->reasons.list[i];
		struct reason *class = find_class(&run->classes, reason->class);

		if (!class) {
			class = reasons_append(&run->classes, reason);
			snprintf(class->name, sizeof(class->name), "%s", class->class);
			class->code = 0;
			continue;
		}
		class->exits += reason->exits;
		class->cycles += reason->cycles;
		class->exits_spread = (struct spread){ class->exits, NAN };
		class->cycles_spread = (struct spread){ class->cycles, NAN };
	}
}

void run_sum(struct run *run)
{
	uint64_t lost = run->totals.lost;
	size_t i, j;

	clear_reasons(&run->reasons);
	memset(&run->totals, 0, sizeof(run->totals));
	run->totals.lost = lost;
	for (i = 0; i < run->nr_vms; i++) {
		struct vm *vm = &run->vms[i];

		memset(&vm->totals, 0, sizeof(vm->totals));
		for (j = 0; j < vm->nr_vcpus; j++) {
			sum_vcpu(run, &vm->vcpus[j]);
			add_totals(&vm->totals, &vm->vcpus[j].totals);
		}
		add_totals(&run->totals, &vm->totals);
	}
	run_classify(run);
}

static void vcpu_from_snapshot(struct vcpu *vcpu, const struct snapshot *snap, uint32_t index)
{
	const struct kvmstat_vcpu *from = snapshot_vcpu(snap, index);
	uint32_t i;

	vcpu->id = from->id;
	vcpu->totals.guest_cycles = from->guest_cycles;
	vcpu->totals.untraced = from->untraced;
	for (i = 0; i < from->nr_cells; i++) {
		const struct kvmstat_cell *cell = snapshot_cell(snap, from->first_cell + i);
		struct reason *reason = reasons_get(&vcpu->reasons, snap->header->isa, cell->code);

		reason->exits += cell->exits;
		reason->cycles += cell->cycles;
	}
}

static void vm_from_snapshot(struct vm *vm, const struct snapshot *snap, uint32_t index)
{
	const struct kvmstat_vm *from = snapshot_vm(snap, index);
	uint32_t i;

	vm->id = from->id;
	vm->pid = from->pid;
	vm->alive = from->flags & KVMSTAT_VM_ALIVE;
	vm->retired = from->flags & KVMSTAT_VM_RETIRED;
	text_clean(vm->comm, from->comm, sizeof(vm->comm));
	vm->nr_vcpus = from->nr_vcpus;
	vm->vcpus = xcalloc(vm->nr_vcpus, sizeof(*vm->vcpus));
	for (i = 0; i < from->nr_vcpus; i++)
		vcpu_from_snapshot(&vm->vcpus[i], snap, from->first_vcpu + i);
}

static int by_id(const void *a, const void *b)
{
	const struct vm *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

void run_from_snapshot(struct run *run, const struct snapshot *snap)
{
	const struct kvmstat_snapshot *h = snap->header;
	uint32_t i;

	memset(run, 0, sizeof(*run));
	run->isa = h->isa;
	run->tsc_khz = h->tsc_khz;
	run->window_ns = h->time_ns - h->since_ns;
	run->runs = 1;
	run->instance = h->instance;
	run->generation = h->generation;
	run->time_ns = h->time_ns;
	run->totals.lost = h->lost;
	run->nr_vms = h->nr_vms;
	run->vms = xcalloc(run->nr_vms, sizeof(*run->vms));
	for (i = 0; i < h->nr_vms; i++)
		vm_from_snapshot(&run->vms[i], snap, i);
	qsort(run->vms, run->nr_vms, sizeof(*run->vms), by_id);
	run_sum(run);
}

static void copy_reasons(struct reasons *to, const struct reasons *from)
{
	size_t i;

	memset(to, 0, sizeof(*to));
	for (i = 0; i < from->nr; i++)
		reasons_append(to, &from->list[i]);
}

static void copy_vm(struct vm *to, const struct vm *from)
{
	size_t i;

	*to = *from;
	to->vcpus = xmemdup(from->vcpus, from->nr_vcpus, sizeof(*from->vcpus));
	for (i = 0; i < from->nr_vcpus; i++)
		copy_reasons(&to->vcpus[i].reasons, &from->vcpus[i].reasons);
}

void run_copy(struct run *to, const struct run *from)
{
	size_t i;

	*to = *from;
	copy_reasons(&to->reasons, &from->reasons);
	copy_reasons(&to->classes, &from->classes);
	to->vms = xcalloc(from->nr_vms, sizeof(*from->vms));
	for (i = 0; i < from->nr_vms; i++)
		copy_vm(&to->vms[i], &from->vms[i]);
}

void vcpu_free(struct vcpu *vcpu)
{
	free(vcpu->reasons.list);
	memset(vcpu, 0, sizeof(*vcpu));
}

void vm_free(struct vm *vm)
{
	size_t i;

	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_free(&vm->vcpus[i]);
	free(vm->vcpus);
	memset(vm, 0, sizeof(*vm));
}

void run_free(struct run *run)
{
	size_t i;

	for (i = 0; i < run->nr_vms; i++)
		vm_free(&run->vms[i]);
	free(run->vms);
	clear_reasons(&run->reasons);
	clear_reasons(&run->classes);
	memset(run, 0, sizeof(*run));
}
