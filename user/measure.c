// SPDX-License-Identifier: GPL-2.0-or-later
/* What was counted while COMMAND ran. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "memory.h"
#include "message.h"
#include "window.h"

struct own {
	const struct run *before;
	const struct descendants *descendants;
	bool module;		/* that is what counts */
};

/* A pid may have been somebody else's before the window. */
static bool is_own(const struct vm *vm, const void *arg)
{
	const struct own *own = arg;

	if (vm->retired)
		warning("--own: left out %" PRIu64 " exits of VMs that are no longer kept one by one%s",
			vm->totals.exits,
			own->module ? ": insmod kvmstat.ko history=N keeps more" : "");
	return !vm->retired && !run_find_vm(own->before, vm->id) &&
	       descendants_have(own->descendants, (pid_t)vm->pid);
}

static void select_own(struct run *window, const struct run *before, struct descendants *d)
{
	const struct own own = {
		.before = before, .descendants = d, .module = !strcmp(before->source, "module"),
	};

	descendants_catch_up(d);
	select_vms(window, is_own, &own);
	snprintf(window->selection, sizeof(window->selection), "--own");
}

/* From here on COMMAND has run: only its numbers can still be missing. */
static int close_window(struct measurement *m, const struct run *before, struct run *window)
{
	struct view view = m->options->view;
	int ret;

	if (source_read(m->source, window) < 0)
		return -1;
	/* Idle ones are in no window: whether a VM is known shows before. */
	ret = select_check(window, &view);
	if (ret == 0)
		ret = window_since(window, before);
	if (ret < 0) {
		run_free(window);
		return -1;
	}
	if (m->own)
		select_own(window, before, m->own);
	window->window = WINDOW_COMMAND;
	child_describe(window->command, sizeof(window->command), m->options->operands);
	select_apply(window, &view);
	return 0;
}

int measure_once(struct measurement *m, struct run *window, int *status)
{
	struct run before;
	int ret;

	if (source_read(m->source, &before) < 0)
		return -1;
	ret = child_run(m->options->operands, &m->child, status);
	if (ret == 0)
		ret = close_window(m, &before, window);
	run_free(&before);
	return ret;
}

void measurement_keep(struct measurement *m, const struct run *window)
{
	m->done = xgrow(m->done, m->nr_done, sizeof(*window));
	m->done[m->nr_done++] = *window;
}

void measurement_free(struct measurement *m)
{
	size_t i;

	for (i = 0; i < m->nr_done; i++)
		run_free(&m->done[i]);
	free(m->done);
	m->done = NULL;
	m->nr_done = 0;
}
