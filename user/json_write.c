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

static void set_cycles(json_t *object, const struct cycles *cycles, bool split)
{
	set_integer(object, "cycles", cycles_sum(cycles));
	if (!split)
		return;
	set_integer(object, "kernel_cycles", cycles->kernel);
	set_integer(object, "user_cycles", cycles->user);
	set_integer(object, "offcpu_cycles", cycles->offcpu);
}

static json_t *spread(struct spread s)
{
	json_t *object = json_object();

	set(object, "mean", number(s.mean));
	set(object, "sd", number(s.sd));
	return object;
}

static json_t *spreads(struct spread exits, struct spread cycles, struct spread kernel, bool split)
{
	json_t *object = json_object();

	set(object, "exits", spread(exits));
	set(object, "cycles", spread(cycles));
	if (split)
		set(object, "kernel_cycles", spread(kernel));
	return object;
}

/* Those that are not empty, each with its lower bound. */
static json_t *buckets(const struct histogram *h)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < KVMSTAT_HISTOGRAM_BUCKETS; i++) {
		json_t *pair;

		if (!h->buckets[i])
			continue;
		pair = json_array();
		json_array_append_new(pair, json_integer((json_int_t)histogram_lower(i)));
		json_array_append_new(pair, json_integer((json_int_t)h->buckets[i]));
		json_array_append_new(array, pair);
	}
	return array;
}

/* The sum is told where it is not the row's: that of several runs is. */
static void set_histogram(json_t *object, const struct reason *r)
{
	const struct histogram *h = &r->histogram;

	set_integer(object, "ended", h->ended);
	if (h->ended && h->sum != r->cycles.kernel)
		set_integer(object, "ended_cycles", h->sum);
	if (h->ended)
		set_integer(object, "min", h->min);
	set_integer(object, "mean", llround(reason_mean(r)));
	if (!h->ended)
		return;
	set(object, "sd", number(histogram_sd(h)));
	set_integer(object, "p50", histogram_percentile(h, 0.5));
	set_integer(object, "p90", histogram_percentile(h, 0.9));
	set_integer(object, "p99", histogram_percentile(h, 0.99));
	set_integer(object, "max", h->max);
	if (h->bounds)
		set(object, "bounds", json_true());
	set(object, "histogram", buckets(h));
}

/* What reasons, details and classes have in common. */
static void set_counts(json_t *object, const struct reason *r, const struct run *run)
{
	set_integer(object, "exits", r->exits);
	set_cycles(object, &r->cycles, run->split);
	if (run->split)
		set_histogram(object, r);
	else
		set_integer(object, "mean", llround(reason_mean(r)));
	if (run->runs > 1)
		set(object, "per_run", spreads(r->exits_spread, r->cycles_spread,
					       r->kernel_spread, run->split));
}

static void set_detail(json_t *object, uint32_t detail)
{
	char name[DETAIL_NAME_MAX];

	set_string(object, "detail", detail_name(detail, name));
}

static json_t *details_of(const struct reason *r, const struct reasons *details,
			  const struct run *run)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < details->nr; i++) {
		const struct reason *detail = &details->list[i];
		json_t *object;

		if (detail->code != r->code || detail->level != r->level)
			continue;
		object = json_object();
		set_detail(object, detail->detail);
		set_string(object, "class", detail->class);
		set_counts(object, detail, run);
		json_array_append_new(array, object);
	}
	return array;
}

static bool has_details(const struct reason *r, const struct reasons *details)
{
	size_t i;

	for (i = 0; i < details->nr; i++)
		if (details->list[i].detail && details->list[i].code == r->code &&
		    details->list[i].level == r->level)
			return true;
	return false;
}

static void set_name(json_t *object, const char *name, const char *class, uint32_t level)
{
	set_string(object, "name", name);
	set_string(object, "class", class);
	if (level > 1)
		set_integer(object, "level", level);
}

static json_t *reason(const struct reason *r, const struct reasons *details, const struct run *run)
{
	json_t *object = json_object();

	set_integer(object, "code", r->code);
	set_name(object, r->name, r->class, r->level);
	set_counts(object, r, run);
	if (has_details(r, details))
		set(object, "details", details_of(r, details, run));
	return object;
}

static bool by_reason_alone(const struct view *view)
{
	return view->by == BY_REASON && view->per == PER_ALL;
}

/* In the order that the view asks for. */
static json_t *run_reasons(const struct run *run, const struct view *view)
{
	struct view by_reason = *view;
	json_t *array = json_array();
	struct groups groups;
	size_t i;

	by_reason.by = BY_REASON;
	by_reason.per = PER_ALL;
	if (!by_reason_alone(view))
		by_reason.top = 0;
	groups_make(&groups, run, &by_reason);
	for (i = 0; i < groups.nr; i++)
		json_array_append_new(array, reason(groups.list[i].reason, &run->details, run));
	groups_free(&groups);
	return array;
}

/* What VMs, vCPUs and all of a run have in common. */
static void set_totals(json_t *object, const struct totals *t, bool split)
{
	set_integer(object, "exits", t->exits);
	set_cycles(object, &t->cycles, split);
	set_integer(object, "guest_cycles", t->guest_cycles);
	if (split)
		set_integer(object, "wall_cycles", t->wall_cycles);
}

static json_t *vcpu(const struct vcpu *v, const struct run *run)
{
	json_t *object = json_object(), *array = json_array();
	struct reasons reasons = { 0 };
	size_t i;

	set_integer(object, "id", v->id);
	set_totals(object, &v->totals, run->split);
	set_integer(object, "untraced", v->totals.untraced);
	reasons_add_up(&reasons, run->isa, &v->details);
	for (i = 0; i < reasons.nr; i++)
		json_array_append_new(array, reason(&reasons.list[i], &v->details, run));
	reasons_clear(&reasons);
	set(object, "reasons", array);
	return object;
}

static json_t *vm(const struct vm *v, const struct run *run)
{
	json_t *object = json_object(), *vcpus = json_array();
	size_t i;

	set_integer(object, "id", v->id);
	set_integer(object, "pid", v->pid);
	set_string(object, "comm", v->comm);
	if (v->name[0])
		set_string(object, "name", v->name);
	set(object, "alive", json_boolean(v->alive));
	if (v->retired)
		set(object, "retired", json_true());
	for (i = 0; i < v->nr_vcpus; i++)
		json_array_append_new(vcpus, vcpu(&v->vcpus[i], run));
	set(object, "vcpus", vcpus);
	return object;
}

static json_t *totals(const struct run *run)
{
	json_t *object = json_object();

	set_totals(object, &run->totals, run->split);
	set_integer(object, "untraced", run->totals.untraced);
	set_integer(object, "lost", run->totals.lost);
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

static void set_machine(json_t *object, const struct group *group)
{
	set_integer(object, "vm", group->vm->id);
	if (group->vcpu)
		set_integer(object, "vcpu", group->vcpu->id);
}

static void set_machine_counts(json_t *object, const struct group *group, const struct run *run)
{
	const struct totals *t = group->totals;

	set_totals(object, t, run->split);
	set_integer(object, "mean", t->exits ? llround((double)t->cycles.kernel / t->exits) : 0);
}

static void set_reason_counts(json_t *object, const struct reason *reason, const struct run *run,
			      enum by by)
{
	if (by == BY_REASON)
		set_integer(object, "code", reason->code);
	if (by == BY_CLASS)
		set_string(object, "class", reason->class);
	else
		set_name(object, reason->name, reason->class, reason->level);
	if (by == BY_DETAIL)
		set_detail(object, reason->detail);
	set_counts(object, reason, run);
}

/* Rows by anything but reason alone; the reasons are there in any case. */
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
			set_machine(object, group);
		if (group->reason)
			set_reason_counts(object, group->reason, run, view->by);
		else
			set_machine_counts(object, group, run);
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
	if (run->tsc)
		set_integer(object, "end_tsc", run->tsc);
	if (run->command[0])
		set_string(object, "command", run->command);
	if (run->selection[0])
		set_string(object, "selection", run->selection);
	set_integer(object, "runs", run->runs);
	set(object, "totals", totals(run));
	set(object, "reasons", run_reasons(run, view));
	if (!by_reason_alone(view)) {
		set_string(object, "by", view_name(view));
		set(object, "groups", groups(run, view));
	}
	for (i = 0; i < run->nr_vms; i++)
		json_array_append_new(vms, vm(&run->vms[i], run));
	set(object, "vms", vms);
	return object;
}

static json_t *ratio(struct spread before, struct spread after, double scale)
{
	return number(before.mean > 0 ? scale * after.mean / before.mean : NAN);
}

static json_t *side(const struct side *side, bool kernel)
{
	return spreads(side->exits, side->cycles, side->kernel, kernel);
}

static json_t *change(const struct change *c)
{
	json_t *object = json_object();

	set(object, "mean", number(c->mean));
	set(object, "ci95", isnan(c->half) ? json_null() :
	    json_pack("[f,f]", c->mean - c->half, c->mean + c->half));
	return object;
}

static json_t *changes(const struct row *r, bool kernel)
{
	json_t *object = json_object();

	set(object, "exits", change(&r->exits));
	set(object, "cycles", change(&r->cycles));
	if (kernel)
		set(object, "kernel_cycles", change(&r->kernel));
	return object;
}

static json_t *row(const struct row *r, const struct comparison *c)
{
	double scale = comparison_tsc_scale(c);
	bool kernel = comparison_has_kernel(c);
	json_t *object = json_object();

	set_name(object, r->name, r->class, r->level);
	if (c->by == BY_DETAIL)
		set_detail(object, r->detail);
	set(object, "before", side(&r->before, kernel));
	set(object, "after", side(&r->after, kernel));
	set(object, "ratio", ratio(r->before.exits, r->after.exits, 1));
	set(object, "cycles_ratio", ratio(r->before.cycles, r->after.cycles, scale));
	set(object, "change", changes(r, kernel));
	set(object, "significant", json_boolean(r->exits.significant));
	set(object, "cycles_significant", json_boolean(r->cycles.significant));
	if (kernel) {
		set(object, "kernel_ratio", ratio(r->before.kernel, r->after.kernel, scale));
		set(object, "kernel_significant", json_boolean(r->kernel.significant));
	}
	return object;
}

static json_t *rows(const struct comparison *c)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < c->nr_rows; i++)
		json_array_append_new(array, row(&c->rows[i], c));
	return array;
}

static json_t *notes(const struct comparison *c)
{
	json_t *array = json_array();
	char note[NOTE_MAX];
	unsigned int i;

	for (i = 0; comparison_note(c, i, note); i++)
		json_array_append_new(array, json_string(note));
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
	set(object, "notes", notes(c));
	set_string(object, "by", by_name(c->by));
	set(object, "before", json_from_run(c->before, &whole));
	set(object, "after", json_from_run(c->after, &whole));
	set(object, c->by == BY_CLASS ? "classes" : c->by == BY_DETAIL ? "details" : "reasons",
	    rows(c));
	if (c->by != BY_REASON)
		set_reasons_too(object, c, view);
	return object;
}
