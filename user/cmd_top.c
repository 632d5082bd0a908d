// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvmstat-report top: a live screen. The device is open no longer than it takes to
 * read it, so the module may be unloaded meanwhile; what there was stays in sight
 * until it is back. A BPF collector of our own counts as long as the screen is there.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "child.h"
#include "commands.h"
#include "device.h"
#include "message.h"
#include "source.h"
#include "top_draw.h"
#include "top_history.h"
#include "top_keys.h"
#include "top_model.h"
#include "top_terminal.h"
#include "window.h"

#define INTERVAL 1.0	/* seconds, where none is given */
#define NOTE_TIME 3	/* seconds that a note stays at least, to be read */

struct top {
	const struct options *options;
	struct view view;
	const char *name;	/* of the source; NULL: whoever counts */
	struct source source;	/* open all the time where it is ours */
	struct top_state state;
	bool live;
	struct run last;	/* as it was read */
	struct run now;		/* the same, as selected */
	struct run window;	/* since the one before; or all, too */
	struct top_history history;
	double next;		/* when to read again */
};

/* The last message: on the screen, while that is there. */
static char note[200];
static double note_since;
static bool on_screen;

static double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void take_note(const char *line)
{
	snprintf(note, sizeof(note), "%s", line);
	note_since = seconds_now();
}

/* From exit() anywhere, too: then the last message is why. */
static void leave_screen(void)
{
	terminal_leave();
	messages_to(NULL);
	if (on_screen)
		fprintf(stderr, "%s\n", note);
	on_screen = false;
}

static int read_run(struct top *top, struct run *run)
{
	int ret;

	if (!top->source.ours &&
	    source_open(&top->source, top->name, READING_WINDOW) < 0)
		return -1;
	top->live = top->source.type->live;
	ret = source_read(&top->source, run);
	if (!top->source.ours)
		source_close(&top->source);
	return ret;
}

/* Takes 'run', which is the first, or the first of a new count: there is no window yet. */
static void begin(struct top *top, struct run *run)
{
	top->last = *run;
	run_copy(&top->now, run);
	select_apply(&top->now, &top->view);
	run_copy(&top->window, &top->now);
	history_clear(&top->history);
}

static void forget(struct top *top)
{
	run_free(&top->last);
	run_free(&top->now);
	run_free(&top->window);
}

/* Takes 'run', a later one. -1 where it does not fit. */
static int go_on(struct top *top, struct run *run)
{
	struct run window;

	run_copy(&window, run);
	if (window_since(&window, &top->last) < 0) {
		run_free(&window);
		return -1;
	}
	forget(top);
	top->last = *run;
	run_copy(&top->now, run);
	select_apply(&top->now, &top->view);
	top->window = window;
	select_apply(&top->window, &top->view);
	history_add(&top->history, &top->window);
	return 0;
}

/* Other counts than those before: there is no window between the two. */
static bool is_new_count(const struct top *top, const struct run *run)
{
	if (run->instance != top->last.instance)
		warning("%s: this is what it counted since", strcmp(run->source, "bpf") ?
			"the module was loaded anew" : "the collector was started anew");
	else if (run->generation != top->last.generation)
		warning("the counters were reset: this is what was counted since");
	else
		return false;
	return true;
}

/* Of a process that is gone nobody can be asked any more. */
static void keep_names(struct run *run, const struct run *before)
{
	size_t i, j = 0;

	for (i = 0; i < run->nr_vms; i++) {
		struct vm *vm = &run->vms[i];

		while (j < before->nr_vms && before->vms[j].id < vm->id)
			j++;
		if (j < before->nr_vms && before->vms[j].id == vm->id && !vm->name[0])
			memcpy(vm->name, before->vms[j].name, sizeof(vm->name));
	}
}

/* What cannot be read now leaves a note, and all else as it was. */
static void read_again(struct top *top)
{
	struct run run;

	if (seconds_now() - note_since > NOTE_TIME)
		note[0] = '\0';
	if (read_run(top, &run) == 0) {
		if (run.instance == top->last.instance)
			keep_names(&run, &top->last);
		else
			top_state_forget(&top->state);
		if (is_new_count(top, &run) || go_on(top, &run) < 0) {
			forget(top);
			begin(top, &run);
		}
	}
}

/* Milliseconds until the next reading; -1: there is none. */
static int time_left(struct top *top)
{
	double left = top->next - seconds_now();

	if (!top->live || top->state.paused)
		return -1;
	return left > 0 ? ceil(left * 1000) : 0;
}

/* After a stop (Ctrl-Z, a pause) what was missed is not made up for. */
static void schedule(struct top *top)
{
	double interval = top->options->interval ?: INTERVAL, now = seconds_now();

	top->next += interval;
	if (top->next < now)
		top->next = now + interval;
}

static void draw(struct top *top, struct top_rows *rows)
{
	const struct top_screen screen = {
		.now = &top->now, .window = &top->window, .history = &top->history,
		.rows = rows, .live = top->live, .note = note,
	};

	top_draw(&top->state, &screen);
}

/* One screen, until there is another. False: it was the last one. */
static bool show_screen(struct top *top)
{
	struct top_rows rows;
	bool more = true;
	int key;

	top_rows_make(&rows, &top->state, &top->now, &top->window);
	draw(top, &rows);
	switch (terminal_wait(time_left(top), &key)) {
	case TERMINAL_KEY:
		more = top_key(&top->state, &rows, key);
		break;
	case TERMINAL_GONE:
		more = false;
		break;
	case TERMINAL_TIMEOUT:
		break;
	}
	top_rows_free(&rows);
	return more && !child_signal();
}

static void run_screen(struct top *top)
{
	while (show_screen(top)) {
		if (time_left(top) != 0)
			continue;
		read_again(top);
		schedule(top);
	}
}

static int check_selection(struct top *top, const struct run *run)
{
	if (run->runs > 1 && by_machines(top->view.by)) {
		error("%s: is the mean of %u runs, which had VMs of their own: use --by reason, class or detail",
		      top->options->source, run->runs);
		return -1;
	}
	return select_check(run, &top->view);
}

int cmd_top(const struct options *options)
{
	struct top top = { .options = options, .view = options->view, .name = options->source };
	struct run first;

	device_alternative = SOURCE_BPF " or --source FILE";
	if (terminal_check() < 0 || read_run(&top, &first) < 0)
		return EXIT_FAILED;
	if (check_selection(&top, &first) < 0) {
		run_free(&first);
		return EXIT_FAILED;
	}
	/* Who counts stays the same, even where the module is away for a while. */
	if (!top.name)
		top.name = strcmp(first.source, "bpf") ? "module" : "bpf";
	top_state_init(&top.state, &top.view, options->column, &first);
	/* From now on a file is no way out. */
	device_alternative = "";
	begin(&top, &first);
	top.next = seconds_now();
	schedule(&top);
	child_catch_signals();
	if (terminal_enter() < 0)
		return EXIT_FAILED;
	on_screen = true;
	messages_to(take_note);
	atexit(leave_screen);
	run_screen(&top);
	on_screen = false;
	leave_screen();
	forget(&top);
	history_clear(&top.history);
	if (top.source.ours)
		source_close(&top.source);
	return EXIT_DONE;
}
