// SPDX-License-Identifier: GPL-2.0-or-later
/* What kvmstat-report top shows: rows, of two snapshots and a state. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "top_model.h"

static const struct { const char *name; char letter; } columns[NR_TOP_COLUMNS] = {
	[TOP_NAME] = { "name", 'N' },
	[TOP_EXITS] = { "exits", 'E' },
	[TOP_RATE] = { "rate", 'R' },
	[TOP_GUEST] = { "guest", 'G' },
	[TOP_KERNEL] = { "kernel", 'K' },
	[TOP_USER] = { "user", 'U' },
	[TOP_OFFCPU] = { "offcpu", 'O' },
	[TOP_MEAN] = { "mean", 'M' },
	[TOP_P99] = { "p99", 'P' },
	[TOP_MAX] = { "max", 'X' },
};

const char *top_column_name(enum top_column column)
{
	return columns[column].name;
}

char top_column_letter(enum top_column column)
{
	return columns[column].letter;
}

const char *top_vm_name(const struct vm *vm)
{
	if (vm->retired)
		return "(earlier VMs)";
	return vm->name[0] ? vm->name : vm->comm;
}

bool top_has(const struct top_state *state, enum top_column column, bool split)
{
	switch (column) {
	case TOP_GUEST:
		return state->level != TOP_REASONS;
	case TOP_USER:
	case TOP_OFFCPU:
		return split;
	case TOP_P99:
	case TOP_MAX:
		return split && state->level == TOP_REASONS;
	case TOP_MEAN:
		return state->level == TOP_REASONS;
	default:
		return true;
	}
}

enum top_column top_sort(const struct top_state *state, bool split)
{
	return top_has(state, state->sort, split) ? state->sort : TOP_RATE;
}

bool part_same(const struct part *a, const struct part *b)
{
	if (a->one_vm != b->one_vm || a->one_vcpu != b->one_vcpu || a->one_reason != b->one_reason)
		return false;
	if ((a->one_vm && a->vm != b->vm) || (a->one_vcpu && a->vcpu != b->vcpu))
		return false;
	return !a->one_reason || (a->by == b->by && a->code == b->code && a->level == b->level &&
				  a->detail == b->detail && !strcmp(a->name, b->name));
}

struct kind kind_of(const struct vm *vm, const struct vcpu *vcpu, const struct reason *detail)
{
	return (struct kind){
		.vm = vm->id, .vcpu = vcpu->id, .code = detail->code, .level = detail->level,
		.detail = detail->detail, .class = detail->class,
	};
}

/* Classes of L2 have rows of their own, with a prefix. */
static bool is_class(const char *name, const struct kind *kind)
{
	const size_t prefix = sizeof(L2_PREFIX) - 1;

	if (kind->level <= 1)
		return !strcmp(name, kind->class);
	return !strncmp(name, L2_PREFIX, prefix) && !strcmp(name + prefix, kind->class);
}

static bool is_reason(const struct part *part, const struct kind *kind)
{
	if (part->by == BY_CLASS)
		return is_class(part->name, kind);
	return part->code == kind->code && part->level == kind->level &&
	       (part->by == BY_REASON || part->detail == kind->detail);
}

bool part_has(const struct part *part, const struct kind *kind)
{
	return (!part->one_vm || part->vm == kind->vm) &&
	       (!part->one_vcpu || part->vcpu == kind->vcpu) &&
	       (!part->one_reason || is_reason(part, kind));
}

/* A mean of several runs has no VMs, nor need a file have them. */
void top_state_init(struct top_state *state, const struct view *view, enum top_column sort,
		    const struct run *run)
{
	bool no_vms = !run->nr_vms && run->totals.exits;
	enum by by = view->by_given ? view->by : no_vms ? BY_REASON : BY_VM;

	memset(state, 0, sizeof(*state));
	state->by = by_machines(by) ? BY_REASON : by;
	state->level = by == BY_VM ? TOP_VMS : by == BY_VCPU ? TOP_VCPUS : TOP_REASONS;
	state->sort = sort;
}

void top_state_forget(struct top_state *state)
{
	memset(state->in, 0, sizeof(state->in));
	memset(state->selected, 0, sizeof(state->selected));
	state->first = 0;
	if (state->level != TOP_REASONS)
		state->level = TOP_VMS;
}

static bool keep_vcpus(struct vm *vm, const struct part *part)
{
	size_t i, kept = 0;

	for (i = 0; i < vm->nr_vcpus; i++) {
		if (part->one_vcpu && vm->vcpus[i].id != part->vcpu)
			vcpu_free(&vm->vcpus[i]);
		else
			vm->vcpus[kept++] = vm->vcpus[i];
	}
	vm->nr_vcpus = kept;
	return kept;
}

/* Unlike select_apply() this knows VMs by their id alone, and the sum of earlier VMs, too. */
static void narrow(struct run *run, const struct part *part)
{
	size_t i, kept = 0;

	if (!part->one_vm)
		return;
	for (i = 0; i < run->nr_vms; i++) {
		struct vm *vm = &run->vms[i];

		if (vm->id == part->vm && keep_vcpus(vm, part))
			run->vms[kept++] = *vm;
		else
			vm_free(vm);
	}
	run->nr_vms = kept;
	run_sum(run);
}

static struct part part_of_group(const struct group *group, const struct part *in, enum by by)
{
	struct part part = *in;

	if (group->vm) {
		part.one_vm = true;
		part.vm = group->vm->id;
	}
	if (group->vcpu) {
		part.one_vcpu = true;
		part.vcpu = group->vcpu->id;
	}
	if (group->reason) {
		part.one_reason = true;
		part.by = by;
		part.code = group->reason->code;
		part.level = group->reason->level;
		part.detail = group->reason->detail;
		snprintf(part.name, sizeof(part.name), "%s", group->reason->name);
	}
	return part;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / whole : NAN;
}

/* Shares are of the vCPUs' time: of their own of VMs and vCPUs, of a reason of the place's. */
static void set_times(struct top_row *row, const struct cycles *cycles, const struct totals *of)
{
	uint64_t all = of->guest_cycles + cycles_sum(&of->cycles);

	row->value[TOP_GUEST] = share(of->guest_cycles, all);
	row->value[TOP_KERNEL] = share(cycles->kernel, all);
	row->value[TOP_USER] = share(cycles->user, all);
	row->value[TOP_OFFCPU] = share(cycles->offcpu, all);
}

static void set_spread(struct top_row *row, const struct reason *reason)
{
	const struct histogram *h = &reason->histogram;

	if (h->ended || reason->cycles.kernel)
		row->value[TOP_MEAN] = reason_mean(reason);
	if (!h->ended)
		return;
	row->value[TOP_P99] = histogram_percentile(h, 0.99);
	row->value[TOP_MAX] = h->max;
	row->bounds = h->bounds;
}

/* What the window has of it; nothing, where NULL. */
static void set_window(struct top_row *row, const struct group *group, const struct run *window)
{
	static const struct totals nothing;
	const struct totals *of = group && group->totals ? group->totals : &nothing;
	double seconds = window->window_ns / 1e9;
	size_t i;

	for (i = 0; i < NR_TOP_COLUMNS; i++)
		row->value[i] = NAN;
	row->value[TOP_EXITS] = row->exits;
	row->value[TOP_RATE] = seconds > 0 ? (group ? group->exits : 0) / seconds : NAN;
	if (row->part.one_reason)
		of = &window->totals;
	set_times(row, group ? &group->cycles : &nothing.cycles, of);
	if (group && group->reason)
		set_spread(row, group->reason);
}

static const struct group *find_group(const struct groups *groups, const struct group *like,
				      const struct part *in, enum by by)
{
	const struct part part = part_of_group(like, in, by);
	size_t i;

	for (i = 0; i < groups->nr; i++) {
		const struct part other = part_of_group(&groups->list[i], in, by);

		if (part_same(&part, &other))
			return &groups->list[i];
	}
	return NULL;
}

static bool matches(const struct top_row *row, const char *filter)
{
	char pid[16] = "";

	if (row->vm)
		snprintf(pid, sizeof(pid), "%u", row->vm->pid);
	return strcasestr(row->name, filter) || strcasestr(pid, filter) ||
	       (row->vm && (strcasestr(row->vm->comm, filter) ||
			    strcasestr(row->vm->name, filter)));
}

static struct top_row *append(struct top_rows *rows)
{
	rows->list = xgrow(rows->list, rows->nr, sizeof(*rows->list));
	memset(&rows->list[rows->nr], 0, sizeof(*rows->list));
	return &rows->list[rows->nr++];
}

static void sum_histograms(struct reason *sum, const struct run *run)
{
	size_t i;

	for (i = 0; i < run->reasons.nr; i++)
		histogram_add(&sum->histogram, &run->reasons.list[i].histogram);
}

static void add_sum(struct top_rows *rows, const struct top_state *state)
{
	struct totals *totals = &rows->window.totals;
	struct reason all = { .exits = totals->exits, .cycles = totals->cycles };
	const struct group group = {
		.reason = &all, .totals = totals, .exits = all.exits, .cycles = all.cycles,
	};
	struct top_row *row = append(rows);

	sum_histograms(&all, &rows->window);
	row->part = state->in[state->level];
	snprintf(row->name, sizeof(row->name), "all");
	row->exits = rows->now.totals.exits;
	set_window(row, &group, &rows->window);
}

static void add_rows(struct top_rows *rows, const struct top_state *state, enum by by)
{
	const struct view view = { .by = by };
	const struct part *in = &state->in[state->level];
	struct groups now, window;
	size_t i;

	groups_make(&now, &rows->now, &view);
	groups_make(&window, &rows->window, &view);
	for (i = 0; i < now.nr; i++) {
		const struct group *group = &now.list[i];
		struct top_row *row = append(rows);

		row->part = part_of_group(group, in, by);
		snprintf(row->name, sizeof(row->name), "%s", group->name);
		row->vm = group->vm;
		row->exits = group->exits;
		set_window(row, find_group(&window, group, in, by), &rows->window);
		if (!matches(row, state->filter[state->level]))
			rows->nr--;
	}
	groups_free(&now);
	groups_free(&window);
}

static int compare_numbers(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a < b) - (a > b);
}

/* VMs and vCPUs by number, reasons by name. */
static int compare_names(const struct top_row *x, const struct top_row *y)
{
	if (x->part.vm != y->part.vm)
		return x->part.vm < y->part.vm ? -1 : 1;
	if (x->part.vcpu != y->part.vcpu)
		return x->part.vcpu < y->part.vcpu ? -1 : 1;
	return strcmp(x->name, y->name);
}

struct order {
	enum top_column by;
	bool reverse;
};

/* What is not known is last, either way. */
static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct top_row *x = a, *y = b;
	const struct order *asked = arg;
	double u = x->value[asked->by], v = y->value[asked->by];
	int order;

	if (asked->by == TOP_NAME) {
		order = compare_names(x, y);
		return asked->reverse ? -order : order;
	}
	order = compare_numbers(u, v);
	if (asked->reverse && !isnan(u) && !isnan(v))
		order = -order;
	return order ?: compare_numbers(x->exits, y->exits) ?: compare_names(x, y);
}

void top_rows_make(struct top_rows *rows, const struct top_state *state, const struct run *now,
		   const struct run *window)
{
	static const enum by by[] = { [TOP_VMS] = BY_VM, [TOP_VCPUS] = BY_VCPU };
	const struct part *in = &state->in[state->level];
	struct order order = { top_sort(state, now->split), state->reverse };

	memset(rows, 0, sizeof(*rows));
	run_copy(&rows->now, now);
	run_copy(&rows->window, window);
	narrow(&rows->now, in);
	narrow(&rows->window, in);
	add_sum(rows, state);
	add_rows(rows, state, state->level == TOP_REASONS ? state->by : by[state->level]);
	qsort_r(rows->list + 1, rows->nr - 1, sizeof(*rows->list), compare_rows, &order);
}

void top_rows_free(struct top_rows *rows)
{
	run_free(&rows->now);
	run_free(&rows->window);
	free(rows->list);
	memset(rows, 0, sizeof(*rows));
}

/* One that is not in sight any more leaves the selection to the first row. */
size_t top_selected(const struct top_state *state, const struct top_rows *rows)
{
	size_t i;

	for (i = 0; i < rows->nr; i++)
		if (part_same(&rows->list[i].part, &state->selected[state->level]))
			return i;
	return rows->nr > 1 ? 1 : 0;
}

void top_select(struct top_state *state, const struct top_rows *rows, size_t index)
{
	state->selected[state->level] = rows->list[index].part;
}

/* A reason has nothing below it but its histogram. */
void top_down(struct top_state *state, const struct top_rows *rows)
{
	const struct part *part = &rows->list[top_selected(state, rows)].part;

	state->selected[state->level] = *part;
	if (state->level == TOP_REASONS) {
		state->histogram = true;
		return;
	}
	/* A vCPU among those of all VMs is one VM's: the way back is the way there. */
	state->level++;
	state->in[state->level] = *part;
	state->selected[state->level] = *part;
	state->filter[state->level][0] = '\0';
	state->first = 0;
}

void top_up(struct top_state *state)
{
	if (state->level == TOP_VMS)
		return;
	state->level--;
	state->first = 0;
}

/* The sum, list[0], does not scroll: 'first' and 'height' are of those below it. */
void top_scroll(struct top_state *state, const struct top_rows *rows)
{
	size_t selected = top_selected(state, rows), below = rows->nr - 1;

	if (!selected)
		state->first = 0;
	else if (selected - 1 < state->first)
		state->first = selected - 1;
	if (selected > state->first + state->height)
		state->first = selected - state->height;
	if (state->first + state->height > below)
		state->first = below > state->height ? below - state->height : 0;
}

static void add_histograms(struct histogram *sum, const struct part *part, const struct vm *vm,
			   const struct vcpu *vcpu, const struct reasons *details)
{
	size_t i;

	for (i = 0; i < details->nr; i++) {
		const struct kind kind = kind_of(vm, vcpu, &details->list[i]);

		if (part_has(part, &kind))
			histogram_add(sum, &details->list[i].histogram);
	}
}

/* A mean of several runs has rows, but no VMs. */
void top_histogram(struct histogram *sum, const struct run *now, const struct part *part)
{
	static const struct vm no_vm;
	static const struct vcpu no_vcpu;
	size_t i, j;

	memset(sum, 0, sizeof(*sum));
	if (!now->nr_vms)
		add_histograms(sum, part, &no_vm, &no_vcpu, &now->details);
	for (i = 0; i < now->nr_vms; i++)
		for (j = 0; j < now->vms[i].nr_vcpus; j++)
			add_histograms(sum, part, &now->vms[i], &now->vms[i].vcpus[j],
				       &now->vms[i].vcpus[j].details);
}

static size_t first_bucket(const struct histogram *h)
{
	size_t i = 0;

	while (i < KVMSTAT_HISTOGRAM_BUCKETS - 1 && !h->buckets[i])
		i++;
	return i;
}

static size_t last_bucket(const struct histogram *h)
{
	size_t i = KVMSTAT_HISTOGRAM_BUCKETS - 1;

	while (i && !h->buckets[i])
		i--;
	return i;
}

size_t top_bars(struct top_bar *bars, size_t max, const struct histogram *h)
{
	size_t first = first_bucket(h), last = last_bucket(h), width = 1, nr, i;

	if (!h->ended || !max)
		return 0;
	while (last / width - first / width + 1 > max)
		width *= 2;
	nr = last / width - first / width + 1;
	memset(bars, 0, nr * sizeof(*bars));
	for (i = first; i <= last; i++)
		bars[i / width - first / width].exits += h->buckets[i];
	for (i = 0; i < nr; i++) {
		size_t low = (first / width + i) * width, high = low + width - 1;

		bars[i].lower = histogram_lower(low);
		bars[i].upper = high < KVMSTAT_HISTOGRAM_BUCKETS ? histogram_upper(high) : UINT64_MAX;
	}
	return nr;
}
