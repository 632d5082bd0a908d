// SPDX-License-Identifier: GPL-2.0-or-later
/* What a reader of a comparison has to know before believing it. */
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "text.h"

#define FEW_RUNS 3

static bool note_commands(const struct comparison *c, char note[NOTE_MAX])
{
	const char *before = c->before->command, *after = c->after->command;

	if (!strcmp(before, after))
		return false;
	if (*before && *after)
		snprintf(note, NOTE_MAX, "the commands differ: \"%s\" before, \"%s\" after", before, after);
	else
		snprintf(note, NOTE_MAX, "the run %s is of a command (\"%s\"), the other is not",
			 *before ? "before" : "after", *before ? before : after);
	return true;
}

static bool note_selections(const struct comparison *c, char note[NOTE_MAX])
{
	const char *before = c->before->selection, *after = c->after->selection;

	if (!strcmp(before, after))
		return false;
	snprintf(note, NOTE_MAX, "the VMs were selected otherwise: %s before, %s after",
		 *before ? before : "all", *after ? after : "all");
	return true;
}

/* How long COMMAND took is a result; other windows are as long as somebody waited. */
static bool note_windows(const struct comparison *c, char note[NOTE_MAX])
{
	double before = c->before->window_ns, after = c->after->window_ns;
	char one[TEXT_CELL], other[TEXT_CELL];

	if (c->before->window == WINDOW_COMMAND || c->after->window == WINDOW_COMMAND)
		return false;
	if (before < 1.1 * after && after < 1.1 * before)
		return false;
	snprintf(note, NOTE_MAX, "the windows differ: %s before, %s after, and so would the exits of the same load",
		 text_ns(one, before), text_ns(other, after));
	return true;
}

static bool note_kernels(const struct comparison *c, char note[NOTE_MAX])
{
	if (!strcmp(c->before->kernel, c->after->kernel))
		return false;
	snprintf(note, NOTE_MAX, "the kernels differ: %s before, %s after", c->before->kernel,
		 c->after->kernel);
	return true;
}

static bool note_isas(const struct comparison *c, char note[NOTE_MAX])
{
	if (c->before->isa == c->after->isa)
		return false;
	snprintf(note, NOTE_MAX, "the CPUs differ: %s before, %s after; their exit reasons have classes in common only",
		 isa_name(c->before->isa), isa_name(c->after->isa));
	return true;
}

static bool note_sources(const struct comparison *c, char note[NOTE_MAX])
{
	if (!strcmp(c->before->source, c->after->source))
		return false;
	snprintf(note, NOTE_MAX, "the sources differ: %s before, %s after", c->before->source,
		 c->after->source);
	return true;
}

/* The kernel's measurement of the TSC is a little different at each boot. */
static bool note_tsc(const struct comparison *c, char note[NOTE_MAX])
{
	double before = c->before->tsc_khz, after = c->after->tsc_khz;

	if (before > 0.99 * after && after > 0.99 * before)
		return false;
	if (!before || !after)
		return false;
	snprintf(note, NOTE_MAX, "the TSCs differ: %.0f MHz before, %.0f MHz after; times compare, cycles do not",
		 before / 1000, after / 1000);
	return true;
}

static bool note_runs(const struct comparison *c, char note[NOTE_MAX])
{
	if (c->runs >= FEW_RUNS)
		return false;
	if (c->runs == 1)
		snprintf(note, NOTE_MAX, "with one run on a side nobody can tell a change from chance: measure both with -r 5");
	else
		snprintf(note, NOTE_MAX, "%u runs on a side are few: only great changes stand out from chance; -r 5 tells more",
			 c->runs);
	return true;
}

bool comparison_note(const struct comparison *c, unsigned int number, char note[NOTE_MAX])
{
	static bool (*const notes[])(const struct comparison *c, char note[NOTE_MAX]) = {
		note_commands, note_selections, note_windows, note_kernels, note_isas, note_sources, note_tsc, note_runs,
	};
	size_t i;

	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		if (notes[i](c, note) && !number--)
			return true;
	return false;
}
