// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Small scenes in real-mode VMs, each with one thing to be found in the counters:
 *
 *   scenes halt       the guest sleeps in HLT for a second, by its APIC's timer
 *   scenes think      the VMM computes for a second between two KVM_RUNs
 *   scenes doze       … or sleeps
 *   scenes compute    the guest computes for about a second, without exits of its own
 *   scenes preempt    … while another thread wants a second of the only CPU
 *   scenes fail N     N times a VM entry that the CPU refuses (VMX)
 *   scenes emulate N  N CPUIDs with segments that no CPU takes in real mode: VMX
 *                     without unrestricted_guest emulates them, and fires no event
 *   scenes churn VMS THREADS   VMs made, run and destroyed, by so many threads at once
 *   scenes hold       a VM that never runs, until the scene is killed. As long as one
 *                     is there, KVM does not patch the kernel for the first VM and
 *                     after the last one (the static keys of preempt notifiers and
 *                     of vCPUs without an APIC)
 *
 * Prints what it knows as shell assignments: 'ns' is the length of what should
 * be found, 'exits' what KVM's own statistics say, of all VMs together.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guests.h"

#define SECOND 1000000000ULL
#define PAGE 4096
#define CODE PAGE	/* guest-physical, below it are the interrupt vectors */

struct vm {
	int kvm, fd, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
	size_t run_size;
};

static void die(const char *what)
{
	fprintf(stderr, "scenes: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int call(int fd, unsigned long request, uintptr_t arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die(what);
	return ret;
}

static size_t offset_of(const uint8_t *guest)
{
	return (uintptr_t)guest - (uintptr_t)guest_code;
}

/* The timer's vector in the real-mode table, the code behind it. */
static void load(struct vm *vm, const uint8_t *guest, uint32_t count, uint64_t flags)
{
	uint16_t vector[2] = { CODE + offset_of(guest_timer), 0 };
	struct kvm_regs regs = {
		.rip = CODE + offset_of(guest), .rsi = count, .rsp = PAGE / 2,
		.rflags = 2 | flags,
	};
	struct kvm_sregs sregs;

	memcpy(vm->memory + 0x40 * sizeof(vector), vector, sizeof(vector));
	memcpy(vm->memory + CODE, guest_code, offset_of(guest_end));
	call(vm->vcpu, KVM_GET_SREGS, (uintptr_t)&sregs, "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	call(vm->vcpu, KVM_SET_SREGS, (uintptr_t)&sregs, "KVM_SET_SREGS");
	call(vm->vcpu, KVM_SET_REGS, (uintptr_t)&regs, "KVM_SET_REGS");
}

/* All that this KVM can give, x2APIC among it. */
static void give_cpuid(struct vm *vm)
{
	enum { ENTRIES = 256 };
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + ENTRIES * sizeof(cpuid->entries[0]));

	if (!cpuid)
		die("calloc");
	cpuid->nent = ENTRIES;
	call(vm->kvm, KVM_GET_SUPPORTED_CPUID, (uintptr_t)cpuid, "KVM_GET_SUPPORTED_CPUID");
	call(vm->vcpu, KVM_SET_CPUID2, (uintptr_t)cpuid, "KVM_SET_CPUID2");
	free(cpuid);
}

static void create(struct vm *vm, bool with_apic)
{
	struct kvm_userspace_memory_region region = { .memory_size = 2 * PAGE };

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		die("/dev/kvm");
	vm->fd = call(vm->kvm, KVM_CREATE_VM, 0, "KVM_CREATE_VM");
	vm->memory = mmap(NULL, region.memory_size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vm->memory == MAP_FAILED)
		die("memory");
	region.userspace_addr = (uintptr_t)vm->memory;
	call(vm->fd, KVM_SET_USER_MEMORY_REGION, (uintptr_t)&region, "KVM_SET_USER_MEMORY_REGION");
	/* Where VMX cannot run real mode it needs room for a TSS. */
	call(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000, "KVM_SET_TSS_ADDR");
	if (with_apic)
		call(vm->fd, KVM_CREATE_IRQCHIP, 0, "KVM_CREATE_IRQCHIP");
	vm->vcpu = call(vm->fd, KVM_CREATE_VCPU, 0, "KVM_CREATE_VCPU");
	vm->run_size = call(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE");
	vm->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
	if (vm->run == MAP_FAILED)
		die("kvm_run");
	if (with_apic)
		give_cpuid(vm);
}

static void destroy(struct vm *vm)
{
	munmap(vm->run, vm->run_size);
	munmap(vm->memory, 2 * PAGE);
	close(vm->vcpu);
	close(vm->fd);
	close(vm->kvm);
}

/* KVM's own count (Documentation/virt/kvm/api.rst, 4.133). */
static uint64_t exits_of(const struct vm *vm)
{
	int fd = call(vm->vcpu, KVM_GET_STATS_FD, 0, "KVM_GET_STATS_FD");
	struct kvm_stats_header header;
	uint64_t value = 0;
	bool found = false;
	uint32_t i;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		die("statistics");
	for (i = 0; i < header.num_desc && !found; i++) {
		size_t size = sizeof(struct kvm_stats_desc) + header.name_size;
		union {
			struct kvm_stats_desc desc;
			char bytes[256];
		} d;

		if (pread(fd, &d, size, header.desc_offset + i * size) != (ssize_t)size)
			die("statistics");
		found = !strcmp(d.desc.name, "exits");
		if (found && pread(fd, &value, 8, header.data_offset + d.desc.offset) != 8)
			die("statistics");
	}
	close(fd);
	if (!found)
		die("no 'exits' among KVM's statistics");
	return value;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static void burn(clockid_t clock, uint64_t ns)
{
	uint64_t end = clock_ns(clock) + ns;

	while (clock_ns(clock) < end)
		;
}

/* Runs until the guest stops; 'exit_reason' of KVM_RUN. */
static uint32_t run(const struct vm *vm)
{
	while (ioctl(vm->vcpu, KVM_RUN, 0) < 0)
		if (errno != EINTR)
			die("KVM_RUN");
	return vm->run->exit_reason;
}

static void expect(const struct vm *vm, uint32_t wanted)
{
	uint32_t found = run(vm);

	if (found == wanted)
		return;
	fprintf(stderr, "scenes: KVM_RUN ended with %u, not %u\n", found, wanted);
	exit(EXIT_FAILURE);
}

static void report(const struct vm *vm, uint64_t ns)
{
	printf("ns=%llu exits=%llu\n", (unsigned long long)ns, (unsigned long long)exits_of(vm));
}

static void halt_scene(void)
{
	struct vm vm;

	create(&vm, true);
	load(&vm, guest_halt, 0, 0);
	expect(&vm, KVM_EXIT_IO);
	report(&vm, SECOND);
	destroy(&vm);
}

static void think_scene(bool asleep)
{
	const struct timespec second = { .tv_sec = 1 };
	struct vm vm;

	create(&vm, false);
	load(&vm, guest_think, 0, 0);
	expect(&vm, KVM_EXIT_IO);
	if (asleep)
		nanosleep(&second, NULL);
	else
		burn(CLOCK_MONOTONIC, SECOND);
	expect(&vm, KVM_EXIT_HLT);
	report(&vm, SECOND);
	destroy(&vm);
}

/* How long the loop takes is measured first, for no machine is like another. */
static uint32_t iterations_of(uint64_t ns)
{
	const uint32_t sample = 20000000;
	uint64_t before, took;
	struct vm vm;

	create(&vm, false);
	load(&vm, guest_compute, sample, 0);
	before = clock_ns(CLOCK_MONOTONIC);
	expect(&vm, KVM_EXIT_IO);
	took = clock_ns(CLOCK_MONOTONIC) - before;
	destroy(&vm);
	return (double)sample * ns / took;
}

static void compute_scene(uint32_t iterations)
{
	uint64_t before;
	struct vm vm;

	create(&vm, false);
	load(&vm, guest_compute, iterations, 0);
	before = clock_ns(CLOCK_MONOTONIC);
	expect(&vm, KVM_EXIT_IO);
	report(&vm, clock_ns(CLOCK_MONOTONIC) - before);
	destroy(&vm);
}

static void *busy(void *unused)
{
	burn(CLOCK_THREAD_CPUTIME_ID, SECOND);
	return unused;
}

/* The guest needs longer than the other thread, so that has all its second meanwhile. */
static void preempt_scene(uint32_t iterations)
{
	pthread_t thread;
	struct vm vm;

	create(&vm, false);
	load(&vm, guest_compute, iterations, 0);
	if (pthread_create(&thread, NULL, busy, NULL))
		die("pthread_create");
	expect(&vm, KVM_EXIT_IO);
	pthread_join(thread, NULL);
	report(&vm, SECOND);
	destroy(&vm);
}

/* RFLAGS bit 3 must be 0 (SDM vol. 3, 27.3.1.4); KVM leaves it as it is. */
static void fail_scene(unsigned int times)
{
	struct vm vm;
	unsigned int i;

	create(&vm, false);
	load(&vm, guest_cpuid, 3, 1 << 3);
	for (i = 0; i < times; i++)
		expect(&vm, KVM_EXIT_FAIL_ENTRY);
	printf("reason=%llu ",
	       (unsigned long long)vm.run->fail_entry.hardware_entry_failure_reason);
	load(&vm, guest_cpuid, 3, 0);
	expect(&vm, KVM_EXIT_HLT);
	report(&vm, 0);
	destroy(&vm);
}

/* A selector that is not the base's (SDM vol. 3, 27.3.1.2). */
static void emulate_scene(unsigned int times)
{
	struct kvm_sregs sregs;
	struct vm vm;

	create(&vm, false);
	load(&vm, guest_cpuid, times, 0);
	call(vm.vcpu, KVM_GET_SREGS, (uintptr_t)&sregs, "KVM_GET_SREGS");
	sregs.cs.selector = 8;
	call(vm.vcpu, KVM_SET_SREGS, (uintptr_t)&sregs, "KVM_SET_SREGS");
	expect(&vm, KVM_EXIT_HLT);
	report(&vm, 0);
	destroy(&vm);
}

static unsigned int vms_left;
static uint64_t churned_exits;

static bool take_one(void)
{
	unsigned int left = __atomic_load_n(&vms_left, __ATOMIC_RELAXED);

	while (left)
		if (__atomic_compare_exchange_n(&vms_left, &left, left - 1, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

static void *churn(void *unused)
{
	struct vm vm;

	while (take_one()) {
		create(&vm, false);
		load(&vm, guest_cpuid, 10, 0);
		expect(&vm, KVM_EXIT_HLT);
		__atomic_fetch_add(&churned_exits, exits_of(&vm), __ATOMIC_RELAXED);
		destroy(&vm);
	}
	return unused;
}

static void churn_scene(unsigned int vms, unsigned int threads)
{
	pthread_t thread[64];
	unsigned int i;

	vms_left = vms;
	for (i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, churn, NULL))
			die("pthread_create");
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("ns=0 exits=%llu\n", (unsigned long long)churned_exits);
}

static void hold_scene(void)
{
	struct vm vm;

	create(&vm, false);
	puts("held");
	fflush(stdout);
	pause();
}

static int usage(void)
{
	fputs("usage: scenes calibrate | halt | think | doze | compute ITERATIONS | preempt ITERATIONS | fail N | emulate N | churn VMS THREADS | hold\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *scene = argc > 1 ? argv[1] : "";
	unsigned int n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned int threads = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;

	if (!strcmp(scene, "calibrate"))
		printf("%u\n", iterations_of(SECOND));
	else if (!strcmp(scene, "halt"))
		halt_scene();
	else if (!strcmp(scene, "think") || !strcmp(scene, "doze"))
		think_scene(scene[0] == 'd');
	else if (!strcmp(scene, "compute") && n)
		compute_scene(n);
	else if (!strcmp(scene, "preempt") && n)
		preempt_scene(n);
	else if (!strcmp(scene, "fail") && n)
		fail_scene(n);
	else if (!strcmp(scene, "emulate") && n)
		emulate_scene(n);
	else if (!strcmp(scene, "churn") && n && threads && threads <= 64)
		churn_scene(n, threads);
	else if (!strcmp(scene, "hold"))
		hold_scene();
	else
		return usage();
	return EXIT_SUCCESS;
}
