// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The arithmetic of kvmstat-report, without a module: windows (a VM that the
 * module forgets inside one, a reset inside one), means, significance, names.
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
	struct reason *reason = reasons_get(&vcpu->reasons, KVMSTAT_ISA_SVM, code);

	reason->exits += exits;
	reason->cycles += cycles;
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
	is(window_since(&after, &before), 0, "a window");
	is(after.window_ns, 4000, "its length");
	is(exits_of(&after, "cpuid"), 15, "exits are the difference");
	is(exits_of(&after, "hlt"), 3, "a vCPU that is new counts whole");
	is(after.totals.exits, 18, "the total is the sum");
	is(after.totals.cycles, 180, "cycles, too");
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

static void significance(void)
{
	const struct spread a = { 100, 10 }, b = { 200, 10 }, c = { 105, 10 };
	const struct spread exact = { 14, 0 }, other = { 15, 0 }, unknown = { 500, NAN };

	ok(spread_differs(a, 5, b, 5), "100 +- 10 and 200 +- 10 differ");
	ok(!spread_differs(a, 5, c, 5), "100 +- 10 and 105 +- 10 may be the same");
	ok(!spread_differs(a, 1, b, 1), "single runs tell nothing");
	ok(!spread_differs(a, 2, unknown, 2), "nor does an unknown spread");
	ok(spread_differs(exact, 2, other, 2), "counts that never vary differ");
	ok(!spread_differs(exact, 2, exact, 2), "or do not");
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

/* A snapshot with one VM, one vCPU and one cell. */
static struct {
	struct kvmstat_snapshot head;
	struct kvmstat_vm vm;
	struct kvmstat_vcpu vcpu;
	struct kvmstat_cell cell;
} sound = {
	.head = {
		.magic = KVMSTAT_MAGIC, .abi_version = KVMSTAT_ABI_VERSION,
		.header_size = sizeof(struct kvmstat_snapshot),
		.vm_size = sizeof(struct kvmstat_vm), .vcpu_size = sizeof(struct kvmstat_vcpu),
		.cell_size = sizeof(struct kvmstat_cell),
		.nr_vms = 1, .nr_vcpus = 1, .nr_cells = 1,
	},
	.vm = { .id = 1, .nr_vcpus = 1 },
	.vcpu = { .nr_cells = 1 },
};

/* Of a copy in which the 32 bits at 'field' were replaced. */
static int check_with(const void *field, uint32_t value, size_t size)
{
	__typeof__(sound) copy = sound;
	struct snapshot snap = { &copy.head, size };

	memcpy((char *)&copy + ((const char *)field - (const char *)&sound), &value, sizeof(value));
	return snapshot_check(&snap);
}

static void snapshots(void)
{
	const size_t size = sizeof(sound);

	is(check_with(&sound.head.reserved, 0, size), 0, "a sound snapshot");
	ok(check_with(&sound.head.reserved, 0, size - 1) < 0, "cut short");
	ok(check_with(&sound.head.reserved, 0, 50) < 0, "cut in its header");
	ok(check_with(&sound.head.magic, 1, size) < 0, "wrong magic number");
	ok(check_with(&sound.head.abi_version, 99, size) < 0, "another version");
	ok(check_with(&sound.head.nr_cells, 2, size) < 0, "more cells than there is room for");
	ok(check_with(&sound.head.nr_vms, UINT32_MAX, size) < 0, "very many VMs");
	ok(check_with(&sound.head.cell_size, 8, size) < 0, "small records");
	ok(check_with(&sound.vm.first_vcpu, 1, size) < 0, "a VM's vCPU that is not there");
	ok(check_with(&sound.vcpu.first_cell, UINT32_MAX, size) < 0, "a cell that is not there");
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
	windows_refused();
	means();
	significance();
	names();
	snapshots();
	printf("1..%d\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
