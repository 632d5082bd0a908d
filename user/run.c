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

uint64_t cycles_sum(const struct cycles *cycles)
{
	return cycles->kernel + cycles->user + cycles->offcpu;
}

void cycles_add(struct cycles *sum, const struct cycles *cycles)
{
	sum->kernel += cycles->kernel;
	sum->user += cycles->user;
	sum->offcpu += cycles->offcpu;
}

bool reason_same(const struct reason *a, const struct reason *b)
{
	return a->code == b->code && a->level == b->level && a->detail == b->detail &&
	       !strcmp(a->name, b->name);
}

/* Without single exits there is still their sum. */
double reason_mean(const struct reason *reason)
{
	const struct histogram *h = &reason->histogram;

	if (h->ended)
		return (double)h->sum / h->ended;
	return reason->exits ? (double)reason->cycles.kernel / reason->exits : 0;
}

char *reason_label(const struct reason *reason, char buf[LABEL_MAX])
{
	char detail[DETAIL_NAME_MAX] = "";

	if (reason->detail)
		detail_name(reason->detail, detail);
	snprintf(buf, LABEL_MAX, "%s%s%s%s", reason->name, reason->level > 1 ? " (L2)" : "",
		 *detail ? " " : "", detail);
	return buf;
}

static struct reason *find_row(const struct reasons *reasons, uint64_t code, uint32_t level,
			       uint32_t detail)
{
	size_t i;

	for (i = 0; i < reasons->nr; i++) {
		struct reason *row = &reasons->list[i];

		if (row->code == code && row->level == level && row->detail == detail)
			return row;
	}
	return NULL;
}

struct reason *reasons_get(struct reasons *reasons, uint32_t isa, uint64_t code, uint32_t level,
			   uint32_t detail)
{
	struct reason *found = find_row(reasons, code, level, detail);
	struct reason fresh = { .code = code, .level = level, .detail = detail };

	if (found)
		return found;
	reason_name(isa, code, fresh.name);
	snprintf(fresh.class, sizeof(fresh.class), "%s", detail_class(isa, code, detail));
	return reasons_append(reasons, &fresh);
}

/* The spread of a sum does not follow from those of its parts. */
static void add_counts(struct reason *sum, const struct reason *row)
{
	sum->exits += row->exits;
	cycles_add(&sum->cycles, &row->cycles);
	histogram_add(&sum->histogram, &row->histogram);
	sum->exits_spread = (struct spread){ sum->exits, NAN };
	sum->cycles_spread = (struct spread){ cycles_sum(&sum->cycles), NAN };
	sum->kernel_spread = (struct spread){ sum->cycles.kernel, NAN };
}

/* A file's own names win over this program's tables: they may be newer. */
static void add_row(struct reasons *sum, const struct reason *row)
{
	struct reason *to = find_row(sum, row->code, row->level, row->detail);

	if (to)
		add_counts(to, row);
	else
		reasons_append(sum, row);
}

void reasons_add_up(struct reasons *reasons, uint32_t isa, const struct reasons *details)
{
	size_t i;

	for (i = 0; i < details->nr; i++) {
		struct reason row = details->list[i];

		if (row.detail) {
			row.detail = KVMSTAT_DETAIL_NONE;
			snprintf(row.class, sizeof(row.class), "%s", reason_class(isa, row.code));
		}
		add_row(reasons, &row);
	}
}

static struct reason *find_class(const struct reasons *classes, const char *class)
{
	size_t i;

	for (i = 0; i < classes->nr; i++)
		if (!strcmp(classes->list[i].class, class))
			return &classes->list[i];
	return NULL;
}

void classes_add_up(struct reasons *classes, const struct reasons *details)
{
	size_t i;

	for (i = 0; i < details->nr; i++) {
		struct reason row = details->list[i], *class;

		snprintf(row.name, sizeof(row.name), "%s%s", row.level > 1 ? L2_PREFIX : "",
			 details->list[i].class);
		snprintf(row.class, sizeof(row.class), "%.*s", (int)sizeof(row.class) - 1, row.name);
		row.code = 0;
		row.level = 1;
		row.detail = KVMSTAT_DETAIL_NONE;
		class = find_class(classes, row.class);
		if (class)
			add_counts(class, &row);
		else
			reasons_append(classes, &row);
	}
}

void details_add_up(struct reasons *sum, const struct reasons *details)
{
	size_t i;

	for (i = 0; i < details->nr; i++)
		add_row(sum, &details->list[i]);
}

void reasons_clear(struct reasons *reasons)
{
	free(reasons->list);
	memset(reasons, 0, sizeof(*reasons));
}

void totals_add(struct totals *sum, const struct totals *totals)
{
	sum->exits += totals->exits;
	cycles_add(&sum->cycles, &totals->cycles);
	sum->guest_cycles += totals->guest_cycles;
	sum->wall_cycles += totals->wall_cycles;
	sum->untraced += totals->untraced;
}

static void sum_vcpu(struct run *run, struct vcpu *vcpu)
{
	size_t i;

	vcpu->totals.exits = 0;
	vcpu->totals.cycles = (struct cycles){ 0 };
	for (i = 0; i < vcpu->details.nr; i++) {
		const struct reason *row = &vcpu->details.list[i];

		vcpu->totals.exits += row->exits;
		cycles_add(&vcpu->totals.cycles, &row->cycles);
		add_row(&run->details, row);
	}
}

static void clear_rows(struct run *run)
{
	reasons_clear(&run->details);
	reasons_clear(&run->reasons);
	reasons_clear(&run->classes);
}

void run_sum(struct run *run)
{
	uint64_t lost = run->totals.lost;
	size_t i, j;

	clear_rows(run);
	memset(&run->totals, 0, sizeof(run->totals));
	run->totals.lost = lost;
	for (i = 0; i < run->nr_vms; i++) {
		struct vm *vm = &run->vms[i];

		memset(&vm->totals, 0, sizeof(vm->totals));
		for (j = 0; j < vm->nr_vcpus; j++) {
			sum_vcpu(run, &vm->vcpus[j]);
			totals_add(&vm->totals, &vm->vcpus[j].totals);
		}
		totals_add(&run->totals, &vm->totals);
	}
	reasons_add_up(&run->reasons, run->isa, &run->details);
	classes_add_up(&run->classes, &run->details);
}

static void histogram_from_cell(struct histogram *h, const struct snapshot *snap,
				const struct kvmstat_cell *cell)
{
	uint32_t i;

	for (i = 0; i < cell->nr_buckets; i++) {
		uint64_t exits = *snapshot_bucket(snap, cell->first_bucket + i);

		h->buckets[cell->histogram_first + i] = exits;
		h->ended += exits;
	}
	if (!h->ended)
		return;
	h->sum = cell->kernel_cycles;
	h->squares = (__uint128_t)cell->squares_high << 64 | cell->squares_low;
	h->min = cell->min;
	h->max = cell->max;
	/* An exit that ends meanwhile may be in the one and not yet in the other. */
	histogram_bound(h);
	h->bounds = h->min != cell->min || h->max != cell->max;
}

static void cell_from_snapshot(struct reasons *details, const struct snapshot *snap,
			       const struct kvmstat_cell *cell)
{
	struct reason *row = reasons_get(details, snap->header->isa, cell->code,
					 cell->flags & KVMSTAT_CELL_L2 ? 2 : 1, cell->detail);
	const struct cycles cycles = {
		cell->kernel_cycles, cell->user_cycles, cell->offcpu_cycles,
	};
	struct histogram histogram = { 0 };

	histogram_from_cell(&histogram, snap, cell);
	row->exits += cell->exits;
	cycles_add(&row->cycles, &cycles);
	histogram_add(&row->histogram, &histogram);
}

static void vcpu_from_snapshot(struct vcpu *vcpu, const struct snapshot *snap, uint32_t index)
{
	const struct kvmstat_vcpu *from = snapshot_vcpu(snap, index);
	uint32_t i;

	vcpu->id = from->id;
	vcpu->totals.guest_cycles = from->guest_cycles;
	vcpu->totals.wall_cycles = from->wall_cycles;
	vcpu->totals.untraced = from->untraced;
	for (i = 0; i < from->nr_cells; i++)
		cell_from_snapshot(&vcpu->details, snap,
				   snapshot_cell(snap, from->first_cell + i));
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
	run->split = true;
	run->window_ns = h->time_ns - h->since_ns;
	run->runs = 1;
	run->instance = h->instance;
	run->generation = h->generation;
	run->time_ns = h->time_ns;
	run->tsc = h->tsc;
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
		copy_reasons(&to->vcpus[i].details, &from->vcpus[i].details);
}

uint64_t run_left_out(const struct run *run)
{
	uint64_t left = run->totals.exits;
	size_t i;

	for (i = 0; i < run->reasons.nr; i++)
		left -= run->reasons.list[i].exits;
	return left;
}

struct vm *run_find_vm(const struct run *run, uint64_t id)
{
	size_t low = 0, high = run->nr_vms;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (run->vms[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < run->nr_vms && run->vms[low].id == id ? &run->vms[low] : NULL;
}

void run_copy(struct run *to, const struct run *from)
{
	size_t i;

	*to = *from;
	copy_reasons(&to->details, &from->details);
	copy_reasons(&to->reasons, &from->reasons);
	copy_reasons(&to->classes, &from->classes);
	to->vms = xcalloc(from->nr_vms, sizeof(*from->vms));
	for (i = 0; i < from->nr_vms; i++)
		copy_vm(&to->vms[i], &from->vms[i]);
}

void vcpu_free(struct vcpu *vcpu)
{
	free(vcpu->details.list);
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
	clear_rows(run);
	memset(run, 0, sizeof(*run));
}
