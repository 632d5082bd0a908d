// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Results as metrics, for Prometheus and its like: as OpenMetrics 1.0 has them, and
 * in Prometheus's older text format, which is all that node_exporter's textfile
 * collector and promtool read. They differ in units, in the line at the end, and
 * in counters: to OpenMetrics the family of kvmstat_exits_total is kvmstat_exits,
 * which the older format takes for another one, without a sample; and no family
 * may be there under both names. As OpenMetrics has to be what promtool takes, too,
 * counters have no type there, and info metrics are gauges in both.
 *
 * Times are in seconds, the base unit of both; where the TSC's frequency is not
 * known, there are none. Series cost memory wherever they are scraped, so there
 * are as many as asked for: one for each reason (some 20 on a busy host), class or
 * detail; with --by vm one for each VM and reason, with --by vcpu one for each
 * vCPU and reason. Histograms, which have 20 series each, are of the host alone.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "memory.h"
#include "version.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* What is counted of one reason, class or detail, of a VM or vCPU or of all. */
struct series {
	const struct vm *vm;
	const struct vcpu *vcpu;
	const struct reason *reason;
};

struct exposition {
	FILE *out;
	bool classic;
	const struct run *run;
	enum by by;
	struct groups groups;
	struct reasons *sums;		/* of a VM or vCPU, for each group */
	struct series *series;
	size_t nr_series;
};

static void add_series(struct exposition *e, const struct group *group,
		       const struct reason *reason)
{
	e->series = xgrow(e->series, e->nr_series, sizeof(*e->series));
	e->series[e->nr_series++] = (struct series){ group->vm, group->vcpu, reason };
}

/*
 * VMs that are kept no longer one by one are left out: a VM that is forgotten is
 * added to their sum, which would look like as many exits at once.
 */
static void drop_retired(struct groups *groups)
{
	size_t i, kept = 0;

	for (i = 0; i < groups->nr; i++)
		if (!groups->list[i].vm || !groups->list[i].vm->retired)
			groups->list[kept++] = groups->list[i];
	groups->nr = kept;
}

static void sum_reasons(struct reasons *sums, uint32_t isa, const struct group *group)
{
	size_t i;

	for (i = 0; i < group->vm->nr_vcpus; i++)
		if (!group->vcpu || group->vcpu == &group->vm->vcpus[i])
			reasons_add_up(sums, isa, &group->vm->vcpus[i].details);
}

static void make_series(struct exposition *e)
{
	size_t i, j;

	e->sums = xcalloc(e->groups.nr, sizeof(*e->sums));
	for (i = 0; i < e->groups.nr; i++) {
		const struct group *group = &e->groups.list[i];

		if (group->reason) {
			add_series(e, group, group->reason);
			continue;
		}
		sum_reasons(&e->sums[i], e->run->isa, group);
		for (j = 0; j < e->sums[i].nr; j++)
			add_series(e, group, &e->sums[i].list[j]);
	}
}

static void free_series(struct exposition *e)
{
	size_t i;

	for (i = 0; i < e->groups.nr; i++)
		reasons_clear(&e->sums[i]);
	free(e->sums);
	free(e->series);
}

/* HELP, TYPE and UNIT: which name a unit has to end in. */
static void family(const struct exposition *e, const char *name, const char *type,
		   const char *unit, const char *help)
{
	bool untyped = !e->classic && !strcmp(type, "counter");

	fprintf(e->out, "# HELP %s %s\n", name, help);
	if (!untyped)
		fprintf(e->out, "# TYPE %s %s\n", name, type);
	if (unit && !e->classic && !untyped)
		fprintf(e->out, "# UNIT %s %s\n", name, unit);
}

/* Labels follow each other: "{" before the first, "," before the others. */
static void label(const struct exposition *e, const char **before, const char *name,
		  const char *value)
{
	fprintf(e->out, "%s%s=\"", *before, name);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", e->out);
			continue;
		}
		if (*value == '\\' || *value == '"')
			fputc('\\', e->out);
		fputc(*value, e->out);
	}
	fputc('"', e->out);
	*before = ",";
}

static void number_label(const struct exposition *e, const char **before, const char *name,
			 uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	label(e, before, name, text);
}

static void machine_labels(const struct exposition *e, const char **before, const struct vm *vm,
			   const struct vcpu *vcpu)
{
	if (!vm)
		return;
	number_label(e, before, "vm", vm->id);
	number_label(e, before, "pid", vm->pid);
	label(e, before, "comm", vm->comm);
	if (vm->name[0])
		label(e, before, "name", vm->name);
	if (vcpu)
		number_label(e, before, "vcpu", vcpu->id);
}

static void series_labels(const struct exposition *e, const char **before, const struct series *s)
{
	char detail[DETAIL_NAME_MAX];

	label(e, before, "isa", isa_name(e->run->isa));
	machine_labels(e, before, s->vm, s->vcpu);
	if (e->by != BY_CLASS) {
		label(e, before, "reason", s->reason->name);
		number_label(e, before, "level", s->reason->level);
	}
	if (e->by == BY_DETAIL)
		label(e, before, "detail", detail_name(s->reason->detail, detail));
	label(e, before, "class", s->reason->class);
}

static void end_labels(const struct exposition *e, const char *before)
{
	fputs(*before == ',' ? "} " : " ", e->out);
}

static double seconds(const struct exposition *e, double cycles)
{
	return cycles / (1e3 * e->run->tsc_khz);
}

/* Of counts and of cycles, which are told in seconds. */
static void value(const struct exposition *e, uint64_t n, const char *unit)
{
	if (unit)
		fprintf(e->out, "%.15g\n", seconds(e, n));
	else
		fprintf(e->out, "%" PRIu64 "\n", n);
}

static uint64_t exits(const struct reason *r)
{
	return r->exits;
}

static uint64_t kernel(const struct reason *r)
{
	return r->cycles.kernel;
}

static uint64_t user(const struct reason *r)
{
	return r->cycles.user;
}

static uint64_t offcpu(const struct reason *r)
{
	return r->cycles.offcpu;
}

static const struct counter {
	const char *name;
	const char *unit;
	const char *help;
	uint64_t (*get)(const struct reason *r);
} counters[] = {
	{ "kvmstat_exits_total", NULL, "VM exits.", exits },
	{ "kvmstat_exit_kernel_seconds_total", "seconds",
	  "Time that KVM took from exits to the next entries of their vCPUs.", kernel },
	{ "kvmstat_exit_user_seconds_total", "seconds",
	  "Time that the VMM took from exits to the next entries of their vCPUs.", user },
	{ "kvmstat_exit_offcpu_seconds_total", "seconds",
	  "Time that vCPUs were asleep or preempted from exits to their next entries.", offcpu },
};

static uint64_t guest(const struct totals *t)
{
	return t->guest_cycles;
}

static uint64_t untraced(const struct totals *t)
{
	return t->untraced;
}

static const struct total_counter {
	const char *name;
	const char *unit;
	const char *help;
	uint64_t (*get)(const struct totals *t);
} total_counters[] = {
	{ "kvmstat_guest_seconds_total", "seconds",
	  "Time from entries to the next exits of their vCPUs.", guest },
	{ "kvmstat_untraced_total", NULL,
	  "VM exits that KVM counted, but fired no kvm_exit event for.", untraced },
};

static void print_counter(const struct exposition *e, const struct counter *c)
{
	size_t i;

	family(e, c->name, "counter", c->unit, c->help);
	for (i = 0; i < e->nr_series; i++) {
		const char *before = "{";

		fputs(c->name, e->out);
		series_labels(e, &before, &e->series[i]);
		end_labels(e, before);
		value(e, c->get(e->series[i].reason), c->unit);
	}
}

/* Of each VM or vCPU, or of all together. */
static void print_total(const struct exposition *e, const struct total_counter *c)
{
	const char *before = "{";
	size_t i;

	family(e, c->name, "counter", c->unit, c->help);
	if (!by_machines(e->by)) {
		fprintf(e->out, "%s ", c->name);
		value(e, c->get(&e->run->totals), c->unit);
		return;
	}
	for (i = 0; i < e->groups.nr; i++, before = "{") {
		fputs(c->name, e->out);
		machine_labels(e, &before, e->groups.list[i].vm, e->groups.list[i].vcpu);
		end_labels(e, before);
		value(e, c->get(e->groups.list[i].totals), c->unit);
	}
}

#define DURATION "kvmstat_exit_kernel_duration_seconds"

/*
 * Bounds are the same on each host, whatever its TSC, so that a fleet's histograms
 * can be added. An exit of a bucket of the module is taken for one of its middle,
 * as in percentiles.
 */
static const char * const bounds[] = {
	"5e-07", "1e-06", "2e-06", "5e-06", "1e-05", "2e-05", "5e-05", "0.0001", "0.0002",
	"0.0005", "0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "1.0",
};

static void print_bucket(const struct exposition *e, const struct series *s, const char *bound,
			 uint64_t n)
{
	const char *before = "{";

	fprintf(e->out, DURATION "_bucket");
	series_labels(e, &before, s);
	label(e, &before, "le", bound);
	end_labels(e, before);
	value(e, n, NULL);
}

static void print_histogram(const struct exposition *e, const struct series *s)
{
	const struct histogram *h = &s->reason->histogram;
	const char *before = "{";
	size_t i;

	for (i = 0; i < NR(bounds); i++) {
		double cycles = strtod(bounds[i], NULL) * 1e3 * e->run->tsc_khz;

		print_bucket(e, s, bounds[i], histogram_at_most(h, cycles));
	}
	print_bucket(e, s, "+Inf", h->ended);
	fprintf(e->out, DURATION "_sum");
	series_labels(e, &before, s);
	end_labels(e, before);
	value(e, h->sum, "seconds");
	before = "{";
	fprintf(e->out, DURATION "_count");
	series_labels(e, &before, s);
	end_labels(e, before);
	value(e, h->ended, NULL);
}

static void print_histograms(const struct exposition *e)
{
	size_t i;

	family(e, DURATION, "histogram", "seconds",
	       "Time that KVM took for single exits, of those whose entry was seen.");
	for (i = 0; i < e->nr_series; i++)
		print_histogram(e, &e->series[i]);
}

static void print_info(const struct exposition *e)
{
	const char *before = "{";

	family(e, "kvmstat_info", "gauge", NULL, "Who counted, and where.");
	fputs("kvmstat_info", e->out);
	label(e, &before, "version", KVMSTAT_VERSION);
	label(e, &before, "source", e->run->source);
	label(e, &before, "isa", isa_name(e->run->isa));
	label(e, &before, "paging", e->run->paging);
	label(e, &before, "kernel", e->run->kernel);
	end_labels(e, before);
	value(e, 1, NULL);
}

static void print_lost(const struct exposition *e)
{
	family(e, "kvmstat_lost_total", "counter", NULL,
	       "VM exits that could not be tallied, for want of memory.");
	fputs("kvmstat_lost_total ", e->out);
	value(e, e->run->totals.lost, NULL);
}

static void print_all(const struct exposition *e)
{
	bool times = e->run->tsc_khz;
	size_t i;

	print_info(e);
	for (i = 0; i < NR(counters); i++)
		if (!counters[i].unit || (times && e->run->split))
			print_counter(e, &counters[i]);
	for (i = 0; i < NR(total_counters); i++)
		if (!total_counters[i].unit || times)
			print_total(e, &total_counters[i]);
	print_lost(e);
	if (times && e->run->split && !by_machines(e->by))
		print_histograms(e);
	if (!e->classic)
		fputs("# EOF\n", e->out);
}

static void expose(FILE *out, const struct run *run, const struct view *view, bool classic)
{
	/* Series of a VM or a vCPU are always those of its reasons. */
	static const enum by by_per[] = { [PER_VM] = BY_VM, [PER_VCPU] = BY_VCPU };
	enum per per = view_per(view);
	struct exposition e = {
		.out = out, .classic = classic, .run = run,
		.by = per == PER_ALL ? view->by : by_per[per],
	};
	struct view rows = *view;

	rows.by = e.by;
	rows.per = PER_ALL;
	groups_make(&e.groups, run, &rows);
	drop_retired(&e.groups);
	make_series(&e);
	print_all(&e);
	free_series(&e);
	groups_free(&e.groups);
}

static void openmetrics_run(FILE *out, const struct run *run, const struct view *view)
{
	expose(out, run, view, false);
}

static void prometheus_run(FILE *out, const struct run *run, const struct view *view)
{
	expose(out, run, view, true);
}

const struct format format_openmetrics = {
	.name = "openmetrics",
	.run = openmetrics_run,
};

const struct format format_prometheus = {
	.name = "prometheus",
	.run = prometheus_run,
};
