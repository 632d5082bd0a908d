// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs and comparisons as JSON. What a source cannot give is left out. */
#include <math.h>

#include "json.h"

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void set_integer(json_t *object, const char *key, uint64_t value)
{
	set(object, key, json_integer((json_int_t)value));
}

static void set_string(json_t *object, const char *key, const char *value)
{
	set(object, key, json_string(value));
}

/* null for a number that there is none of. */
static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static uint64_t mean(uint64_t cycles, uint64_t exits)
{
	return exits ? (cycles + exits / 2) / exits : 0;
}

static void set_counts(json_t *object, uint64_t exits, uint64_t cycles)
{
	set_integer(object, "exits", exits);
	set_integer(object, "cycles", cycles);
}

static json_t *spread(struct spread s)
{
	json_t *object = json_object();

	set(object, "mean", number(s.mean));
	set(object, "sd", number(s.sd));
	return object;
}

static json_t *spreads(struct spread exits, struct spread cycles)
{
	json_t *object = json_object();

	set(object, "exits", spread(exits));
	set(object, "cycles", spread(cycles));
	return object;
}

static json_t *reason(const struct reason *r, unsigned int runs)
{
	json_t *object = json_object();

	set_integer(object, "code", r->code);
	set_string(object, "name", r->name);
	set_string(object, "class", r->class);
	set_counts(object, r->exits, r->cycles);
	set_integer(object, "mean", mean(r->cycles, r->exits));
	if (runs > 1)
		set(object, "per_run", spreads(r->exits_spread, r->cycles_spread));
	return object;
}

/* In the order that the view asks for. */
static json_t *run_reasons(const struct run *run, const struct view *view)
{
	struct view by_reason = *view;
	json_t *array = json_array();
	struct groups groups;
	size_t i;

	by_reason.by = BY_REASON;
	if (view->by != BY_REASON)
		by_reason.top = 0;
	groups_make(&groups, run, &by_reason);
	for (i = 0; i < groups.nr; i++)
		json_array_append_new(array, reason(groups.list[i].reason, run->runs));
	groups_free(&groups);
	return array;
}

static json_t *vcpu(const struct vcpu *v)
{
	json_t *object = json_object(), *reasons = json_array();
	size_t i;

	set_integer(object, "id", v->id);
	set_counts(object, v->totals.exits, v->totals.cycles);
	set_integer(object, "guest_cycles", v->totals.guest_cycles);
	set_integer(object, "untraced", v->totals.untraced);
	for (i = 0; i < v->reasons.nr; i++)
		json_array_append_new(reasons, reason(&v->reasons.list[i], 1));
	set(object, "reasons", reasons);
	return object;
}

static json_t *vm(const struct vm *v)
{
	json_t *object = json_object(), *vcpus = json_array();
	size_t i;

	set_integer(object, "id", v->id);
	set_integer(object, "pid", v->pid);
	set_string(object, "comm", v->comm);
	set(object, "alive", json_boolean(v->alive));
	if (v->retired)
		set(object, "retired", json_true());
	for (i = 0; i < v->nr_vcpus; i++)
		json_array_append_new(vcpus, vcpu(&v->vcpus[i]));
	set(object, "vcpus", vcpus);
	return object;
}

static json_t *totals(const struct totals *t)
{
	json_t *object = json_object();

	set_counts(object, t->exits, t->cycles);
	set_integer(object, "guest_cycles", t->guest_cycles);
	set_integer(object, "untraced", t->untraced);
	set_integer(object, "lost", t->lost);
	return object;
}

static const char *window_name(enum window window)
{
	static const char * const names[] = {
		[WINDOW_SINCE_RESET] = "since-reset",
		[WINDOW_INTERVAL] = "interval",
		[WINDOW_COMMAND] = "command",
	};

	return names[window];
}

/* Rows by anything but reason; the reasons are there in any case. */
static json_t *groups(const struct run *run, const struct view *view)
{
	json_t *array = json_array();
	struct groups g;
	size_t i;

	groups_make(&g, run, view);
	for (i = 0; i < g.nr; i++) {
		const struct group *group = &g.list[i];
		json_t *object = json_object();

		if (group->vm)
			set_integer(object, "vm", group->vm->id);
		if (group->vcpu)
			set_integer(object, "vcpu", group->vcpu->id);
		if (group->reason)
			set_string(object, "class", group->name);
		set_counts(object, group->exits, group->cycles);
		set_integer(object, "mean", mean(group->cycles, group->exits));
		if (group->reason && run->runs > 1)
			set(object, "per_run", spreads(group->reason->exits_spread,
						       group->reason->cycles_spread));
		json_array_append_new(array, object);
	}
	groups_free(&g);
	return array;
}

json_t *json_from_run(const struct run *run, const struct view *view)
{
	json_t *object = json_object(), *vms = json_array();
	size_t i;

	set_string(object, "schema", RUN_SCHEMA);
	set_string(object, "source", run->source);
	set_string(object, "isa", isa_name(run->isa));
	set_string(object, "paging", run->paging);
	set_string(object, "kernel", run->kernel);
	set_integer(object, "tsc_khz", run->tsc_khz);
	set_string(object, "window", window_name(run->window));
	set_integer(object, "window_ns", run->window_ns);
	if (run->command[0])
		set_string(object, "command", run->command);
	set_integer(object, "runs", run->runs);
	set(object, "totals", totals(&run->totals));
	set(object, "reasons", run_reasons(run, view));
	if (view->by != BY_REASON) {
		set_string(object, "by", by_name(view->by));
		set(object, "groups", groups(run, view));
	}
	for (i = 0; i < run->nr_vms; i++)
		json_array_append_new(vms, vm(&run->vms[i]));
	set(object, "vms", vms);
	return object;
}

static json_t *ratio(struct spread before, struct spread after)
{
	return number(before.mean > 0 ? after.mean / before.mean : NAN);
}

static json_t *row(const struct row *r)
{
	json_t *object = json_object();

	set_string(object, "name", r->name);
	set_string(object, "class", r->class);
	set(object, "before", spreads(r->before.exits, r->before.cycles));
	set(object, "after", spreads(r->after.exits, r->after.cycles));
	set(object, "ratio", ratio(r->before.exits, r->after.exits));
	set(object, "cycles_ratio", ratio(r->before.cycles, r->after.cycles));
	set(object, "significant", json_boolean(r->significant));
	set(object, "cycles_significant", json_boolean(r->cycles_significant));
	return object;
}

static json_t *rows(const struct comparison *c)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < c->nr_rows; i++)
		json_array_append_new(array, row(&c->rows[i]));
	return array;
}

/* By reason in any case, where the two have reasons in common. */
static void set_reasons_too(json_t *object, const struct comparison *c, const struct view *view)
{
	struct view by_reason = *view;
	struct comparison reasons;

	by_reason.by = BY_REASON;
	by_reason.top = 0;
	compare(&reasons, c->before, c->after, &by_reason);
	if (reasons.by == BY_REASON)
		set(object, "reasons", rows(&reasons));
	comparison_free(&reasons);
}

json_t *json_from_comparison(const struct comparison *c, const struct view *view)
{
	const struct view whole = { .sort = view->sort };
	json_t *object = json_object();

	set_string(object, "schema", COMPARISON_SCHEMA);
	set_integer(object, "runs", c->runs);
	set_string(object, "unit", "mean per run");
	set(object, "mode_verified", json_boolean(c->mode_verified));
	set_string(object, "by", by_name(c->by));
	set(object, "before", json_from_run(c->before, &whole));
	set(object, "after", json_from_run(c->after, &whole));
	set(object, c->by == BY_CLASS ? "classes" : "reasons", rows(c));
	if (c->by == BY_CLASS)
		set_reasons_too(object, c, view);
	return object;
}
