// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VM whose guest changes its address space as it is told, for tests/spaces.t. Each
 * line of standard input is one thing, and is answered with one line:
 *
 *   mode long|pae|off  64-bit mode; 32 bits with PAE paging; 32 bits without paging.
 *                      CR3 is then 0x5000, 0x4000, 0x5000
 *   mode pcid          64-bit mode with PCIDs, where there are any
 *   vcpu N             what follows is for vCPU N (0, 1), made at its first
 *   load CR3…          loads these, in hexadecimal, one after the other
 *   cycle N K          N loads, of K spaces in turn
 *
 * Top tables are all pages from 0x800000 to 0xffffff, of which cycle uses the first
 * K; of PAE paging, all multiples of 0x20 in the pages from 0x4000 to 0x7fff. The
 * guest does nothing else, but for a HLT at the end of each.
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

#include "guests.h"

#define PAGE		0x1000
#define CODE		PAGE
#define PDPT		(2 * PAGE)
#define PD		(3 * PAGE)
#define PAE_TOPS	(4 * PAGE)
#define HOME		(5 * PAGE)
#define PAE_END		(8 * PAGE)
#define LIST		0x400000
#define LIST_MAX	0x80000
#define TOPS		0x800000
#define MEMORY		0x1000000

#define VCPUS		2
#define CPUID_ENTRIES	256
#define LINE		(1 << 20)

static struct vcpu {
	int fd;		/* 0: not made yet */
	struct kvm_run *run;
	struct kvm_sregs reset;
	bool long_mode;
} vcpus[VCPUS];

static struct vcpu *vcpu;
static int kvm, vm;
static uint8_t *memory;

static void die(const char *what)
{
	fprintf(stderr, "spaces: %s: %s\n", what, strerror(errno));
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
	return (uintptr_t)code - (uintptr_t)load_long;
}

static uint64_t *at(uint64_t address)
{
	return (uint64_t *)(memory + address);
}

/* Present, writable, user; but a PDPTE of PAE paging has only the first (SDM vol. 3, 4.4.1). */
static void make_tables(void)
{
	uint64_t address;

	for (address = 0; address < MEMORY; address += 0x200000)
		*at(PD + address / 0x200000 * 8) = address | 0x87;	/* large pages */
	*at(PDPT) = PD | 7;
	for (address = TOPS; address < MEMORY; address += PAGE)
		*at(address) = PDPT | 7;
	for (address = PAE_TOPS; address < PAE_END; address += 0x20)
		*at(address) = PD | 1;
}

static void make_vm(void)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		die("/dev/kvm");
	vm = call(kvm, KVM_CREATE_VM, 0, "KVM_CREATE_VM");
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("memory");
	region.userspace_addr = (uintptr_t)memory;
	call(vm, KVM_SET_USER_MEMORY_REGION, (uintptr_t)&region, "KVM_SET_USER_MEMORY_REGION");
	/* Where VMX cannot run without paging it needs room for a TSS. */
	call(vm, KVM_SET_TSS_ADDR, 0xfffbd000, "KVM_SET_TSS_ADDR");
	memcpy(memory + CODE, load_long, offset_of(load_end));
	make_tables();
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

/* Flat segments, and paging (SDM vol. 3, 4.1.1). */
static void set_mode(bool long_mode, bool paging, bool pcid)
{
	const struct kvm_segment code = {
		.limit = 0xffffffff, .selector = 0x8, .type = 0xb, .present = 1,
		.s = 1, .l = long_mode, .db = !long_mode, .g = 1,
	};
	struct kvm_segment data = code;
	struct kvm_sregs sregs = vcpu->reset;

	data.selector = 0x10;
	data.type = 0x3;
	data.l = 0;
	data.db = 1;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 = (paging ? 1U << 31 : 0) | 1U << 4 | 1;	/* PG, ET, PE */
	sregs.cr3 = paging && !long_mode ? PAE_TOPS : HOME;
	sregs.cr4 = (pcid ? 1 << 17 : 0) | (paging ? 1 << 5 : 0);	/* PCIDE, PAE */
	sregs.efer = long_mode ? 1 << 10 | 1 << 8 : 0;		/* LMA, LME */
	*at(HOME) = long_mode ? PDPT | 7 : PD | 1;
	call(vcpu->fd, KVM_SET_SREGS, (uintptr_t)&sregs, "KVM_SET_SREGS");
	vcpu->long_mode = long_mode;
}

static bool change_mode(const char *name)
{
	if (!strcmp(name, "long"))
		set_mode(true, true, false);
	else if (!strcmp(name, "pcid"))
		set_mode(true, true, true);
	else if (!strcmp(name, "pae"))
		set_mode(false, true, false);
	else if (!strcmp(name, "off"))
		set_mode(false, false, false);
	else
		return false;
	return true;
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
	set_mode(true, true, false);
}

static void load(size_t nr)
{
	const uint8_t *code = vcpu->long_mode ? load_long : load_protected;
	struct kvm_regs regs = {
		.rip = CODE + offset_of(code), .rflags = 2, .rsi = LIST, .rcx = nr,
	};

	call(vcpu->fd, KVM_SET_REGS, (uintptr_t)&regs, "KVM_SET_REGS");
	while (ioctl(vcpu->fd, KVM_RUN, 0) < 0)
		if (errno != EINTR)
			die("KVM_RUN");
	if (vcpu->run->exit_reason == KVM_EXIT_HLT)
		return;
	fprintf(stderr, "spaces: KVM_RUN ended with %u\n", vcpu->run->exit_reason);
	exit(EXIT_FAILURE);
}

static bool load_these(char *values)
{
	size_t nr = 0;
	char *word;

	for (word = strtok(values, "\n "); word && nr < LIST_MAX; word = strtok(NULL, "\n "))
		at(LIST)[nr++] = strtoull(word, NULL, 16);
	if (nr)
		load(nr);
	return nr;
}

static bool cycle(unsigned long nr, unsigned long spaces)
{
	unsigned long i;

	if (!nr || nr > LIST_MAX || !spaces || spaces > (MEMORY - TOPS) / PAGE)
		return false;
	for (i = 0; i < nr; i++)
		at(LIST)[i] = TOPS + i % spaces * PAGE;
	load(nr);
	return true;
}

static bool obey(char *line)
{
	unsigned long a, b;
	char mode[16];

	if (sscanf(line, "mode %15s", mode) == 1)
		return change_mode(mode);
	if (sscanf(line, "cycle %lu %lu", &a, &b) == 2)
		return cycle(a, b);
	if (!strncmp(line, "load ", 5))
		return load_these(line + 5);
	if (sscanf(line, "vcpu %lu", &a) != 1)
		return false;
	use_vcpu(a);
	return true;
}

int main(void)
{
	static char line[LINE];

	setvbuf(stdout, NULL, _IOLBF, 0);
	make_vm();
	use_vcpu(0);
	while (fgets(line, sizeof(line), stdin)) {
		if (!obey(line)) {
			fputs("spaces: what is that? The source begins with all there is\n", stderr);
			return 2;
		}
		puts("done");
	}
	return EXIT_SUCCESS;
}
