// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvmstat-report top without a terminal: which rows there are, in which order, what
 * they say, and what keys do to that. Prints TAP.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curses.h>

#include "../../user/memory.h"
#include "../../user/top_history.h"
#include "../../user/top_keys.h"
#include "../../user/window.h"

#define CPUID	0x72
#define MSR	0x7c
#define HLT	0x78
#define READ	1
#define WRITE	2

static int tests, failures;

static void ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	failures += !good;
}

static void is(const char *got, const char *wanted, const char *name)
{
	ok(!strcmp(got, wanted), name);
	if (strcmp(got, wanted))
		printf("# got \"%s\", wanted \"%s\"\n", got, wanted);
}

static struct run run;
static struct top_state state;
static struct top_rows rows;

static struct vcpu *add_vcpu(struct vm *vm, uint32_t id)
{
	vm->vcpus = xgrow(vm->vcpus, vm->nr_vcpus, sizeof(*vm->vcpus));
	memset(&vm->vcpus[vm->nr_vcpus], 0, sizeof(*vm->vcpus));
	vm->vcpus[vm->nr_vcpus].id = id;
	return &vm->vcpus[vm->nr_vcpus++];
}

static struct vm *add_vm(struct run *to, uint64_t id, uint32_t pid, const char *comm)
{
	to->vms = xgrow(to->vms, to->nr_vms, sizeof(*to->vms));
	to->vms[to->nr_vms] = (struct vm){ .id = id, .pid = pid, .alive = true, .retired = !id };
	snprintf(to->vms[to->nr_vms].comm, sizeof(to->vms[0].comm), "%s", comm);
	return &to->vms[to->nr_vms++];
}

/* So many exits, each of so many kernel cycles. */
static void count(struct vcpu *vcpu, uint64_t code, uint32_t level, uint32_t detail,
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
}

static void finish_run(struct run *of, uint64_t seconds)
{
	of->isa = KVMSTAT_ISA_SVM;
	of->tsc_khz = 1000000;
	of->split = true;
	of->runs = 1;
	of->instance = 1;
	of->time_ns = of->window_ns = seconds * 1000000000;
	run_sum(of);
}

/* Three VMs, the first the sum of earlier ones, at a time when so much had happened. */
static void make_run(struct run *to, uint64_t times)
{
	struct vcpu *vcpu;
	struct vm *vm;

	memset(to, 0, sizeof(*to));
	vm = add_vm(to, 0, 0, "");
	count(add_vcpu(vm, 0), CPUID, 1, 0, 5, 100);
	vm = add_vm(to, 3, 4100, "qemu-system-x86");
	vcpu = add_vcpu(vm, 0);
	count(vcpu, CPUID, 1, 0, 100 * times, 1000);
	count(vcpu, MSR, 1, READ, 20 * times, 3000);
	count(vcpu, MSR, 1, WRITE, 30 * times, 2000);
	count(vcpu, CPUID, 2, 0, 7 * times, 1000);
	vcpu->totals.guest_cycles = 1000000 * times;
	vcpu = add_vcpu(vm, 1);
	count(vcpu, HLT, 1, 0, 4, 500);
	vcpu->details.list[0].cycles.offcpu = 3000;
	vcpu->totals.guest_cycles = 5000;
	vm = add_vm(to, 12, 4200, "kvmstat-guest");
	count(add_vcpu(vm, 0), MSR, 1, READ, 40 * times * times, 3000);
	finish_run(to, times);
}

static void start(enum by by, bool by_given)
{
	const struct view view = { .by = by, .by_given = by_given };

	make_run(&run, 1);
	top_state_init(&state, &view, TOP_RATE, &run);
}

static void make(void)
{
	top_rows_free(&rows);
	top_rows_make(&rows, &state, &run, &run);
	state.height = 3;
}

/* Names of the rows, the selected one in brackets. */
static const char *names(void)
{
	static char buf[1000];
	size_t i, used = 0;

	buf[0] = '\0';
	for (i = 0; i < rows.nr; i++)
		used += snprintf(buf + used, sizeof(buf) - used,
				 i == top_selected(&state, &rows) ? "%s[%s]" : "%s%s",
				 i ? ", " : "", rows.list[i].name);
	return buf;
}

static bool key(int which)
{
	bool more = top_key(&state, &rows, which);

	make();
	return more;
}

static void type(const char *text)
{
	while (*text)
		key(*text++);
}

static const struct top_row *row(const char *name)
{
	size_t i;

	for (i = 0; i < rows.nr; i++)
		if (!strcmp(rows.list[i].name, name))
			return &rows.list[i];
	abort();
}

static void end(void)
{
	top_rows_free(&rows);
	run_free(&run);
}

static void levels(void)
{
	start(BY_REASON, false);
	make();
	is(names(), "[all], 3, 12, 0", "VMs, by their rate, below the sum");
	ok(rows.list[0].exits == 206 && row("3")->exits == 161, "their exits");
	key(KEY_DOWN);
	key('\r');
	is(names(), "[all], 3/0, 3/1", "into a VM: its vCPUs");
	ok(rows.list[0].exits == 161, "the sum is the VM's");
	key('j');
	key(KEY_RIGHT);
	is(names(), "[all], cpuid, msr, cpuid (L2)", "into a vCPU: its reasons");
	ok(rows.list[0].exits == 157 && row("msr")->exits == 50, "their exits");
	key('j');
	key('\n');
	ok(state.histogram && state.level == TOP_REASONS, "into a reason: its histogram");
	key(127);
	is(names(), "all, [3/0], 3/1", "out: where one was");
	key(KEY_BACKSPACE);
	is(names(), "all, [3], 12, 0", "and out");
	key(KEY_LEFT);
	is(names(), "all, [3], 12, 0", "no further");
	key('k');
	key(KEY_ENTER);
	is(names(), "[all], 3/0, 12/0, 0/0, 3/1", "into the sum: the vCPUs of all VMs");
	key('\r');
	is(names(), "[all], cpuid, msr, cpuid (L2), hlt", "and the reasons of all");
	ok(row("cpuid")->exits == 105 && row("msr")->exits == 90, "of all VMs");
	key(KEY_LEFT);
	key(KEY_END);
	key('\r');
	is(names(), "[all], hlt", "one vCPU among those of all VMs");
	key(KEY_LEFT);
	is(names(), "all, 3/0, 12/0, 0/0, [3/1]", "the way back is the way there");
	end();

	start(BY_REASON, false);
	make();
	key(KEY_END);
	key('\r');
	is(names(), "[all], 0/0", "earlier VMs can be gone into, too");
	end();
}

static void beginnings(void)
{
	static const struct view no_view;

	start(BY_VCPU, true);
	make();
	is(names(), "[all], 3/0, 12/0, 0/0, 3/1", "--by vcpu");
	end();
	start(BY_CLASS, true);
	make();
	is(names(), "[all], CPUID, MSR_READ, MSR_WRITE, L2_CPUID, HLT", "--by class");
	end();
	start(BY_DETAIL, true);
	make();
	is(names(), "[all], cpuid, msr read, msr write, cpuid (L2), hlt", "--by detail");
	key(KEY_LEFT);
	key(KEY_LEFT);
	is(names(), "[all], 3, 12, 0", "and out to the VMs");
	end();
	start(BY_REASON, false);
	run.totals.exits = 0;
	run.nr_vms = 0;
	top_state_init(&state, &no_view, TOP_RATE, &run);
	ok(state.level == TOP_VMS, "nothing was counted yet: VMs are to come");
	run.totals.exits = 1;
	top_state_init(&state, &no_view, TOP_RATE, &run);
	ok(state.level == TOP_REASONS, "counts, but no VMs: reasons");
	run.nr_vms = 3;
	end();
}

static void sorting(void)
{
	start(BY_REASON, true);
	make();
	key('M');
	is(names(), "[all], msr, cpuid (L2), cpuid, hlt", "by mean, the same of both: by exits");
	end();

	start(BY_REASON, true);
	make();
	key('N');
	is(names(), "[all], cpuid, cpuid (L2), hlt, msr", "by name");
	key('r');
	is(names(), "[all], msr, hlt, cpuid (L2), cpuid", "reversed");
	key('s');
	ok(state.sort == TOP_EXITS && !state.reverse, "the next column");
	key('r');
	is(names(), "[all], hlt, cpuid (L2), msr, cpuid", "the fewest first; the sum stays");
	key('s');
	key('s');
	ok(state.sort == TOP_KERNEL, "a column that reasons do not have is left out");
	key('G');
	ok(state.sort == TOP_KERNEL, "nor has it a letter");
	key('X');
	ok(state.sort == TOP_MAX, "a column's letter");
	key('s');
	ok(state.sort == TOP_NAME, "after the last column the first");
	key('O');
	is(names(), "[all], hlt, cpuid, msr, cpuid (L2)", "what is equal: the most exits first");
	key('r');
	key('r');
	ok(!state.reverse, "reversed twice");
	key('P');
	key(KEY_LEFT);
	ok(top_sort(&state, true) == TOP_RATE, "VMs have no percentiles: by rate");
	is(names(), "[all], 3/0, 12/0, 0/0, 3/1", "and so they are");
	key('\r');
	ok(top_sort(&state, true) == TOP_P99, "but reasons are by percentile again");
	ok(top_sort(&state, false) == TOP_RATE, "unless the source knows of none");
	key('s');
	ok(state.sort == TOP_MAX, "the next column");
	key(KEY_LEFT);
	key('s');
	ok(state.sort == TOP_GUEST, "the next column of a level that does not have the last one");
	key('N');
	is(names(), "[all], 0/0, 3/0, 3/1, 12/0", "vCPUs by number");
	end();
}

static void selection(void)
{
	start(BY_REASON, true);
	make();
	key('j');
	key('j');
	is(names(), "all, cpuid, [msr], cpuid (L2), hlt", "the selected row");
	key('N');
	is(names(), "all, cpuid, cpuid (L2), hlt, [msr]", "stays it where the order changes");
	top_scroll(&state, &rows);
	ok(state.first == 1, "and comes in sight");
	key(KEY_HOME);
	is(names(), "[all], cpuid, cpuid (L2), hlt, msr", "Home");
	key(KEY_UP);
	is(names(), "[all], cpuid, cpuid (L2), hlt, msr", "no further up");
	key(KEY_NPAGE);
	is(names(), "all, cpuid, cpuid (L2), [hlt], msr", "a page down");
	key(KEY_NPAGE);
	key('j');
	is(names(), "all, cpuid, cpuid (L2), hlt, [msr]", "no further down");
	top_scroll(&state, &rows);
	key(KEY_PPAGE);
	key('k');
	top_scroll(&state, &rows);
	ok(state.first == 0, "up again");
	state.height = 0;
	key(KEY_NPAGE);
	key('h');
	ok(state.histogram, "h");
	key('h');
	ok(!state.histogram, "h again");
	end();
}

static void filters(void)
{
	start(BY_REASON, false);
	make();
	key('/');
	type("QEMU");
	is(names(), "[all], 3", "a filter, whatever the case");
	key('\r');
	is(names(), "all, [3]", "Enter keeps it, and is at what was found");
	ok(rows.list[0].exits == 206, "the sum stays that of all");
	key('\r');
	is(names(), "[all], 3/0, 3/1", "it is not that of the level below");
	key('/');
	type("/1q?sx");
	key(127);
	key(KEY_BACKSPACE);
	key('\b');
	key('\b');
	is(names(), "[all], 3/1", "Backspace takes from it; letters are no keys meanwhile");
	key(27);
	is(names(), "[all], 3/0, 3/1", "Esc clears it");
	ok(state.mode == TOP_MODE_ROWS, "and is its end");
	type("/1\r");
	key(KEY_LEFT);
	key('\r');
	is(names(), "[all], 3/0, 3/1", "who comes again begins without one");
	key(KEY_LEFT);
	is(names(), "all, [3]", "that of the level above is still there");
	key(27);
	is(names(), "all, [3], 12, 0", "Esc clears it later, too");
	key('/');
	type("4200\r");
	is(names(), "all, [12]", "by pid; a selected row that is filtered out");
	snprintf(run.vms[1].name, sizeof(run.vms[1].name), "web");
	key('/');
	type("\b\b\b\bwe\r");
	is(names(), "all, [3]", "by the name that QEMU was given");
	ok(!strcmp(top_vm_name(row("3")->vm), "web"), "which is its name");
	key(27);
	ok(!strcmp(top_vm_name(row("12")->vm), "kvmstat-guest") &&
	   !strcmp(top_vm_name(row("0")->vm), "(earlier VMs)"), "others have their command");
	key('/');
	type("0000000000000000000000000000000000000000000");
	ok(strlen(state.filter[0]) == TOP_FILTER_MAX - 1, "a long filter ends");
	is(names(), "[all]", "nothing is like it");
	key('\r');
	key('\r');
	is(names(), "[all], 3/0, 12/0, 0/0, 3/1", "the sum is there to go into");
	end();
}

static void other_keys(void)
{
	start(BY_REASON, false);
	make();
	ok(key('p') && state.paused && key(' ') && !state.paused, "p, space");
	key('?');
	ok(state.mode == TOP_MODE_HELP, "?");
	ok(key(ERR) && state.mode == TOP_MODE_HELP, "no key is none");
	ok(key(KEY_RESIZE) && state.mode == TOP_MODE_HELP, "nor is a new size");
	ok(key('q') && state.mode == TOP_MODE_ROWS, "any key ends the help");
	ok(key('Z') && key(1) && key(KEY_F(3)) && key(0x2500), "keys without a meaning");
	is(names(), "[all], 3, 12, 0", "do nothing");
	ok(!key('q'), "q");
	end();
}

/* Of two snapshots */
static void windows(void)
{
	struct top_history history = { 0 };
	struct run before, now, window;
	const struct top_row *msr;
	double rates[TREND_MAX];
	struct part all = { 0 };
	size_t i;

	make_run(&before, 1);
	make_run(&now, 3);
	/* Of these nothing is in the window. */
	count(&before.vms[0].vcpus[0], CPUID, 1, 0, 50000, 100);
	count(&now.vms[0].vcpus[0], CPUID, 1, 0, 50000, 100);
	run_sum(&before);
	run_sum(&now);
	run_copy(&window, &now);
	ok(window_since(&window, &before) == 0, "a window of 2 seconds");
	start(BY_REASON, true);
	top_rows_make(&rows, &state, &now, &window);
	msr = row("msr");
	ok(msr->exits == 510 && msr->value[TOP_RATE] == 210, "exits are of all time, rates of the window");
	ok(row("hlt")->exits == 4 && row("hlt")->value[TOP_RATE] == 0 &&
	   isnan(row("hlt")->value[TOP_MEAN]), "a reason that is not in the window");
	is(names(), "[all], msr, cpuid, cpuid (L2), hlt", "sorted by the window's rate");
	ok(row("cpuid")->value[TOP_MEAN] == 1000 && row("cpuid")->bounds, "the mean, and a bound");
	ok(fabs(row("cpuid")->value[TOP_KERNEL] - 200000 / 3414000.) < 1e-9,
	   "a reason's share is of all vCPUs' time");
	top_rows_free(&rows);
	state.level = TOP_VMS;
	top_rows_make(&rows, &state, &now, &window);
	ok(row("12")->value[TOP_KERNEL] == 1 && row("12")->value[TOP_GUEST] == 0,
	   "a VM's share is of its own");
	ok(isnan(row("0")->value[TOP_GUEST]) && row("0")->value[TOP_RATE] == 0,
	   "one without a window has none");
	state.sort = TOP_GUEST;
	state.reverse = true;
	top_rows_free(&rows);
	top_rows_make(&rows, &state, &now, &window);
	is(names(), "[all], 12, 3, 0", "what is not known is last, either way");

	for (i = 0; i < TREND_MAX + 5; i++)
		history_add(&history, i < TREND_MAX + 4 ? &before : &window);
	ok(history_trend(&history, &all, rates, 3) == 3 && rates[0] == 50206 && rates[2] == 317,
	   "the trend: the newest is the last");
	ok(history_trend(&history, &row("3")->part, rates, TREND_MAX) == TREND_MAX &&
	   rates[TREND_MAX - 1] == 157, "of a VM");
	history_clear(&history);
	ok(history_trend(&history, &all, rates, 3) == 0, "forgotten");
	ok(trend_height(0, 10, 7) == 0 && trend_height(0.1, 10, 7) == 1 &&
	   trend_height(10, 10, 7) == 7 && trend_height(0, 0, 7) == 0,
	   "what is not 0 is seen to be not 0");
	run_free(&before);
	run_free(&now);
	run_free(&window);
	end();
}

/* The parts of all rows of a level are all there is, each once. */
static void parts(enum by by)
{
	struct top_history history = { 0 };
	double rate, sum = 0, all = 0;
	struct histogram h;
	uint64_t ended = 0;
	char name[80];
	size_t i;

	start(by, true);
	make();
	history_add(&history, &run);
	history_trend(&history, &rows.list[0].part, &all, 1);
	for (i = 1; i < rows.nr; i++) {
		history_trend(&history, &rows.list[i].part, &rate, 1);
		sum += rate == rows.list[i].exits ? rate : NAN;
		top_histogram(&h, &run, &rows.list[i].part);
		ended += h.ended == rows.list[i].exits ? h.ended : 1000000;
	}
	snprintf(name, sizeof(name), "by %s: trends and histograms add up", by_name(by));
	ok(sum == 206 && all == 206 && ended == 206, name);
	history_clear(&history);
	end();
}

static void new_load(void)
{
	start(BY_REASON, false);
	make();
	key('j');
	key('\r');
	key('j');
	top_state_forget(&state);
	make();
	is(names(), "[all], 3, 12, 0", "another load of the module: out of the VM that is gone");
	end();
}

static void bars(void)
{
	struct top_bar bar[KVMSTAT_HISTOGRAM_BUCKETS];
	struct histogram h = { 0 };
	uint64_t sum = 0;
	size_t nr, i;

	ok(top_bars(bar, 8, &h) == 0, "no bars of nothing");
	h.buckets[histogram_bucket(1000)] = 900;
	h.buckets[histogram_bucket(11000)] = 100;
	h.ended = 1000;
	ok(top_bars(bar, 0, &h) == 0, "nor where there is no room");
	nr = top_bars(bar, 100, &h);
	ok(nr == histogram_bucket(11000) - histogram_bucket(1000) + 1 && bar[0].lower == 896 &&
	   bar[0].upper == 1023 && bar[0].exits == 900 && bar[nr - 1].exits == 100,
	   "a bar for each bucket from the lowest to the highest");
	ok(top_bars(bar, 8, &h) == 8, "as wide as they must be");
	nr = top_bars(bar, 5, &h);
	for (i = 0; i < nr; i++)
		sum += bar[i].exits;
	ok(nr == 5 && bar[0].lower == 512 && bar[0].upper == 1023 && sum == 1000,
	   "wider ones where there is less room");
	nr = top_bars(bar, 1, &h);
	ok(nr == 1 && bar[0].exits == 1000, "one");
	memset(&h, 0, sizeof(h));
	h.buckets[0] = h.buckets[KVMSTAT_HISTOGRAM_BUCKETS - 1] = 1;
	h.ended = 2;
	nr = top_bars(bar, 3, &h);
	ok(nr <= 3 && bar[nr - 1].upper == UINT64_MAX, "from 0 to the last bucket, which has no end");
}

int main(void)
{
	levels();
	beginnings();
	sorting();
	selection();
	filters();
	other_keys();
	windows();
	parts(BY_VM);
	parts(BY_VCPU);
	parts(BY_REASON);
	parts(BY_CLASS);
	parts(BY_DETAIL);
	new_load();
	bars();
	printf("1..%d\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
