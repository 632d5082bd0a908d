// SPDX-License-Identifier: GPL-2.0-or-later
/* What is where in a VM's memory, and its page tables, as text. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../user/message.h"
#include "image.h"
#include "layout.h"
#include "memory_map.h"
#include "paging.h"

#include <asm/processor-flags.h>

struct region {
	uint64_t start, end;	/* in the vCPU's part */
	const char *what;
	enum { ALL, CATALOGUE, OWN } of;	/* guests of the user's own */
};

#define ANSWER	{ GUEST_ANSWER, GUEST_ANSWER + 8, "the answer", CATALOGUE }
#define STUBS	{ GUEST_EXCEPTIONS, GUEST_STUBS_END, "stubs for exceptions", ALL }
#define GDT	{ GUEST_GDT, GUEST_IDT, "GDT", ALL }
#define IDT	{ GUEST_IDT, GUEST_STACK - GUEST_PAGE, "IDT", ALL }
#define STACK	{ GUEST_STACK - GUEST_PAGE, GUEST_STACK, "stack", CATALOGUE }
#define OWN_STACK { GUEST_PT_END, GUEST_OWN_STACK, "stack", OWN }

static const struct region paged_regions[] = {
	ANSWER, STUBS,
	{ GUEST_PML4, GUEST_GDT, "page tables: the upper levels", ALL },
	GDT, IDT, STACK,
	{ GUEST_PT, GUEST_PT_END, "page tables: the lowest level", ALL },
	OWN_STACK,
	{ GUEST_CODE, GUEST_ARENA, "code", CATALOGUE },
	{ GUEST_ARENA, GUEST_PART, "pages to touch", CATALOGUE },
};

static const struct region unpaged_regions[] = {
	ANSWER, STUBS, GDT, IDT, STACK, OWN_STACK,
	{ GUEST_CODE, GUEST_ARENA, "code", CATALOGUE },
	{ GUEST_ARENA, GUEST_PART, "memory", CATALOGUE },
};

static const struct region real_regions[] = {
	{ 0, EXCEPTION_VECTORS * 4, "vectors of exceptions", ALL },
	ANSWER, STUBS,
	{ GUEST_STUBS_END, GUEST_CODE_REAL, "stack, from its end down", ALL },
	{ GUEST_CODE_REAL, GUEST_PART_REAL, "code", CATALOGUE },
};

/* A run of entries that map memory one after the other, with the same flags. */
struct run {
	unsigned int first, nr;
	uint64_t address;	/* guest-virtual */
	uint64_t physical, size, flags;
};

struct walk {
	const struct vcpu *vcpu;
	const struct paging_format *format;
	bool *seen;		/* tables that were printed, by page: they may lead to themselves */
	unsigned int checked, wrong;
};

static const void *host_of(const struct vcpu *vcpu, uint64_t physical)
{
	return physical < vcpu->vm->memory_size ? vcpu->vm->memory + physical : NULL;
}

static void print_region(const struct vcpu *vcpu, const struct region *region)
{
	uint64_t last = region->end - 1;

	printf("  0x%08" PRIx64 "-0x%08" PRIx64 "   0x%08" PRIx64 "-0x%08" PRIx64 "   %p  %s\n",
	       region->start, last, vcpu->base + region->start, vcpu->base + last,
	       host_of(vcpu, vcpu->base + region->start), region->what);
}

static void print_regions(const struct vcpu *vcpu)
{
	const struct image *image = vcpu->vm->guest->image;
	const struct region *regions = paged_regions;
	size_t nr = sizeof(paged_regions) / sizeof(paged_regions[0]), i;
	struct region own = { .what = "a segment of the file" };

	if (vcpu->vm->guest->mode == MODE_REAL) {
		regions = real_regions;
		nr = sizeof(real_regions) / sizeof(real_regions[0]);
	} else if (vcpu->vm->guest->mode == MODE_PROTECTED) {
		regions = unpaged_regions;
		nr = sizeof(unpaged_regions) / sizeof(unpaged_regions[0]);
	}
	printf("  %-23s %-23s %-16s\n", "guest-virtual", "guest-physical", "host-virtual");
	for (i = 0; i < nr; i++)
		if (regions[i].of != (image ? CATALOGUE : OWN))
			print_region(vcpu, &regions[i]);
	for (i = 0; image && image_segment(image, i, &own.start, &own.end); i++)
		print_region(vcpu, &own);
}

static void print_flags(uint64_t flags)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} names[] = {
		{ PTE_WRITABLE, "W" }, { PTE_USER, "U" }, { PTE_NX, "NX" }, { PTE_ACCESSED, "A" },
		{ PTE_DIRTY, "D" }, { PTE_LARGE, "large" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag)
			printf(" %s", names[i].name);
}

/* KVM walks the same tables by itself: does it come to the same address? */
static void check(struct walk *walk, uint64_t address, uint64_t physical)
{
	struct kvm_translation translation = { .linear_address = address };

	walk->checked++;
	if (ioctl(walk->vcpu->fd, KVM_TRANSLATE, &translation) < 0 || !translation.valid ||
	    translation.physical_address != physical) {
		walk->wrong++;
		error("0x%" PRIx64 " leads to 0x%" PRIx64 ", but KVM translates it to 0x%llx",
		      address, physical, translation.physical_address);
	}
}

static void print_run(struct walk *walk, const struct run *run)
{
	uint64_t bytes = run->nr * run->size;
	const void *host = host_of(walk->vcpu, run->physical);

	if (!run->nr)
		return;
	printf("    [%3u", run->first);
	if (run->nr > 1)
		printf("-%3u]", run->first + run->nr - 1);
	else
		printf("]    ");
	printf("  0x%08" PRIx64 "-0x%08" PRIx64 " -> 0x%08" PRIx64 "-0x%08" PRIx64 " -> ", run->address,
	       run->address + bytes - 1, run->physical, run->physical + bytes - 1);
	if (host)
		printf("%p ", host);
	else
		printf("no memory      ");
	print_flags(run->flags);
	putchar('\n');
	check(walk, run->address, run->physical);
	check(walk, run->address + bytes - 1, run->physical + bytes - 1);
}

static void add_leaf(struct walk *walk, struct run *run, unsigned int index, uint64_t address,
		     uint64_t entry, uint64_t size)
{
	uint64_t physical = entry & PTE_ADDRESS & ~(size - 1), flags = entry & ~PTE_ADDRESS;

	if (run->nr && run->first + run->nr == index && run->flags == flags &&
	    run->physical + run->nr * size == physical) {
		run->nr++;
		return;
	}
	print_run(walk, run);
	*run = (struct run) { index, 1, address, physical, size, flags };
}

/* Addresses are sign-extended from bit 47 (SDM vol. 1, 3.3.7.1). */
static uint64_t canonical(const struct paging_format *format, uint64_t address)
{
	return format == &paging_64 ? (uint64_t)((int64_t)(address << 16) >> 16) : address;
}

static void print_table(struct walk *walk, int level, uint64_t table, uint64_t address);

/* What a table leads to is printed after it. */
static void print_next(struct walk *walk, int level, uint64_t table, uint64_t address)
{
	uint64_t size = paging_span(walk->format, level), entry;
	unsigned int i;

	for (i = 0; i < 1U << walk->format->index_bits; i++) {
		entry = paging_entry(walk->format, walk->vcpu->vm->memory, table, i);
		if (entry & PTE_PRESENT && !paging_is_leaf(level, entry))
			print_table(walk, level - 1, entry & PTE_ADDRESS,
				    canonical(walk->format, address + i * size));
	}
}

static void print_table(struct walk *walk, int level, uint64_t table, uint64_t address)
{
	uint64_t size = paging_span(walk->format, level), entry, first;
	struct run run = { 0 };
	unsigned int i;

	if (table + GUEST_PAGE > walk->vcpu->vm->memory_size) {
		printf("  %s at 0x%" PRIx64 ": not in memory\n", walk->format->names[level], table);
		return;
	}
	printf("  %s at 0x%" PRIx64 ", for 0x%" PRIx64 " and up%s\n", walk->format->names[level], table,
	       address, walk->seen[table / GUEST_PAGE] ? ": see above" : "");
	if (walk->seen[table / GUEST_PAGE])
		return;
	walk->seen[table / GUEST_PAGE] = true;
	for (i = 0; i < 1U << walk->format->index_bits; i++) {
		entry = paging_entry(walk->format, walk->vcpu->vm->memory, table, i);
		if (!(entry & PTE_PRESENT))
			continue;
		first = canonical(walk->format, address + i * size);
		if (paging_is_leaf(level, entry)) {
			add_leaf(walk, &run, i, first, entry, size);
			continue;
		}
		print_run(walk, &run);
		run.nr = 0;
		printf("    [%3u]      0x%08" PRIx64 " -> %s at 0x%llx ", i, first,
		       walk->format->names[level - 1], entry & PTE_ADDRESS);
		print_flags(entry & ~PTE_ADDRESS);
		putchar('\n');
	}
	print_run(walk, &run);
	if (level > 1)
		print_next(walk, level, table, address);
}

static int print_vcpu(const struct vcpu *vcpu)
{
	struct walk walk = { .vcpu = vcpu };
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0 || ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0) {
		error("KVM does not tell the registers of vCPU %u: %s", vcpu->id, strerror(errno));
		return -1;
	}
	printf("\nvCPU %u\n", vcpu->id);
	printf("  cr0 0x%llx  cr3 0x%llx  cr4 0x%llx  efer 0x%llx  cs 0x%x (base 0x%llx)  rip 0x%llx  rsp 0x%llx\n",
	       sregs.cr0, sregs.cr3, sregs.cr4, sregs.efer, sregs.cs.selector, sregs.cs.base, regs.rip,
	       regs.rsp);
	print_regions(vcpu);
	if (!(sregs.cr0 & X86_CR0_PG)) {
		printf("  no paging: guest-physical = guest-virtual + 0x%llx, the base of the segments\n",
		       sregs.ds.base);
		return 0;
	}
	if (sregs.cr4 & X86_CR4_PAE && !(sregs.efer & EFER_LMA)) {
		printf("  32-bit PAE paging, whose tables are not shown\n");
		return 0;
	}
	walk.format = sregs.cr4 & X86_CR4_PAE ? &paging_64 : &paging_32;
	walk.seen = calloc(vcpu->vm->memory_size / GUEST_PAGE, sizeof(*walk.seen));
	if (!walk.seen) {
		error("no memory to remember page tables in");
		return -1;
	}
	print_table(&walk, walk.format->levels, sregs.cr3 & PTE_ADDRESS, 0);
	free(walk.seen);
	printf("  %u addresses checked against KVM's own walk (KVM_TRANSLATE): %u differ\n",
	       walk.checked, walk.wrong);
	return walk.wrong ? -1 : 0;
}

int layout_print(struct vm *vm)
{
	unsigned int i;
	int err = 0;

	printf("%s, %s mode, %u vCPU%s, after its run: %" PRIu64 " KiB of memory at %p\n",
	       vm->guest->name, modes[vm->guest->mode].name, vm->nr_vcpus,
	       vm->nr_vcpus == 1 ? "" : "s", vm->memory_size >> 10, (void *)vm->memory);
	for (i = 0; i < vm->nr_vcpus; i++)
		err |= print_vcpu(&vm->vcpus[i]);
	return err;
}
