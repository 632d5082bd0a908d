// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The arithmetic of kvmstat-report, without a module: windows (a VM that the
 * module forgets inside one, a reset inside one), sums, comparisons, means,
 * significance, names, hostile snapshots.
 * Prints TAP.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/compare.h"
#include "../../user/memory.h"
#include "../../user/sample.h"
#include "../../user/window.h"

static int tests, failures;

static void ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	failures += !good;
}

static void is(uint64_t got, uint64_t wanted, const char *name)
{
	ok(got == wanted, name);
	if (got != wanted)
		printf("# got %llu, wanted %llu\n", (unsigned long long)got,
		       (unsigned long long)wanted);
}

/* A run of SVM at some time, with no VM yet. */
static struct run start_run(uint64_t time_ns)
{
	return (struct run){
		.isa = KVMSTAT_ISA_SVM, .runs = 1, .instance = 7, .generation = 1,
		.time_ns = time_ns,
	};
}

static struct vm *add_vm(struct run *run, uint64_t id)
{
	struct vm *vm;

	run->vms = xgrow(run->vms, run->nr_vms, sizeof(*vm));
	vm = &run->vms[run->nr_vms++];
	memset(vm, 0, sizeof(*vm));
	vm->id = id;
	vm->retired = !id;
	return vm;
}

static struct vcpu *add_vcpu(struct vm *vm, uint32_t id, uint64_t guest_cycles)
{
	struct vcpu *vcpu;

	vm->vcpus = xgrow(vm->vcpus, vm->nr_vcpus, sizeof(*vcpu));
	vcpu = &vm->vcpus[vm->nr_vcpus++];
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->id = id;
	vcpu->totals.guest_cycles = guest_cycles;
	return vcpu;
}

static void count(struct vcpu *vcpu, uint64_t code, uint64_t exits, uint64_t cycles)
{
	struct reason *row = reasons_get(&vcpu->details, KVMSTAT_ISA_SVM, code, 1, 0);

	row->exits += exits;
	row->cycles.kernel += cycles;
}

/* Exits that ended after so many kernel cycles each. */
static struct reason *ended(struct vcpu *vcpu, uint64_t code, uint32_t level, uint32_t detail,
			    uint64_t exits, uint64_t cycles)
{
	struct reason *row = reasons_get(&vcpu->details, KVMSTAT_ISA_SVM, code, level, detail);
	struct histogram h = {
		.ended = exits, .sum = exits * cycles, .min = cycles, .max = cycles,
		.squares = (__uint128_t)cycles * cycles * exits,
	};

	h.buckets[histogram_bucket(cycles)] = exits;
	histogram_add(&row->histogram, &h);
	row->exits += exits;
	row->cycles.kernel += exits * cycles;
	return row;
}

static const struct reason *row_named(const struct reasons *rows, const char *wanted)
{
	static const struct reason none;
	char label[LABEL_MAX];
	size_t i;

	for (i = 0; i < rows->nr; i++)
		if (!strcmp(reason_label(&rows->list[i], label), wanted))
			return &rows->list[i];
	return &none;
}

static uint64_t exits_of(const struct run *run, const char *name)
{
	size_t i;

	for (i = 0; i < run->reasons.nr; i++)
		if (!strcmp(run->reasons.list[i].name, name))
			return run->reasons.list[i].exits;
	return 0;
}

/* One VM with one vCPU: a number of cpuid exits of 10 cycles each. */
static void add_cpuids(struct run *run, uint64_t id, uint64_t exits)
{
	count(add_vcpu(add_vm(run, id), 0, 100 * exits), 0x72, exits, 10 * exits);
}

static void window_of_living(void)
{
	struct run before = start_run(1000), after = start_run(5000);

	add_cpuids(&before, 1, 10);
	add_cpuids(&before, 2, 10);
	add_cpuids(&after, 1, 25);
	add_cpuids(&after, 2, 10);
	count(add_vcpu(&after.vms[0], 1, 7), 0x78, 3, 30);
	before.totals.lost = 2;
	after.totals.lost = 5;
	strcpy(before.vms[0].name, "web");
	is(window_since(&after, &before), 0, "a window");
	ok(!strcmp(after.vms[0].name, "web"), "a VM whose process is gone keeps its name");
	is(after.window_ns, 4000, "its length");
	is(exits_of(&after, "cpuid"), 15, "exits are the difference");
	is(exits_of(&after, "hlt"), 3, "a vCPU that is new counts whole");
	is(after.totals.exits, 18, "the total is the sum");
	is(after.totals.cycles.kernel, 180, "cycles, too");
	is(after.totals.guest_cycles, 1507, "guest cycles, too");
	is(after.totals.lost, 3, "lost, too");
	is(after.nr_vms, 1, "a VM without exits is left out");
	run_free(&before);
	run_free(&after);
}

/* VM 1 was forgotten after 25 exits, VM 0 had 100 of others before. */
static void window_of_forgotten(void)
{
	struct run before = start_run(1000), after = start_run(2000);

	add_cpuids(&before, 0, 100);
	add_cpuids(&before, 1, 10);
	add_cpuids(&before, 2, 10);
	add_cpuids(&after, 0, 125);
	add_cpuids(&after, 2, 11);
	is(window_since(&after, &before), 0, "a window in which a VM is forgotten");
	is(after.totals.exits, 16, "its exits in the window, no others");
	is(after.nr_vms, 2, "in the VM of those that were forgotten");
	is(after.vms[0].totals.exits, 15, "which has its own alone");
	run_free(&before);
	run_free(&after);
}

static void window_first_forgotten(void)
{
	struct run before = start_run(1000), after = start_run(2000);

	add_cpuids(&before, 1, 10);
	add_cpuids(&after, 0, 10);
	is(window_since(&after, &before), 0, "a VM is forgotten and did nothing");
	is(after.totals.exits, 0, "no exit");
	is(after.nr_vms, 0, "no VM");
	run_free(&before);
	run_free(&after);
}

/* The sum of the forgotten ones had no cell left for cpuid. */
static void window_forgotten_into_other(void)
{
	struct run before = start_run(1000), after = start_run(2000);

	add_cpuids(&before, 1, 10);
	count(add_vcpu(add_vm(&after, 0), 0, 1500), KVMSTAT_CODE_OTHER, 15, 150);
	is(window_since(&after, &before), 0, "a VM is forgotten and its reason has no cell");
	is(after.totals.exits, 5, "the total is exact all the same");
	is(exits_of(&after, "other"), 5, "under \"other\"");
	run_free(&before);
	run_free(&after);
}

/* Two exits before the window; in it three more, one of them of a fresh row. */
static void window_of_histograms(void)
{
	struct run before = start_run(1000), after = start_run(2000);
	struct vcpu *vcpu = add_vcpu(add_vm(&before, 1), 0, 0);
	const struct reason *row;

	ended(vcpu, 0x7c, 1, KVMSTAT_DETAIL_WRITE, 2, 1000)->cycles.offcpu = 5;
	vcpu->totals.wall_cycles = 30;
	vcpu = add_vcpu(add_vm(&after, 1), 0, 0);
	vcpu->totals.wall_cycles = 100;
	ended(vcpu, 0x7c, 1, KVMSTAT_DETAIL_WRITE, 2, 1000)->cycles.offcpu = 11;
	ended(vcpu, 0x7c, 1, KVMSTAT_DETAIL_WRITE, 2, 400)->cycles.user = 9;
	ended(vcpu, 0x7c, 1, KVMSTAT_DETAIL_READ, 1, 77);
	is(window_since(&after, &before), 0, "a window over rows with details");
	row = row_named(&after.details, "msr write");
	is(row->exits, 2, "the exits of a detail");
	is(row->cycles.user * 100 + row->cycles.offcpu, 906, "its cycles, each kind apart");
	is(row->histogram.ended, 2, "its histogram");
	ok(row->histogram.bounds && row->histogram.min == 400 && row->histogram.max == 447,
	   "extremes are bounds where the row had exits before");
	is(row->histogram.squares, 320000, "squares");
	row = row_named(&after.details, "msr read");
	ok(!row->histogram.bounds && row->histogram.max == 77, "and exact where it had none");
	row = row_named(&after.reasons, "msr");
	is(row->exits, 3, "the reason has both");
	ok(row->histogram.bounds && row->histogram.min == 77, "and their extremes");
	is(after.totals.wall_cycles, 70, "the time of the vCPU");
	is(cycles_sum(&after.totals.cycles), 2 * 400 + 77 + 9 + 6, "all cycles");
	run_free(&before);
	run_free(&after);
}

/* What a snapshot gave a vCPU that was away may be a little more than it books in the end. */
static void window_of_clocks_ahead(void)
{
	struct run before = start_run(1000), after = start_run(2000);
	struct vcpu *vcpu = add_vcpu(add_vm(&before, 1), 0, 0);

	ended(vcpu, 0x78, 0, KVMSTAT_DETAIL_NONE, 1, 1000)->cycles.offcpu = 5000;
	vcpu->totals.wall_cycles = 6000;
	vcpu = add_vcpu(add_vm(&after, 1), 0, 0);
	ended(vcpu, 0x78, 0, KVMSTAT_DETAIL_NONE, 1, 1000)->cycles.offcpu = 4990;
	vcpu->totals.wall_cycles = 5990;
	is(window_since(&after, &before), 0, "a clock that was ahead spoils no window");
	is(cycles_sum(&after.totals.cycles) + after.totals.wall_cycles, 0, "nothing passed in it");
	run_free(&before);
	run_free(&after);
}

/* However short it was, and however slow the TSC. */
static void window_of_time_away(void)
{
	struct run before = start_run(1000), after = start_run(2000);
	struct vcpu *vcpu = add_vcpu(add_vm(&before, 1), 0, 0);

	ended(vcpu, 0x78, 0, KVMSTAT_DETAIL_NONE, 1, 1000)->cycles.offcpu = 5000;
	vcpu = add_vcpu(add_vm(&after, 1), 0, 0);
	ended(vcpu, 0x78, 0, KVMSTAT_DETAIL_NONE, 1, 1000)->cycles.offcpu = 5001;
	is(window_since(&after, &before), 0, "a window in which a vCPU is away");
	is(after.totals.cycles.offcpu, 1, "its time away, all of it");
	is(after.reasons.nr, 1, "by the reason");
	run_free(&before);
	run_free(&after);
}

/* VM 1 was forgotten; the row that it shares with others has theirs, too. */
static void window_of_forgotten_histogram(void)
{
	struct run before = start_run(1000), after = start_run(2000);
	const struct reason *row;

	ended(add_vcpu(add_vm(&before, 0), 0, 0), 0x400, 1, KVMSTAT_DETAIL_TOUCH, 3, 50);
	ended(add_vcpu(add_vm(&before, 1), 0, 0), 0x400, 1, KVMSTAT_DETAIL_TOUCH, 4, 60);
	ended(add_vcpu(add_vm(&after, 0), 0, 0), 0x400, 1, KVMSTAT_DETAIL_TOUCH, 3, 50);
	ended(&after.vms[0].vcpus[0], 0x400, 1, KVMSTAT_DETAIL_TOUCH, 4, 60);
	ended(&after.vms[0].vcpus[0], 0x400, 1, KVMSTAT_DETAIL_TOUCH, 1, 2000);
	is(window_since(&after, &before), 0, "a VM with a histogram is forgotten");
	row = row_named(&after.details, "npf touch");
	is(row->histogram.ended, 1, "what it had before the window is gone");
	is(histogram_percentile(&row->histogram, 0.5), 1919, "what it had in it is there");
	run_free(&before);
	run_free(&after);
}

/* Its L2 exits, too, when there is no cell for them. */
static void window_of_forgotten_l2(void)
{
	struct run before = start_run(1000), after = start_run(2000);

	ended(add_vcpu(add_vm(&before, 1), 0, 0), 0x72, 2, 0, 4, 60);
	ended(add_vcpu(add_vm(&after, 0), 0, 0), KVMSTAT_CODE_OTHER, 1, 0, 5, 60);
	is(window_since(&after, &before), 0, "exits of L2 are forgotten and have no cell");
	is(after.totals.exits, 1, "they are found under \"other\"");
	is(after.details.list[0].histogram.ended, 1, "with their histogram");
	run_free(&before);
	run_free(&after);
}

static uint64_t class_exits(const struct run *run, const char *class)
{
	return row_named(&run->classes, class)->exits;
}

/* A run of every kind of row. */
static struct run run_of_details(void)
{
	struct run run = start_run(0);
	struct vcpu *vcpu = add_vcpu(add_vm(&run, 1), 0, 0);

	ended(vcpu, 0x72, 1, 0, 7, 100);
	ended(vcpu, 0x72, 2, 0, 5, 200);
	ended(vcpu, 0x7c, 1, KVMSTAT_DETAIL_READ, 3, 300);
	ended(vcpu, 0x7c, 1, KVMSTAT_DETAIL_WRITE, 2, 400);
	ended(vcpu, 0x7c, 2, KVMSTAT_DETAIL_WRITE, 1, 500);
	ended(vcpu, 0x400, 1, KVMSTAT_DETAIL_TOUCH, 11, 600);
	ended(vcpu, 0x400, 1, KVMSTAT_DETAIL_MMIO, 13, 700);
	run_sum(&run);
	return run;
}

static void sums(void)
{
	struct run run = run_of_details();

	is(run.details.nr, 7, "the finest rows");
	is(run.reasons.nr, 5, "reasons: codes, those of L2 apart");
	is(row_named(&run.reasons, "msr")->exits, 5, "a reason has its details");
	is(row_named(&run.reasons, "msr (L2)")->exits, 1, "but not those of L2");
	is(row_named(&run.reasons, "msr")->histogram.ended, 5, "histograms, too");
	ok(!strcmp(row_named(&run.reasons, "msr")->class, "MSR"), "its class is that of its code");
	is(class_exits(&run, "MSR_READ") * 10 + class_exits(&run, "MSR_WRITE"), 32,
	   "classes are made of details");
	is(class_exits(&run, "NESTED_PAGE_FAULT") * 100 + class_exits(&run, "MMIO"), 1113,
	   "MMIO is no page fault");
	is(class_exits(&run, "CPUID") * 10 + class_exits(&run, "L2_CPUID"), 75,
	   "a class of L2 is its own");
	is(class_exits(&run, "L2_MSR_WRITE"), 1, "by its details");
	is(run.totals.exits, 42, "the total has all");
	run_free(&run);
}

static uint64_t compared(const struct comparison *c, const char *label)
{
	size_t i;

	for (i = 0; i < c->nr_rows; i++)
		if (!strcmp(c->rows[i].label, label))
			return 100 * c->rows[i].before.exits.mean + c->rows[i].after.exits.mean;
	return UINT64_MAX;
}

/* The same as run_of_details() as a module without details would have it. */
static struct run run_without_details(void)
{
	struct run run = start_run(0);
	struct vcpu *vcpu = add_vcpu(add_vm(&run, 1), 0, 0);

	count(vcpu, 0x7c, 6, 60);
	count(vcpu, 0x400, 24, 240);
	run_sum(&run);
	return run;
}

static void comparisons(void)
{
	const struct view by_class = { .by = BY_CLASS }, by_detail = { .by = BY_DETAIL };
	struct run a = run_of_details(), b = run_of_details(), old = run_without_details();
	struct comparison c;

	compare(&c, &a, &b, &by_class);
	ok(compared(&c, "MSR_READ") == 303 && compared(&c, "MMIO") == 1313 && !c.folded,
	   "classes that both runs tell apart stay apart");
	comparison_free(&c);
	compare(&c, &old, &b, &by_class);
	ok(compared(&c, "MSR") == 605 && compared(&c, "NESTED_PAGE_FAULT") == 2424 && c.folded,
	   "and are merged where one does not");
	is(compared(&c, "L2_MSR_WRITE"), 1, "but not those of L2, of which it has none");
	is(compared(&c, "MSR_WRITE"), UINT64_MAX, "which leaves no row of the parts");
	comparison_free(&c);
	compare(&c, &a, &b, &by_detail);
	is(compared(&c, "msr write"), 202, "by detail");
	is(compared(&c, "msr (L2) write"), 101, "and level");
	comparison_free(&c);
	run_free(&a);
	run_free(&b);
	run_free(&old);
}

static int refused(struct run *before, struct run *after)
{
	int ret = window_since(after, before);

	run_free(before);
	run_free(after);
	return ret;
}

static void windows_refused(void)
{
	struct run before = start_run(1000), after = start_run(2000);

	add_cpuids(&before, 1, 10);
	after.generation++;
	ok(refused(&before, &after) < 0, "a reset in the window: refused");

	before = start_run(1000);
	after = start_run(2000);
	after.instance++;
	ok(refused(&before, &after) < 0, "the module reloaded in the window: refused");

	before = start_run(1000);
	after = start_run(2000);
	strcpy(after.source, "bpf");
	after.instance++;
	ok(refused(&before, &after) < 0, "the BPF collector started anew in the window: refused");

	before = start_run(1000);
	after = start_run(2000);
	add_cpuids(&before, 1, 10);
	add_cpuids(&after, 1, 9);
	ok(refused(&before, &after) < 0, "a count that fell: refused, not negative");

	before = start_run(1000);
	after = start_run(2000);
	add_cpuids(&before, 1, 10);
	ok(refused(&before, &after) < 0, "a VM that vanished: refused");
}

static void means(void)
{
	const uint64_t exits[] = { 10, 11, 13 };
	struct run runs[3], mean;
	size_t i;

	for (i = 0; i < 3; i++) {
		runs[i] = start_run(0);
		add_cpuids(&runs[i], 1, exits[i]);
		if (i == 1)
			count(&runs[i].vms[0].vcpus[0], 0x78, 3, 30);
		runs[i].totals.lost = i == 2;
		run_sum(&runs[i]);
	}
	sample_mean(&mean, runs, 3);
	is(mean.runs, 3, "mean of three runs");
	is(exits_of(&mean, "cpuid"), 11, "rounded");
	is(exits_of(&mean, "hlt"), 1, "absent is 0");
	is(mean.totals.exits, 12, "the total is the sum of what is rounded");
	is(mean.totals.lost, 1, "lost does not disappear");
	ok(fabs(mean.reasons.list[0].exits_spread.sd - sqrt(7.0 / 3)) < 1e-9, "standard deviation");
	is(mean.nr_vms, 0, "VMs are not kept apart");
	run_free(&mean);
	for (i = 0; i < 3; i++)
		run_free(&runs[i]);
}

/* Three halves of a detail each: what is rounded is rounded once. */
static void means_of_details(void)
{
	struct run runs[2], mean;
	size_t i;

	for (i = 0; i < 2; i++) {
		struct vcpu *vcpu;

		runs[i] = start_run(0);
		vcpu = add_vcpu(add_vm(&runs[i], 1), 0, 0);
		ended(vcpu, 0x7c, 1, KVMSTAT_DETAIL_READ, 1 + i, 100);
		ended(vcpu, 0x7c, 1, KVMSTAT_DETAIL_WRITE, 1 + i, 1000 * (i + 1))->cycles.user = i;
		count(vcpu, 0x13, 1 + i, 10);
		count(vcpu, 0x14, 1 + i, 10);
		run_sum(&runs[i]);
	}
	sample_mean(&mean, runs, 2);
	is(row_named(&mean.details, "msr read")->exits, 2, "a detail's mean, rounded");
	is(row_named(&mean.reasons, "msr")->exits, 4, "its reason is the sum of what is rounded");
	is(row_named(&mean.classes, "CR_WRITE")->exits, 4, "and so is a class");
	is(mean.totals.exits, 8, "and the total");
	is(row_named(&mean.details, "msr write")->histogram.ended, 3, "histograms are of all runs");
	is(row_named(&mean.details, "msr write")->histogram.sum, 5000, "with their cycles");
	is(row_named(&mean.details, "msr write")->cycles.kernel, 2500, "of which there is a mean");
	ok(row_named(&mean.reasons, "msr")->kernel_spread.mean == 2650 &&
	   row_named(&mean.reasons, "msr")->cycles_spread.mean == 2650.5, "and spreads");
	run_free(&mean);
	for (i = 0; i < 2; i++)
		run_free(&runs[i]);
}

static bool differs(struct spread a, unsigned int runs_a, struct spread b, unsigned int runs_b)
{
	return change_of(a, runs_a, b, runs_b).significant;
}

static void significance(void)
{
	const struct spread a = { 100, 10 }, b = { 200, 10 }, c = { 105, 10 };
	const struct spread exact = { 14, 0 }, other = { 15, 0 }, unknown = { 500, NAN };
	struct change change = change_of(a, 5, b, 5);

	ok(differs(a, 5, b, 5), "100 +- 10 and 200 +- 10 differ");
	ok(differs(b, 5, a, 5), "either way");
	ok(!differs(a, 5, c, 5), "100 +- 10 and 105 +- 10 may be the same");
	/* t for 97.5 % and 8 degrees of freedom, times the root of 2 * (100 + 1/12) / 5 */
	ok(change.mean == 100 && fabs(change.half - 14.59) < 0.01, "the change is 100 +- 14.59");
	ok(!differs(a, 1, b, 1) && isnan(change_of(a, 1, b, 5).half), "single runs tell nothing");
	ok(!differs(a, 2, unknown, 2), "nor does an unknown spread");
	ok(differs(exact, 3, other, 3), "counts that never vary differ");
	ok(!differs(exact, 3, exact, 3), "or do not");
	ok(!differs(exact, 2, other, 2), "of two runs each that may be luck");
}

static double uniform(void)
{
	return (random() + 0.5) / (RAND_MAX + 1.0);
}

/* How often something happens in a while that happens 'mean' times in it. */
static unsigned int poisson(double mean)
{
	double bound = exp(-mean), product = uniform();
	unsigned int n = 0;

	while (product > bound) {
		product *= uniform();
		n++;
	}
	return n;
}

static struct spread sample(double mean, unsigned int runs)
{
	struct spread s = { 0, 0 };
	double values[20];
	unsigned int i;

	for (i = 0; i < runs; i++) {
		values[i] = poisson(mean);
		s.mean += values[i] / runs;
	}
	for (i = 0; i < runs; i++)
		s.sd += (values[i] - s.mean) * (values[i] - s.mean) / (runs - 1);
	s.sd = sqrt(s.sd);
	return s;
}

/* Twice the same thing: 5 of 100 are marked, or fewer; and 3 standard deviations of that. */
static void false_alarms(void)
{
	static const unsigned int runs[] = { 2, 3, 5, 20 };
	static const double means[] = { 0.1, 1, 10, 300 };
	const unsigned int draws = 10000, most = 0.05 * draws + 3 * sqrt(0.05 * 0.95 * draws);
	unsigned int i, j, k, marked;
	char what[80];

	srandom(1);
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 4; j++) {
			for (k = marked = 0; k < draws; k++) {
				struct spread a = sample(means[j], runs[i]);
				struct spread b = sample(means[j], runs[i]);

				marked += differs(a, runs[i], b, runs[i]);
			}
			snprintf(what, sizeof(what), "%u runs of %g exits: %u false alarms of 10000",
				 runs[i], means[j], marked);
			ok(marked <= most, what);
		}
	}
}

static void name_is(uint32_t isa, uint64_t code, const char *name, const char *class)
{
	char buf[REASON_NAME_MAX], label[100];

	reason_name(isa, code, buf);
	snprintf(label, sizeof(label), "%s is %s, %s", name, buf, reason_class(isa, code));
	ok(!strcmp(buf, name) && !strcmp(reason_class(isa, code), class), label);
}

static void names(void)
{
	const uint32_t svm = KVMSTAT_ISA_SVM, vmx = KVMSTAT_ISA_VMX;

	name_is(svm, 0x4e, "PF excp", "PAGE_FAULT");
	name_is(svm, 0x7c, "msr", "MSR");
	name_is(svm, 0x13, "write_cr3", "CR_WRITE");
	name_is(svm, 0x400, "npf", "NESTED_PAGE_FAULT");
	name_is(svm, -1ULL, "invalid_guest_state", "ENTRY_FAILURE");
	name_is(svm, 0xa6, "idle-halt", "HLT");
	name_is(svm, 0x3ff, "0x3ff", "OTHER");
	name_is(vmx, 28, "CR_ACCESS", "CR_ACCESS");
	name_is(vmx, 30, "IO_INSTRUCTION", "IO");
	name_is(vmx, 49, "EPT_MISCONFIG", "MMIO");
	name_is(vmx, 77, "TDCALL", "CONFIDENTIAL");
	name_is(vmx, 0x80000021, "INVALID_STATE FAILED_VMENTRY", "ENTRY_FAILURE");
	name_is(vmx, 0x0800000c, "HLT ENCLAVE_MODE", "HLT");
	name_is(vmx, 0x0c00000c, "HLT BUS_LOCK ENCLAVE_MODE", "HLT");
	name_is(vmx, 0x0011000c, "HLT 0x110000", "HLT");
	name_is(vmx, 0x80000023, "0x23 FAILED_VMENTRY", "ENTRY_FAILURE");
	name_is(vmx, 35, "0x23", "OTHER");
	name_is(svm, KVMSTAT_CODE_UNTRACED, "untraced", "UNTRACED");
	name_is(vmx, KVMSTAT_CODE_OTHER, "other", "OTHER");
	name_is(KVMSTAT_ISA_UNKNOWN, 1, "0x1", "OTHER");
}

static void detail_is(uint32_t isa, uint64_t code, uint32_t detail, const char *name,
		      const char *class)
{
	char buf[DETAIL_NAME_MAX], label[120];
	const char *found = detail_class(isa, code, detail);
	uint32_t back;

	detail_name(detail, buf);
	snprintf(label, sizeof(label), "detail %s is %s, %s", name, buf, found);
	ok(!strcmp(buf, name) && !strcmp(found, class), label);
	ok(detail_find(name, &back) && back == detail, "and is found by its name");
}

static void details(void)
{
	const uint32_t svm = KVMSTAT_ISA_SVM, vmx = KVMSTAT_ISA_VMX;
	const uint32_t vector = KVMSTAT_DETAIL_VECTOR, cr = KVMSTAT_DETAIL_CR;
	uint32_t detail;

	detail_is(svm, 0x7c, KVMSTAT_DETAIL_READ, "read", "MSR_READ");
	detail_is(svm, 0x7c, KVMSTAT_DETAIL_WRITE, "write", "MSR_WRITE");
	detail_is(svm, 0x7c, KVMSTAT_DETAIL_NONE, "none", "MSR");
	detail_is(svm, 0x400, KVMSTAT_DETAIL_TOUCH, "touch", "NESTED_PAGE_FAULT");
	detail_is(svm, 0x400, KVMSTAT_DETAIL_MMIO, "mmio", "MMIO");
	detail_is(vmx, 48, KVMSTAT_DETAIL_PROTECT, "protect", "NESTED_PAGE_FAULT");
	detail_is(vmx, 0, vector + 14, "#PF", "PAGE_FAULT");
	detail_is(vmx, 0, vector + 2, "NMI", "NMI");
	detail_is(vmx, 0, vector + 6, "#UD", "EXCEPTION");
	detail_is(vmx, 0, vector + 9, "vector 0x9", "EXCEPTION");
	detail_is(vmx, 0, vector + 0x80, "vector 0x80", "EXCEPTION");
	detail_is(vmx, 28, cr + 0x03, "mov to cr3", "CR_WRITE");
	detail_is(vmx, 28, cr + 0x18, "mov from cr8", "CR_READ");
	detail_is(vmx, 28, cr + 0x20, "clts", "CR_WRITE");
	detail_is(vmx, 28, cr + 0x30, "lmsw", "CR_WRITE");
	detail_is(vmx, 28, cr + 0x31, "detail 0x231", "CR_WRITE");
	detail_is(vmx, 28, KVMSTAT_DETAIL_NONE, "none", "CR_ACCESS");
	detail_is(vmx, 0x8000001c, cr + 3, "mov to cr3", "ENTRY_FAILURE");
	detail_is(vmx, 0x0800001c, cr + 3, "mov to cr3", "CR_WRITE");
	detail_is(svm, 0x72, 0xffffffff, "detail 0xffffffff", "CPUID");
	ok(!detail_find("detail 0x1", &detail) && !detail_find("writes", &detail),
	   "a name that no detail has");
	ok(!strcmp(reason_class_common("L2_MSR_READ"), "L2_MSR") &&
	   !strcmp(reason_class_common("MSR_READ"), "MSR") &&
	   !strcmp(reason_class_common("L2_IO"), "L2_IO"), "the wider class, of L2, too");
}

/* A snapshot with one VM, one vCPU, one cell and three buckets. */
static struct {
	struct kvmstat_snapshot head;
	struct kvmstat_vm vm;
	struct kvmstat_vcpu vcpu;
	struct kvmstat_cell cell;
	__u64 buckets[3];
} sound = {
	.head = {
		.magic = KVMSTAT_MAGIC, .abi_version = KVMSTAT_ABI_VERSION,
		.isa = KVMSTAT_ISA_SVM,
		.header_size = sizeof(struct kvmstat_snapshot),
		.vm_size = sizeof(struct kvmstat_vm), .vcpu_size = sizeof(struct kvmstat_vcpu),
		.cell_size = sizeof(struct kvmstat_cell),
		.nr_vms = 1, .nr_vcpus = 1, .nr_cells = 1, .nr_buckets = 3,
	},
	.vm = { .id = 1, .nr_vcpus = 1 },
	.vcpu = { .guest_cycles = 500, .wall_cycles = 1000, .nr_cells = 1 },
	/* The two buckets end the histogram. */
	.cell = {
		.code = 0x7c, .flags = KVMSTAT_CELL_L2, .detail = KVMSTAT_DETAIL_WRITE,
		.exits = 9, .kernel_cycles = 300, .user_cycles = 150, .offcpu_cycles = 50,
		.min = 6ULL << 33, .max = 1ULL << 40, .squares_low = 1, .squares_high = 2,
		.first_bucket = 1, .nr_buckets = 2,
		.histogram_first = KVMSTAT_HISTOGRAM_BUCKETS - 2,
	},
	.buckets = { 77, 3, 5 },
};

/* Of a copy in which the bytes at 'field' were replaced. */
static int check_with(const void *field, uint32_t value, size_t bytes, size_t size)
{
	__typeof__(sound) copy = sound;
	struct snapshot snap = { &copy.head, size };

	memcpy((char *)&copy + ((const char *)field - (const char *)&sound), &value, bytes);
	return snapshot_check(&snap);
}

static void snapshots(void)
{
	const size_t size = sizeof(sound);

	is(check_with(&sound.head.reserved, 0, 4, size), 0, "a sound snapshot");
	ok(check_with(&sound.head.reserved, 0, 4, size - 1) < 0, "cut short");
	ok(check_with(&sound.head.reserved, 0, 4, 50) < 0, "cut in its header");
	ok(check_with(&sound.head.magic, 1, 4, size) < 0, "wrong magic number");
	ok(check_with(&sound.head.abi_version, 99, 4, size) < 0, "another version");
	ok(check_with(&sound.head.nr_cells, 2, 4, size) < 0, "more cells than there is room for");
	ok(check_with(&sound.head.nr_vms, UINT32_MAX, 4, size) < 0, "very many VMs");
	ok(check_with(&sound.head.cell_size, 8, 4, size) < 0, "small records");
	ok(check_with(&sound.vm.first_vcpu, 1, 4, size) < 0, "a VM's vCPU that is not there");
	ok(check_with(&sound.vcpu.first_cell, UINT32_MAX, 4, size) < 0, "a cell that is not there");
	ok(check_with(&sound.head.nr_buckets, 4, 4, size) < 0,
	   "more buckets than there is room for");
	ok(check_with(&sound.head.nr_buckets, UINT32_MAX, 4, size) < 0, "very many buckets");
	ok(check_with(&sound.cell.first_bucket, 2, 4, size) < 0, "a bucket that is not there");
	ok(check_with(&sound.cell.first_bucket, UINT32_MAX, 4, size) < 0, "nor far behind the end");
	ok(check_with(&sound.cell.nr_buckets, 3, 2, size) < 0, "more buckets than there are");
	is(check_with(&sound.cell.histogram_first, 0, 2, size), 0, "buckets at the beginning");
	ok(check_with(&sound.cell.histogram_first, KVMSTAT_HISTOGRAM_BUCKETS - 1, 2, size) < 0,
	   "buckets behind the end of the histogram");
	ok(check_with(&sound.cell.histogram_first, 0xffff, 2, size) < 0, "nor far behind it");
}

static void run_of_snapshot(void)
{
	const struct snapshot snap = { &sound.head, sizeof(sound) };
	const struct reason *row;
	struct run run;

	run_from_snapshot(&run, &snap);
	row = row_named(&run.details, "msr (L2) write");
	is(row->exits, 9, "a cell's exits, of its level and detail");
	is(row->cycles.kernel * 1000000 + row->cycles.user * 1000 + row->cycles.offcpu, 300150050,
	   "its cycles");
	is(row->histogram.ended, 8, "its histogram");
	is(row->histogram.buckets[KVMSTAT_HISTOGRAM_BUCKETS - 1], 5, "in its place");
	ok(row->histogram.squares == ((__uint128_t)2 << 64) + 1, "128 bits of squares");
	ok(!row->histogram.bounds && row->histogram.max == 1ULL << 40, "its extremes are exact");
	ok(!strcmp(row->class, "MSR_WRITE"), "its class");
	is(run.totals.wall_cycles, 1000, "the vCPU's time");
	ok(run.split, "cycles are told apart");
	run_free(&run);
}

/* An exit that ended between the reading of the one and the other. */
static void run_of_torn_snapshot(void)
{
	__typeof__(sound) copy = sound;
	const struct snapshot snap = { &copy.head, sizeof(copy) };
	struct run run;

	copy.cell.min = 4;
	run_from_snapshot(&run, &snap);
	ok(run.details.list[0].histogram.bounds && run.details.list[0].histogram.min == 6ULL << 33,
	   "an extreme that no bucket has is a bound");
	run_free(&run);
}

int main(void)
{
	/* The messages of what is refused are expected. */
	if (!freopen("/dev/null", "w", stderr))
		return EXIT_FAILURE;
	window_of_living();
	window_of_forgotten();
	window_first_forgotten();
	window_forgotten_into_other();
	window_of_histograms();
	window_of_clocks_ahead();
	window_of_time_away();
	window_of_forgotten_histogram();
	window_of_forgotten_l2();
	windows_refused();
	sums();
	comparisons();
	means();
	means_of_details();
	significance();
	false_alarms();
	names();
	details();
	snapshots();
	run_of_snapshot();
	run_of_torn_snapshot();
	printf("1..%d\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
