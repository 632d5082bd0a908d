// SPDX-License-Identifier: GPL-2.0-or-later
/* What the host does to a VM. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"
#include "memory_map.h"
#include "vm.h"

/*
 * KVM before 5.19 has no such quirk and takes them for NOPs: as many exits. Later
 * ones write a warning into the kernel's log when they do so.
 */
void host_disable_quirks(struct vm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_DISABLE_QUIRKS2, .args = { KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS },
	};

	if (ioctl(vm->fd, KVM_CHECK_EXTENSION, cap.cap) & KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS)
		vm_ioctl(vm->fd, KVM_ENABLE_CAP, &cap, "KVM_ENABLE_CAP");
}

void host_listen(struct vm *vm)
{
	struct kvm_ioeventfd listen = {
		.addr = PORT_EVENT, .len = 1, .flags = KVM_IOEVENTFD_FLAG_PIO,
	};

	vm->eventfd = eventfd(0, EFD_CLOEXEC);
	listen.fd = vm->eventfd;
	vm_ioctl(vm->fd, KVM_IOEVENTFD, &listen, "KVM_IOEVENTFD");
}

void host_coalesce(struct vm *vm)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = GUEST_MMIO, .size = GUEST_PAGE };

	vm_ioctl(vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone, "KVM_REGISTER_COALESCED_MMIO");
}

void host_use_huge_pages(struct vm *vm)
{
	madvise(vm->memory, vm->memory_size, MADV_HUGEPAGE);
}

/* Pages of the arena that the guest walks over: not the last of each 2 MiB. */
static uint64_t walked_pages(const uint64_t *dirty)
{
	uint64_t page, nr = 0;

	for (page = GUEST_ARENA / GUEST_PAGE; page < GUEST_PART / GUEST_PAGE; page++)
		if (page % 512 != 511 && dirty[page / 64] & 1ULL << page % 64)
			nr++;
	return nr;
}

int host_log_dirty(struct vcpu *vcpu)
{
	uint64_t dirty[GUEST_PART / GUEST_PAGE / 64];
	struct kvm_dirty_log log = { .dirty_bitmap = dirty };

	if (!vcpu->turns++) {
		vm_set_memory(vcpu->vm, KVM_MEM_LOG_DIRTY_PAGES);
		return 0;
	}
	vm_ioctl(vcpu->vm->fd, KVM_GET_DIRTY_LOG, &log, "KVM_GET_DIRTY_LOG");
	if (walked_pages(dirty) == vcpu->vm->count)
		return 0;
	return vcpu_unexpected(vcpu, "KVM's dirty log has not the pages that it wrote to");
}

void host_open_pagemap(struct vm *vm)
{
	vm->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

static int advise_arena(struct vcpu *vcpu, int advice)
{
	return madvise(vcpu->part + GUEST_ARENA, GUEST_PART - GUEST_ARENA, advice);
}

int host_drop(struct vcpu *vcpu)
{
	if (!advise_arena(vcpu, MADV_DONTNEED))
		return 0;
	return vcpu_unexpected(vcpu, "the host does not drop its pages");
}

/* Bit 63 of a page's entry in pagemap: it is present. */
static bool arena_is_out(const struct vcpu *vcpu)
{
	const uint64_t nr = (GUEST_PART - GUEST_ARENA) / GUEST_PAGE;
	const uint64_t first = (uintptr_t)(vcpu->part + GUEST_ARENA) / GUEST_PAGE;
	uint64_t i, entry;
	bool out = true;

	for (i = 0; i < nr && out; i++)
		out = pread(vcpu->vm->pagemap, &entry, sizeof(entry),
			    (first + i) * sizeof(entry)) == sizeof(entry) && !(entry >> 63);
	return out;
}

int host_page_out(struct vcpu *vcpu)
{
	int tries = 0;

	/* Pages that are just on their way to a list of the host's stay. */
	do {
		advise_arena(vcpu, MADV_PAGEOUT);
	} while (!arena_is_out(vcpu) && ++tries < 10);
	if (tries < 10)
		return 0;
	return vcpu_unexpected(vcpu, "the host does not swap its pages out: it needs a swap with room (see swapon)");
}
