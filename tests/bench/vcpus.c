// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an exit costs, in the clock of the lab, which counts instructions:
 * vcpus [--vcpus N] [--exits N] [--rounds N] [--inspect]
 *
 * N vCPUs, four to a VM, stand at the same time. Each first exits for several
 * reasons. Then one thread runs them in turn, and each KVM_RUN takes a number
 * of CPUID exits, which KVM handles itself, and one OUT, which comes back here.
 * A round is done with few CPUIDs in each KVM_RUN and with many: the difference
 * of the two times, by the difference of the exits, is what one exit and the
 * entry after it cost, without what KVM_RUN and OUT cost.
 *
 * Prints NAME VALUE lines: exits (CPUIDs, all that were taken), cost (median of
 * the rounds), run (what a KVM_RUN costs besides, with the OUT that ends it);
 * with --inspect, kvmstat's snapshot of all that.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/kvm.h>
#include <x86intrin.h>

#include "../../user/device.h"

#define PAGE		4096
#define VCPUS_PER_VM	4
#define FEW		10	/* CPUIDs in a KVM_RUN */
#define MANY		110
#define ROUNDS_MAX	99
#define PORT_TOUR	0x10	/* the guest's OUT at the end of each part */
#define PORT_BATCH	0x11
#define TSS_ADDRESS	0xfffbd000	/* out of the way; KVM on VMX wants one */

/* In real mode at 0; its page is shared by the VM's vCPUs. */
#define COUNT_AT	0x800
static const uint8_t code[] = {
	/* The tour: CPUID, RDMSR, IN, HLT, WBINVD, OUT, and the page fault before it. */
	0x66, 0x31, 0xc0,			/* xor %eax,%eax */
	0x0f, 0xa2,				/* cpuid */
	0x66, 0xb9, 0x8b, 0x00, 0x00, 0x00,	/* mov $MSR_IA32_UCODE_REV,%ecx */
	0x0f, 0x32,				/* rdmsr */
	0xe4, PORT_TOUR,			/* in $PORT_TOUR,%al */
	0xf4,					/* hlt */
	0x0f, 0x09,				/* wbinvd */
	0xe6, PORT_TOUR,			/* out %al,$PORT_TOUR */
	/* again: */
	0x66, 0x8b, 0x36, COUNT_AT & 0xff, COUNT_AT >> 8,	/* mov COUNT_AT,%esi */
	/* next: */
	0x66, 0x31, 0xc0,			/* xor %eax,%eax */
	0x0f, 0xa2,				/* cpuid */
	0x66, 0x4e,				/* dec %esi */
	0x75, 0xf7,				/* jnz next */
	0xe6, PORT_BATCH,			/* out %al,$PORT_BATCH */
	0xeb, 0xee,				/* jmp again */
};

struct vcpu {
	int fd;
	struct kvm_run *run;
};

static int kvm, run_size;
static struct vcpu *vcpus;
static uint8_t **pages;		/* one per VM */
static unsigned int nr_vcpus = 1, nr_vms;
static uint64_t exits = 100000, taken;
static unsigned int rounds = 3;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "vcpus: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int must(int ret, const char *what)
{
	if (ret < 0)
		die(what);
	return ret;
}

static void create_vcpu(struct vcpu *vcpu, int vm, int id)
{
	struct kvm_regs regs = { .rflags = 2 };		/* bit 1 is always set */
	struct kvm_sregs sregs;

	vcpu->fd = must(ioctl(vm, KVM_CREATE_VCPU, id), "KVM_CREATE_VCPU");
	vcpu->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		die("the vCPU's shared page");
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static int create_vm(unsigned int index)
{
	struct kvm_userspace_memory_region region = { .memory_size = PAGE };
	int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");

	must(ioctl(vm, KVM_SET_TSS_ADDR, TSS_ADDRESS), "KVM_SET_TSS_ADDR");
	pages[index] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (pages[index] == MAP_FAILED)
		die("memory for the guest");
	memcpy(pages[index], code, sizeof(code));
	region.userspace_addr = (uintptr_t)pages[index];
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	return vm;
}

static void create_all(void)
{
	struct rlimit files = { 16384, 16384 };
	unsigned int i;
	int vm = -1;

	nr_vms = (nr_vcpus + VCPUS_PER_VM - 1) / VCPUS_PER_VM;
	vcpus = calloc(nr_vcpus, sizeof(*vcpus));
	pages = calloc(nr_vms, sizeof(*pages));
	if (!vcpus || !pages)
		die("memory");
	must(setrlimit(RLIMIT_NOFILE, &files), "more files");
	kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	run_size = must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL), "KVM_GET_VCPU_MMAP_SIZE");
	for (i = 0; i < nr_vcpus; i++) {
		if (i % VCPUS_PER_VM == 0)
			vm = create_vm(i / VCPUS_PER_VM);
		create_vcpu(&vcpus[i], vm, i % VCPUS_PER_VM);
	}
}

/* Until the guest's OUT to 'port'. */
static void run_to(struct vcpu *vcpu, uint16_t port)
{
	struct kvm_run *run = vcpu->run;

	for (;;) {
		if (ioctl(vcpu->fd, KVM_RUN, NULL) < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			die("KVM_RUN");
		}
		if (run->exit_reason == KVM_EXIT_HLT)
			continue;
		if (run->exit_reason != KVM_EXIT_IO) {
			fprintf(stderr, "vcpus: unexpected KVM exit %u\n", run->exit_reason);
			exit(1);
		}
		if (run->io.direction == KVM_EXIT_IO_OUT && run->io.port == port)
			return;
	}
}

static void set_batch(uint32_t cpuids)
{
	unsigned int i;

	for (i = 0; i < nr_vms; i++)
		memcpy(pages[i] + COUNT_AT, &cpuids, sizeof(cpuids));
}

/* TSC cycles of 'runs' KVM_RUNs with so many CPUIDs in each. */
static uint64_t measure(unsigned int runs, uint32_t cpuids)
{
	uint64_t start;
	unsigned int i;

	set_batch(cpuids);
	start = __rdtsc();
	for (i = 0; i < runs; i++)
		run_to(&vcpus[i % nr_vcpus], PORT_BATCH);
	taken += (uint64_t)runs * cpuids;
	return __rdtsc() - start;
}

static void warm_up(void)
{
	unsigned int i;

	for (i = 0; i < nr_vcpus; i++)
		run_to(&vcpus[i], PORT_TOUR);
	taken += nr_vcpus;
	measure(2 * nr_vcpus, FEW);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *values)
{
	qsort(values, rounds, sizeof(*values), by_value);
	return values[rounds / 2];
}

static void print_costs(void)
{
	unsigned int runs = exits / (MANY - FEW), i;
	double cost[ROUNDS_MAX] = { 0 }, run[ROUNDS_MAX] = { 0 };

	if (runs < nr_vcpus)
		runs = nr_vcpus;
	for (i = 0; i < rounds; i++) {
		int64_t few = measure(runs, FEW), many = measure(runs, MANY);

		cost[i] = (double)(many - few) / ((double)runs * (MANY - FEW));
		run[i] = (double)few / runs - FEW * cost[i];
	}
	printf("cost %.3f\nrun %.1f\n", median(cost), median(run));
}

static uint64_t count_in(const struct snapshot *snap)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < snap->header->nr_cells; i++)
		sum += snapshot_cell(snap, i)->exits;
	return sum;
}

/* The ioctl alone, into a buffer that is there: as a reader that polls does it. */
static void inspect(void)
{
	int fd = device_open(false);
	struct kvmstat_snapshot_arg arg;
	struct snapshot snap;
	uint64_t start, best = UINT64_MAX;
	int i;

	if (fd < 0 || device_snapshot(fd, &snap) < 0)
		exit(1);
	for (i = 0; i < 5; i++) {
		arg = (struct kvmstat_snapshot_arg) {
			.buffer = (uintptr_t)snap.header,
			.size = snap.size,
		};
		start = __rdtsc();
		must(ioctl(fd, KVMSTAT_IOC_SNAPSHOT, &arg), "KVMSTAT_IOC_SNAPSHOT");
		start = __rdtsc() - start;
		if (start < best)
			best = start;
	}
	printf("snapshot_ns %llu\nsnapshot_bytes %llu\n", (unsigned long long)best,
	       (unsigned long long)arg.size);
	printf("counted %llu\ncounted_vcpus %u\n", (unsigned long long)count_in(&snap),
	       snap.header->nr_vcpus);
	snapshot_free(&snap);
	close(fd);
}

/* What the kernel has taken for itself, in bytes. */
static uint64_t kernel_memory(void)
{
	static const char * const names[] = { "Slab:", "VmallocUsed:", "Percpu:", "PageTables:" };
	FILE *f = fopen("/proc/meminfo", "r");
	unsigned long long kib, sum = 0;
	char line[128], name[64];
	size_t i;

	if (!f)
		die("/proc/meminfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %llu", name, &kib) != 2)
			continue;
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (!strcmp(name, names[i]))
				sum += kib * 1024;
	}
	fclose(f);
	return sum;
}

static unsigned long number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || !value || value > max) {
		fprintf(stderr, "vcpus: not a number from 1 to %lu: %s\n", max, text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "vcpus", required_argument, NULL, 'v' },
		{ "exits", required_argument, NULL, 'e' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "inspect", no_argument, NULL, 'i' },
		{ }
	};
	int c, inspected = 0;
	uint64_t before;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'v':
			nr_vcpus = number(optarg, 4096);
			break;
		case 'e':
			exits = number(optarg, 1000000000);
			break;
		case 'r':
			rounds = number(optarg, ROUNDS_MAX);
			break;
		case 'i':
			inspected = 1;
			break;
		default:
			return 2;
		}
	}
	create_all();
	before = kernel_memory();
	warm_up();
	printf("memory %lld\n", (long long)(kernel_memory() - before));
	print_costs();
	printf("exits %llu\nvms %u\n", (unsigned long long)taken, nr_vms);
	if (inspected)
		inspect();
	return fflush(stdout) ? 1 : 0;
}
