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
	free(history->past[0].list);
	memmove(history->past, history->past + 1, --history->nr * sizeof(*history->past));
}

/* The run does not stay: its class is looked up where it does. */
static void add_vcpu(struct past *past, uint32_t isa, const struct vm *vm, const struct vcpu *vcpu)
{
	size_t i;

	for (i = 0; i < vcpu->details.nr; i++) {
		const struct reason *row = &vcpu->details.list[i];
		struct past_count count = { kind_of(vm, vcpu, row), row->exits };

		count.kind.class = detail_class(isa, row->code, row->detail);
		past->list = xgrow(past->list, past->nr, sizeof(*past->list));
		past->list[past->nr++] = count;
	}
}

void history_add(struct top_history *history, const struct run *window)
{
	struct past *past;
	size_t i, j;

	if (history->nr == TREND_MAX)
		forget_oldest(history);
	past = &history->past[history->nr++];
	*past = (struct past){ .seconds = window->window_ns / 1e9 };
	for (i = 0; i < window->nr_vms; i++)
		for (j = 0; j < window->vms[i].nr_vcpus; j++)
			add_vcpu(past, window->isa, &window->vms[i], &window->vms[i].vcpus[j]);
}

void history_clear(struct top_history *history)
{
	while (history->nr)
		forget_oldest(history);
}

static double rate_of(const struct past *past, const struct part *part)
{
	uint64_t exits = 0;
	size_t i;

	for (i = 0; i < past->nr; i++)
		if (part_has(part, &past->list[i].kind))
			exits += past->list[i].exits;
	return past->seconds > 0 ? exits / past->seconds : 0;
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
