// SPDX-License-Identifier: GPL-2.0-or-later
/* How many exits there were in each of the last windows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "top_history.h"

/* No histogram: so many windows of a big host would not fit otherwise. */
struct past_count {
	struct kind kind;
	uint64_t exits;
};

static void forget_oldest(struct top_history *history)
{
	struct past *oldest = &history->past[0];

	free(oldest->of_vms.list);
	free(oldest->sum.list);
	memmove(oldest, oldest + 1, --history->nr * sizeof(*oldest));
}

/* The run does not stay: its class is looked up where it does. */
static void add_counts(struct past_counts *counts, uint32_t isa, const struct vm *vm,
		       const struct vcpu *vcpu, const struct reasons *details)
{
	size_t i;

	for (i = 0; i < details->nr; i++) {
		const struct reason *row = &details->list[i];
		struct past_count count = { kind_of(vm, vcpu, row), row->exits };

		count.kind.class = detail_class(isa, row->code, row->detail);
		counts->list = xgrow(counts->list, counts->nr, sizeof(*counts->list));
		counts->list[counts->nr++] = count;
	}
}

void history_add(struct top_history *history, const struct run *window)
{
	static const struct vm no_vm;
	static const struct vcpu no_vcpu;
	struct past *past;
	size_t i, j;

	if (history->nr == TREND_MAX)
		forget_oldest(history);
	past = &history->past[history->nr++];
	*past = (struct past){ .seconds = window->window_ns / 1e9 };
	add_counts(&past->sum, window->isa, &no_vm, &no_vcpu, &window->details);
	for (i = 0; i < window->nr_vms; i++) {
		const struct vm *vm = &window->vms[i];

		for (j = 0; j < vm->nr_vcpus; j++)
			add_counts(&past->of_vms, window->isa, vm, &vm->vcpus[j],
				   &vm->vcpus[j].details);
	}
}

void history_clear(struct top_history *history)
{
	while (history->nr)
		forget_oldest(history);
}

/* Where those of this VM begin. */
static size_t find_vm(const struct past_counts *counts, uint64_t vm)
{
	size_t low = 0, high = counts->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (counts->list[middle].kind.vm < vm)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t exits_of(const struct past *past, const struct part *part)
{
	const struct past_counts *counts = part->one_vm ? &past->of_vms : &past->sum;
	size_t i = part->one_vm ? find_vm(counts, part->vm) : 0;
	uint64_t exits = 0;

	for (; i < counts->nr; i++) {
		const struct past_count *count = &counts->list[i];

		if (part->one_vm && count->kind.vm != part->vm)
			break;
		if (part_has(part, &count->kind))
			exits += count->exits;
	}
	return exits;
}

static double rate_of(const struct past *past, const struct part *part)
{
	return past->seconds > 0 ? exits_of(past, part) / past->seconds : 0;
}

size_t history_trend(const struct top_history *history, const struct part *part, double *rates,
		     size_t max)
{
	size_t nr = history->nr < max ? history->nr : max, i;

	for (i = 0; i < nr; i++)
		rates[i] = rate_of(&history->past[history->nr - nr + i], part);
	return nr;
}

unsigned int trend_height(double rate, double most, unsigned int steps)
{
	return rate > 0 && most > 0 ? ceil(rate / most * steps) : 0;
}
