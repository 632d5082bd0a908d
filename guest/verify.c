// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs guests against the module, or the BPF collector, and compares the counts.
 *
 * Exits that the host itself causes (interrupts, NMIs, SMIs) fall where they
 * like; they are counted apart. Every other exit must have been expected.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../bpf/collector.h"
#include "../user/message.h"
#include "../user/reasons.h"
#include "counts.h"
#include "cpu.h"
#include "memory_map.h"
#include "verify.h"
#include "vm.h"

/* Of one vCPU. */
struct measurement {
	struct counter counter;
	bool failed;
	struct counts at[3];	/* by MARK_*; 0: before the guest */
	uint64_t visits[3];	/* of userspace, likewise */
};

/* What one vCPU of a guest is compared with. */
struct run {
	const struct expected *expect;
	uint32_t isa;
	uint64_t count;
	unsigned int vcpu_id;
	uint64_t noise;		/* exits that the host's interrupts caused */
};

static void take_counts(struct vcpu *vcpu, int which)
{
	struct measurement *m = (struct measurement *)vcpu->vm->context + vcpu->id;

	if (m->failed)
		return;
	if (which > MARK_STOP || counts_read(&m->counter, vcpu->id, &m->at[which])) {
		m->failed = true;
		return;
	}
	m->visits[which] = vcpu->visits;
}

struct bounds {
	uint64_t least, most;
};

static bool concerns(const struct expected *expect, unsigned int vcpu_id)
{
	return expect->of == ALL_VCPUS || (expect->of == FIRST_VCPU) == !vcpu_id;
}

static struct bounds expected_of(const struct run *run, uint64_t code)
{
	struct bounds sum = { };
	size_t i;

	for (i = 0; i < EXPECT_MAX && expected_listed(&run->expect[i]); i++) {
		const struct expected *expect = &run->expect[i];

		if (expect->code != code || !concerns(expect, run->vcpu_id))
			continue;
		sum.least += expect->per_op * run->count + expect->once;
		if (expect->every)
			sum.most += run->count / expect->every;
		if (expect->interrupts)
			sum.most += run->noise;
	}
	sum.most += sum.least;
	return sum;
}

/* Prints one reason; false when the count is not what it must be. */
static bool report_reason(const struct run *run, uint64_t code, uint64_t counted)
{
	struct bounds expected = expected_of(run, code);
	bool ok = counted >= expected.least && counted <= expected.most;
	char name[REASON_NAME_MAX], up_to[32] = "";

	if (expected.most > expected.least)
		snprintf(up_to, sizeof(up_to), " to %llu", (unsigned long long)expected.most);
	printf("#   %-22s expected %8llu%s  counted %8llu%s\n", reason_name(run->isa, code, name),
	       (unsigned long long)expected.least, up_to, (unsigned long long)counted,
	       ok ? "" : "  <-- differs");
	return ok;
}

/* Of this vCPU, by one of the first so many of the list. */
static bool is_expected(const struct run *run, uint64_t code, size_t first)
{
	size_t i;

	for (i = 0; i < first && expected_listed(&run->expect[i]); i++)
		if (run->expect[i].code == code && concerns(&run->expect[i], run->vcpu_id))
			return true;
	return false;
}

/* What was expected first, then what was not. */
static bool compare(struct run *run, const struct counts *before, const struct counts *after)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < after->nr; i++)
		if (is_host_noise(run->isa, after->of[i].code))
			run->noise += after->of[i].exits - exits_of(before, after->of[i].code);
	for (i = 0; i < EXPECT_MAX && expected_listed(&run->expect[i]); i++) {
		uint64_t code = run->expect[i].code;

		if (!is_expected(run, code, i) && is_expected(run, code, i + 1))
			ok &= report_reason(run, code, exits_of(after, code) - exits_of(before, code));
	}
	for (i = 0; i < after->nr; i++) {
		uint64_t code = after->of[i].code;
		uint64_t exits = after->of[i].exits - exits_of(before, code);

		if (exits && !is_host_noise(run->isa, code) && !is_expected(run, code, EXPECT_MAX))
			ok &= report_reason(run, code, exits);
	}
	if (run->noise)
		printf("#   (host interrupts: %llu)\n", (unsigned long long)run->noise);
	if (after->untraced != before->untraced)
		printf("#   (untraced: %llu)\n",
		       (unsigned long long)(after->untraced - before->untraced));
	return ok;
}

static bool compare_vcpu(const struct vm *vm, unsigned int vcpu_id, enum world world,
			 uint64_t count, const struct measurement *m)
{
	struct run run = {
		.expect = vm->guest->expect[world], .isa = m->counter.isa, .count = count,
		.vcpu_id = vcpu_id,
	};

	if (vm->nr_vcpus > 1)
		printf("# vCPU %u\n", vcpu_id);
	if (vm->guest->in_kernel && m->visits[MARK_STOP] - m->visits[MARK_START] != 1) {
		printf("#   in userspace           expected        1  counted %8llu  <-- differs\n",
		       (unsigned long long)(m->visits[MARK_STOP] - m->visits[MARK_START]));
		return false;
	}
	return compare(&run, &m->at[vm->guest->measured ? MARK_START : 0], &m->at[MARK_STOP]);
}

static bool verify_guest(const struct guest *guest, enum world world,
			 const struct verify_options *options, uint64_t count, const struct counter *counter)
{
	struct measurement m[VCPUS_MAX] = {};
	/* What a guest prints is not TAP. */
	const struct vm_options vm_options = {
		.vcpus = options->vcpus, .count = count, .quiet = true,
	};
	struct vm *vm = vm_create(guest, &vm_options);
	unsigned int i;
	bool ok;

	for (i = 0; i < vm->nr_vcpus; i++) {
		m[i].counter = *counter;
		m[i].counter.isa = world_isa(world);
	}
	vm->mark = take_counts;
	vm->context = m;
	ok = !vm_run(vm);
	for (i = 0; i < vm->nr_vcpus && ok; i++) {
		if (!guest->measured)
			take_counts(&vm->vcpus[i], MARK_STOP);
		ok = !m[i].failed && compare_vcpu(vm, i, world, count, &m[i]);
	}
	vm_destroy(vm);
	return ok;
}

/* A count for all guests means for each as far as it goes. */
static uint64_t operations(const struct guest *guest, uint64_t count)
{
	if (!count)
		return guest->count;
	return guest->count_max && count > guest->count_max ? guest->count_max : count;
}

/* One line for a guest, the numbers before it as TAP's diagnostics; false: it failed. */
static bool verify_one(const struct guest *guest, size_t number, enum world world,
		       const struct verify_options *options, const struct counter *counter)
{
	uint64_t count = operations(guest, options->count);
	const char *lacking = guest->needs ? guest->needs(world) : NULL;
	bool ok = lacking || verify_guest(guest, world, options, count, counter);

	printf("%sok %zu - %s (%s) x %llu: %s", ok ? "" : "not ", number, guest->name,
	       modes[guest->mode].name, (unsigned long long)count, guest->description);
	if (lacking)
		printf(" # SKIP %s", lacking);
	putchar('\n');
	fflush(stdout);
	return ok;
}

int verify(const struct guest * const *guests, size_t nr, const struct verify_options *options)
{
	struct counter counter = { };
	enum world world;
	size_t i, failed = 0;

	if (counter_open(&counter, options->source))
		return EXIT_FAILED;
	if (cpu_world(&world)) {
		counter_close(&counter);
		return EXIT_FAILED;
	}
	printf("TAP version 13\n1..%zu\n# %s, counted by %s\n", nr, world_name(world),
	       counter.collector ? collector_way(counter.collector) : "the module");
	for (i = 0; i < nr; i++)
		failed += !verify_one(guests[i], i + 1, world, options, &counter);
	counter_close(&counter);
	if (failed)
		error("%zu of %zu guests were not counted as expected", failed, nr);
	return failed ? EXIT_FAILED : EXIT_DONE;
}
