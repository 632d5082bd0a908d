// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VM whose guest does what it is told, for tests/leaf.t. Each line of standard
 * input is one thing, and is answered with one line:
 *
 *   vcpu N                 what follows is for vCPU N (0, 1), made at its first
 *   mode real|long|user    … in real mode, 64-bit mode, 64-bit mode at CPL 3
 *   mode emulated          … in real mode with a segment that no CPU takes: VMX
 *                          without unrestricted guest has KVM emulate it
 *   cpuid N                N CPUIDs
 *   out N                  N writes to a port
 *   leaf LEAF SUBLEAF      a CPUID; answers with EAX EBX ECX EDX
 *   call NUMBER ARG ARG    a hypercall; answers with RAX
 *   ask N                  N times leaf 0x4fffffff and the hypercall for the same
 *
 * Numbers are hexadecimal, with 0x, or decimal. The guest does nothing else, but
 * for a HLT at the end of each (at CPL 3 it writes to a port instead).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../module/uapi/kvmstat.h"
#include "guests.h"

#define PAGE	4096
#define CODE	PAGE
/* Tables for long mode, behind it; the last maps all memory as one large page. */
#define PML4	(2 * PAGE)
#define PDPT	(3 * PAGE)
#define PD	(4 * PAGE)
#define MEMORY	(5 * PAGE)

#define PORT_END	0x20
#define VCPUS		2
#define CPUID_ENTRIES	256

enum mode { REAL, LONG, USER, EMULATED };

static const char * const mode_names[] = {
	[REAL] = "real", [LONG] = "long", [USER] = "user", [EMULATED] = "emulated",
};

/* One thing to do, in the three modes' code. */
struct guest {
	const uint8_t *real, *long_mode, *user;
};

#define GUEST(name) { name##_real, name##_long, name##_user }
static const struct guest cpuid_guest = GUEST(cpuid), out_guest = GUEST(out),
			  leaf_guest = GUEST(leaf);
/* By vendor: KVM would patch the other instruction, which is an exit. */
static const struct guest call_guest[] = { GUEST(vmcall), GUEST(vmmcall) };
static const struct guest ask_guest[] = { GUEST(ask_vmcall), GUEST(ask_vmmcall) };

static struct vcpu {
	int fd;		/* 0: not made yet */
	struct kvm_run *run;
	struct kvm_sregs reset;
	enum mode mode;
} vcpus[VCPUS];

static struct vcpu *vcpu = vcpus;
static int kvm, vm;
static uint8_t *memory;
static bool amd;

static void die(const char *what)
{
	fprintf(stderr, "leaf: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int call(int fd, unsigned long request, uintptr_t arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die(what);
	return ret;
}

static size_t offset_of(const uint8_t *code)
{
	return (uintptr_t)code - (uintptr_t)guest_code;
}

static void make_vm(void)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };

	amd = !access("/sys/module/kvm_amd", F_OK);
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		die("/dev/kvm");
	vm = call(kvm, KVM_CREATE_VM, 0, "KVM_CREATE_VM");
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("memory");
	region.userspace_addr = (uintptr_t)memory;
	call(vm, KVM_SET_USER_MEMORY_REGION, (uintptr_t)&region, "KVM_SET_USER_MEMORY_REGION");
	/* Where VMX cannot run real mode it needs room for a TSS. */
	call(vm, KVM_SET_TSS_ADDR, 0xfffbd000, "KVM_SET_TSS_ADDR");
	memcpy(memory + CODE, guest_code, offset_of(guest_end));
	/* Present, writable, user; PS in the last (SDM vol. 3, 4.5.4). */
	*(uint64_t *)(memory + PML4) = PDPT | 7;
	*(uint64_t *)(memory + PDPT) = PD | 7;
	*(uint64_t *)(memory + PD) = 0x87;
}

static void give_cpuid(int fd)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
					  CPUID_ENTRIES * sizeof(cpuid->entries[0]));

	if (!cpuid)
		die("calloc");
	cpuid->nent = CPUID_ENTRIES;
	call(kvm, KVM_GET_SUPPORTED_CPUID, (uintptr_t)cpuid, "KVM_GET_SUPPORTED_CPUID");
	call(fd, KVM_SET_CPUID2, (uintptr_t)cpuid, "KVM_SET_CPUID2");
	free(cpuid);
}

/* 64-bit mode (SDM vol. 3, 10.8.5) for privilege level 'dpl'. */
static void set_long_mode(struct kvm_sregs *sregs, unsigned int dpl)
{
	const struct kvm_segment code = {
		.limit = 0xffffffff, .selector = 0x8 | dpl, .type = 0xb, .present = 1,
		.dpl = dpl, .s = 1, .l = 1, .g = 1,
	};
	struct kvm_segment data = code;

	data.selector = 0x10 | dpl;
	data.type = 0x3;
	data.l = 0;
	data.db = 1;
	sregs->cs = code;
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	sregs->cr0 = 1U << 31 | 1U << 4 | 1;	/* PG, ET, PE */
	sregs->cr3 = PML4;
	sregs->cr4 = 1 << 5;			/* PAE */
	sregs->efer = 1 << 10 | 1 << 8;		/* LMA, LME */
}

static void set_mode(enum mode mode)
{
	struct kvm_sregs sregs = vcpu->reset;

	sregs.cs.base = 0;
	sregs.cs.selector = mode == EMULATED ? 8 : 0;
	if (mode == LONG || mode == USER)
		set_long_mode(&sregs, mode == USER ? 3 : 0);
	call(vcpu->fd, KVM_SET_SREGS, (uintptr_t)&sregs, "KVM_SET_SREGS");
	vcpu->mode = mode;
}

static void use_vcpu(unsigned long id)
{
	int size = call(kvm, KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE");

	if (id >= VCPUS) {
		errno = EINVAL;
		die("vcpu");
	}
	vcpu = &vcpus[id];
	if (vcpu->fd)
		return;
	vcpu->fd = call(vm, KVM_CREATE_VCPU, id, "KVM_CREATE_VCPU");
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		die("kvm_run");
	give_cpuid(vcpu->fd);
	call(vcpu->fd, KVM_GET_SREGS, (uintptr_t)&vcpu->reset, "KVM_GET_SREGS");
	set_mode(REAL);
}

/* False: it wrote to a port, and goes on. */
static bool over(void)
{
	while (ioctl(vcpu->fd, KVM_RUN, 0) < 0)
		if (errno != EINTR)
			die("KVM_RUN");
	if (vcpu->run->exit_reason == KVM_EXIT_HLT)
		return true;
	if (vcpu->run->exit_reason == KVM_EXIT_IO)
		return vcpu->run->io.port == PORT_END;
	fprintf(stderr, "leaf: KVM_RUN ended with %u\n", vcpu->run->exit_reason);
	exit(EXIT_FAILURE);
}

/* 'regs' are the general registers, before and after. */
static void run(const struct guest *guest, struct kvm_regs *regs)
{
	const uint8_t *code = vcpu->mode == LONG ? guest->long_mode :
			      vcpu->mode == USER ? guest->user : guest->real;

	regs->rip = CODE + offset_of(code);
	regs->rflags = 2 | (vcpu->mode == USER ? 3 << 12 : 0);	/* IOPL */
	call(vcpu->fd, KVM_SET_REGS, (uintptr_t)regs, "KVM_SET_REGS");
	while (!over())
		;
	call(vcpu->fd, KVM_GET_REGS, (uintptr_t)regs, "KVM_GET_REGS");
}

static void run_times(const struct guest *guest, uint64_t times)
{
	struct kvm_regs regs = {
		.rsi = times, .rbp = KVMSTAT_LEAF_TOTAL, .rdi = KVMSTAT_HYPERCALL,
	};

	run(guest, &regs);
	puts("done");
}

static void answer_leaf(uint64_t leaf, uint64_t subleaf)
{
	struct kvm_regs regs = { .rax = leaf, .rcx = subleaf, .rbx = ~0ULL, .rdx = ~0ULL };

	run(&leaf_guest, &regs);
	printf("%llx %llx %llx %llx\n", regs.rax, regs.rbx, regs.rcx, regs.rdx);
}

static void answer_call(uint64_t number, uint64_t arg0, uint64_t arg1)
{
	struct kvm_regs regs = { .rax = number, .rbx = arg0, .rcx = arg1 };

	run(&call_guest[amd], &regs);
	printf("%llx\n", regs.rax);
}

static bool change_mode(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
		if (strcmp(name, mode_names[i]))
			continue;
		set_mode(i);
		puts("done");
		return true;
	}
	return false;
}

static bool obey(const char *line)
{
	long long a = 0, b = 0, c = 0;
	char word[16] = "", mode[16] = "";
	int n = sscanf(line, "%15s %lli %lli %lli", word, &a, &b, &c);

	if (!strcmp(word, "mode") && sscanf(line, "mode %15s", mode) == 1)
		return change_mode(mode);
	if (!strcmp(word, "vcpu") && n == 2) {
		use_vcpu(a);
		puts("done");
	} else if (!strcmp(word, "cpuid") && n == 2) {
		run_times(&cpuid_guest, a);
	} else if (!strcmp(word, "out") && n == 2) {
		run_times(&out_guest, a);
	} else if (!strcmp(word, "ask") && n == 2) {
		run_times(&ask_guest[amd], a);
	} else if (!strcmp(word, "leaf") && n == 3) {
		answer_leaf(a, b);
	} else if (!strcmp(word, "call") && n == 4) {
		answer_call(a, b, c);
	} else {
		return false;
	}
	return true;
}

int main(void)
{
	char line[80];

	setvbuf(stdout, NULL, _IOLBF, 0);
	make_vm();
	use_vcpu(0);
	while (fgets(line, sizeof(line), stdin)) {
		if (obey(line))
			continue;
		fprintf(stderr, "leaf: what is \"%s\"? The source begins with all there is\n", line);
		return 2;
	}
	return EXIT_SUCCESS;
}
