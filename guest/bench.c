// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an operation costs: as the guest sees it, and as the module does.
 *
 * The guest reads its TSC between its marks. KVM gives it the host's with an
 * offset (SDM vol. 3, 26.3; APM vol. 2, 15.30.5), and scales it only where it is
 * asked to, so the guest's cycles are the host's. Its own loop is in them.
 *
 * The module counts from kvm_exit to kvm_entry: the way from the guest to KVM and
 * back, and the module's probes, are time of the guest to it. A mark is an OUT, by
 * its exit code known from all operations but other OUTs. What the marks cost, and
 * the reading of the counters at them, is all that the first row's guest has: that
 * is taken off where it cannot be told apart.
 *
 * A busy host only ever adds. Of several rounds the one in the middle counts, by
 * what the guest saw; a row is of one round, so that its columns go together.
 */
#include <asm/svm.h>
#include <asm/vmx.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../user/device.h"
#include "../user/message.h"
#include "bench.h"
#include "catalogue.h"
#include "counts.h"
#include "cpu.h"
#include "memory_map.h"
#include "vm.h"

#define ROUNDS	5
#define COUNT	1000

enum { NOTHING, HYPERCALL, IN_KERNEL, TO_USERSPACE };

static const struct {
	const char *guest;	/* of the catalogue, in long mode */
	const char *operation;
	bool outs;		/* its marks' exits are counted with its own */
} rows[] = {
	[NOTHING] = { "rdtsc", "RDTSC (no exit)", .outs = true },
	[HYPERCALL] = { "hypercall", "hypercall" },
	[IN_KERNEL] = { "ioeventfd", "port OUT, kernel", .outs = true },
	[TO_USERSPACE] = { "port-out", "port OUT, userspace", .outs = true },
	{ "cpuid", "CPUID" },
	{ "msr-read", "MSR read" },
	{ "mmio", "MMIO write, userspace" },
	{ "touch", "first touch of a page" },
	{ "hlt", "HLT, userspace resumes" },
	{ "self-ipi", "IPI to itself, and EOI" },
	{ "ipi", "IPI to a vCPU and back" },
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Of all operations of one round. */
struct sums {
	uint64_t seen;		/* cycles, by the guest's TSC */
	struct count counted;	/* by the module: exits of all codes */
};

/* Of the vCPU that begins. */
struct measurement {
	struct counter *counter;	/* NULL: no module */
	bool outs;
	struct count at[3];		/* by MARK_* */
	uint64_t seen;
	bool failed;
};

struct row {
	const struct guest *guest;
	const char *lacking;	/* why it cannot run here, or NULL */
	uint64_t count;
	bool outs;
	struct sums rounds[ROUNDS];
};

static bool is_out(uint32_t isa, uint64_t code)
{
	return code == (isa == KVMSTAT_ISA_SVM ? SVM_EXIT_IOIO : EXIT_REASON_IO_INSTRUCTION);
}

static struct count sum_of(const struct counts *counts, uint32_t isa, bool outs)
{
	struct count sum = { };
	size_t i;

	for (i = 0; i < counts->nr; i++) {
		const struct count *one = &counts->of[i];

		if (is_host_noise(isa, one->code) || (is_out(isa, one->code) && !outs))
			continue;
		sum.exits += one->exits;
		sum.kernel_cycles += one->kernel_cycles;
		sum.user_cycles += one->user_cycles;
		sum.offcpu_cycles += one->offcpu_cycles;
	}
	return sum;
}

/* What is taken off was measured at another time, and may be the greater. */
static uint64_t less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

static struct count difference(const struct count *from, const struct count *what)
{
	return (struct count) {
		.exits = less(from->exits, what->exits),
		.kernel_cycles = less(from->kernel_cycles, what->kernel_cycles),
		.user_cycles = less(from->user_cycles, what->user_cycles),
		.offcpu_cycles = less(from->offcpu_cycles, what->offcpu_cycles),
	};
}

/* Of two vCPUs that send each other IPIs the last one begins. */
static void measure(struct vcpu *vcpu, int which)
{
	struct measurement *m = vcpu->vm->context;
	struct counts counts;
	struct kvm_regs regs;

	if (vcpu->id != vcpu->vm->nr_vcpus - 1)
		return;
	if (which == MARK_STOP) {
		vm_ioctl(vcpu->fd, KVM_GET_REGS, &regs, "KVM_GET_REGS");
		m->seen = regs.r14;
	}
	if (!m->counter)
		return;
	if (counts_read(m->counter, vcpu->id, &counts))
		m->failed = true;
	else
		m->at[which] = sum_of(&counts, m->counter->isa, m->outs);
}

static int run(const struct row *row, struct counter *counter, struct sums *to)
{
	const struct vm_options options = { .vcpus = 1, .count = row->count, .quiet = true };
	struct measurement m = { .counter = counter, .outs = row->outs };
	struct vm *vm = vm_create(row->guest, &options);
	int err;

	vm->mark = measure;
	vm->context = &m;
	err = vm_run(vm);
	vm_destroy(vm);
	to->seen = m.seen;
	to->counted = difference(&m.at[MARK_STOP], &m.at[MARK_START]);
	return err || m.failed ? -1 : 0;
}

static int run_round(struct row *table, int round, struct counter *counter)
{
	struct count marks;
	size_t i;

	for (i = 0; i < NR_ROWS; i++)
		if (!table[i].lacking && run(&table[i], counter, &table[i].rounds[round]))
			return -1;
	marks = table[NOTHING].rounds[round].counted;
	for (i = 0; i < NR_ROWS; i++) {
		struct count *counted = &table[i].rounds[round].counted;

		if (table[i].outs)
			*counted = difference(counted, &marks);
	}
	return 0;
}

static int by_seen(const void *a, const void *b)
{
	uint64_t x = ((const struct sums *)a)->seen, y = ((const struct sums *)b)->seen;

	return x < y ? -1 : x > y;
}

/* Leaves the round that counts first. */
static void choose_rounds(struct row *table)
{
	size_t i;

	for (i = 0; i < NR_ROWS; i++) {
		qsort(table[i].rounds, ROUNDS, sizeof(table[i].rounds[0]), by_seen);
		table[i].rounds[0] = table[i].rounds[ROUNDS / 2];
	}
}

static void prepare(struct row *table, enum world world, uint64_t count)
{
	size_t i;

	for (i = 0; i < NR_ROWS; i++) {
		const struct guest *guest = catalogue_find(rows[i].guest, MODE_LONG);
		bool fits = !guest->count_max || count <= guest->count_max;

		table[i].guest = guest;
		table[i].outs = rows[i].outs;
		table[i].lacking = guest->needs ? guest->needs(world) : NULL;
		table[i].count = fits ? count : guest->count_max;
	}
}

static double seen(const struct row *row)
{
	return (double)row->rounds[0].seen / row->count;
}

static void print_cycles(uint64_t cycles, uint64_t count)
{
	printf(" %7.0f", (double)cycles / count);
}

static void print_row(const struct row *table, size_t which, bool counted)
{
	const struct row *row = &table[which];
	const struct count *c = &row->rounds[0].counted;

	if (row->lacking) {
		printf("%-22s not here: %s\n", rows[which].operation, row->lacking);
		return;
	}
	printf("%-22s %5llu", rows[which].operation, (unsigned long long)row->count);
	if (counted)
		printf(" %5.4g", (double)c->exits / row->count);
	else
		printf(" %5s", "-");
	print_cycles(row->rounds[0].seen, row->count);
	if (counted) {
		print_cycles(c->kernel_cycles, row->count);
		print_cycles(c->user_cycles, row->count);
		print_cycles(c->offcpu_cycles, row->count);
		print_cycles(c->kernel_cycles + c->user_cycles + c->offcpu_cycles, row->count);
	} else {
		printf(" %7s %7s %7s %7s", "-", "-", "-", "-");
	}
	printf(" %4.2fx\n", seen(row) / seen(&table[HYPERCALL]));
}

static void print_summary(const struct row *table, bool counted)
{
	const struct row *trap = &table[TO_USERSPACE];
	const struct count *c = &trap->rounds[0].counted;
	double hypercall = seen(&table[HYPERCALL]), kernel = seen(&table[IN_KERNEL]);

	printf("\nA hypercall costs the guest %.0f cycles, a port OUT that the kernel takes %.0f: %.2f times,\n"
	       "and one that traps to userspace %.0f: %.2f times.\n", hypercall, kernel,
	       kernel / hypercall, seen(trap), seen(trap) / hypercall);
	if (counted)
		printf("Of these %.0f KVM has %.0f and userspace %.0f; the rest is the way there and back.\n",
		       seen(trap), (double)c->kernel_cycles / trap->count,
		       (double)c->user_cycles / trap->count);
}

static void print_table(const struct row *table, enum world world, bool counted)
{
	size_t i;

	printf("%s; TSC cycles for each operation, of %d rounds the middle one\n\n",
	       world_name(world), ROUNDS);
	printf("%-22s %5s %5s %7s %7s %7s %7s %7s %5s\n", "OPERATION", "COUNT", "EXITS", "SEEN",
	       "KERNEL", "USER", "OFFCPU", "TOTAL", "RATIO");
	for (i = 0; i < NR_ROWS; i++)
		print_row(table, i, counted);
	print_summary(table, counted);
}

int bench(uint64_t count)
{
	struct row table[NR_ROWS] = { };
	struct counter counter = { }, *with = NULL;
	enum world world;
	int round, err = 0;

	if (cpu_world(&world))
		return EXIT_FAILED;
	device_alternative = " to have what it counts, too";
	counter.device = device_open(false);
	counter.isa = world_isa(world);
	if (counter.device >= 0)
		with = &counter;
	prepare(table, world, count ? count : COUNT);
	for (round = 0; round < ROUNDS && !err; round++)
		err = run_round(table, round, with);
	if (with)
		close(counter.device);
	if (err)
		return EXIT_FAILED;
	choose_rounds(table);
	print_table(table, world, with);
	return EXIT_DONE;
}
