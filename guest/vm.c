// SPDX-License-Identifier: GPL-2.0-or-later
/* A VM with one vCPU in long mode: set up, run, taken down. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../module/uapi/kvmstat.h"
#include "../user/message.h"
#include "cpu.h"
#include "long_mode.h"
#include "memory_map.h"
#include "vm.h"

#define CPUID_ENTRIES	256

static void die(const char *what)
{
	error("KVM refuses %s: %s: does another hypervisor hold the CPU? see dmesg",
	      what, strerror(errno));
	exit(EXIT_FAILED);
}

static int vm_ioctl(int fd, unsigned long request, void *arg, const char *name)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die(name);
	return ret;
}

static int open_kvm(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == EACCES)
		error("cannot open /dev/kvm: no rights: run it with sudo, or join the group kvm");
	else if (errno == ENOENT || errno == ENODEV)
		error("no /dev/kvm: load kvm_amd or kvm_intel, on a CPU with virtualization switched on");
	else
		error("cannot open /dev/kvm: %s", strerror(errno));
	exit(EXIT_FAILED);
}

/* Pages of 4 KiB only, so that a first touch is a fault of one page. */
static void add_memory(struct vm *vm)
{
	struct kvm_userspace_memory_region region = { .memory_size = GUEST_MEMORY };

	vm->memory = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (vm->memory == MAP_FAILED)
		die("memory for the guest");
	/* Fails where the host has no huge pages, which is as good. */
	madvise(vm->memory, GUEST_MEMORY, MADV_NOHUGEPAGE);
	region.userspace_addr = (uintptr_t)vm->memory;
	vm_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
}

/* The guest may use what the host has: long mode, above all. */
static void set_cpuid(struct vm *vm)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
					  CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2));

	if (!cpuid)
		die("memory");
	cpuid->nent = CPUID_ENTRIES;
	vm_ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid, "KVM_GET_SUPPORTED_CPUID");
	vm_ioctl(vm->vcpu, KVM_SET_CPUID2, cpuid, "KVM_SET_CPUID2");
	free(cpuid);
}

struct vm *vm_create(void)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		die("memory");
	vm->kvm = open_kvm();
	vm->fd = vm_ioctl(vm->kvm, KVM_CREATE_VM, NULL, "KVM_CREATE_VM");
	add_memory(vm);
	/* Intel without unrestricted guest (so, without EPT): the reset state is vm86's. */
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, GUEST_TSS) < 0)
		die("KVM_SET_TSS_ADDR");
	vm->vcpu = vm_ioctl(vm->fd, KVM_CREATE_VCPU, NULL, "KVM_CREATE_VCPU");
	set_cpuid(vm);
	vm->run_size = vm_ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
	vm->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
	if (vm->run == MAP_FAILED)
		die("the vCPU's shared page");
	return vm;
}

void vm_destroy(struct vm *vm)
{
	munmap(vm->run, vm->run_size);
	close(vm->vcpu);
	close(vm->fd);
	close(vm->kvm);
	munmap(vm->memory, GUEST_MEMORY);
	free(vm);
}

void vm_load(struct vm *vm, const struct guest *guest, uint64_t count)
{
	const uint8_t *body = guest->body_vmx && cpu_isa() == KVMSTAT_ISA_VMX ?
			      guest->body_vmx : guest->body;
	struct kvm_sregs sregs;
	struct kvm_regs regs = {
		.rip = GUEST_CODE + (body - guest_code),
		.rdi = count,
		.rsi = guest->warm_up,
		.rflags = 2,		/* bit 1 is always set */
	};

	vm_ioctl(vm->vcpu, KVM_GET_SREGS, &sregs, "KVM_GET_SREGS");
	long_mode_sregs(&sregs);
	long_mode_page_tables(vm->memory);
	memcpy(vm->memory + GUEST_CODE, guest_code, guest_code_size);
	vm_ioctl(vm->vcpu, KVM_SET_SREGS, &sregs, "KVM_SET_SREGS");
	vm_ioctl(vm->vcpu, KVM_SET_REGS, &regs, "KVM_SET_REGS");
}

static void port_putc(struct vm *vm, uint8_t byte)
{
	if (!vm->quiet)
		putchar(byte);
}

static void port_mark(struct vm *vm, uint8_t which)
{
	if (which == MARK_STOP)
		vm->stopped = true;
	if (vm->mark)
		vm->mark(vm->context, which);
}

static const struct {
	uint16_t port;
	void (*out)(struct vm *vm, uint8_t byte);
} ports[] = {
	{ PORT_PUTC, port_putc },
	{ PORT_MARK, port_mark },
};

/* Nothing is behind the other ports: writes vanish, reads give all ones. */
static void handle_io(struct vm *vm)
{
	uint8_t *data = (uint8_t *)vm->run + vm->run->io.data_offset;
	size_t i;

	if (vm->run->io.direction == KVM_EXIT_IO_IN) {
		memset(data, 0xff, (size_t)vm->run->io.size * vm->run->io.count);
		return;
	}
	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i].port == vm->run->io.port)
			ports[i].out(vm, *data);
}

static int unexpected(struct vm *vm, const struct guest *guest, const char *what)
{
	struct kvm_regs regs = {};

	ioctl(vm->vcpu, KVM_GET_REGS, &regs);
	error("guest %s: %s (KVM exit %u) at rip 0x%llx: rax 0x%llx rbx 0x%llx rcx 0x%llx rdx 0x%llx r8 0x%llx r12 0x%llx",
	      guest->name, what, vm->run->exit_reason, regs.rip, regs.rax, regs.rbx,
	      regs.rcx, regs.rdx, regs.r8, regs.r12);
	return -1;
}

/* A halted guest is at its end, unless halting is what it is measured for. */
static int check_end(struct vm *vm, const struct guest *guest)
{
	struct kvm_regs regs;
	uint64_t answer;

	if (!guest->answers)
		return 0;
	vm_ioctl(vm->vcpu, KVM_GET_REGS, &regs, "KVM_GET_REGS");
	memcpy(&answer, vm->memory + GUEST_ANSWER, sizeof(answer));
	if (regs.rax == THE_ANSWER && answer == THE_ANSWER)
		return 0;
	return unexpected(vm, guest, "did not leave 42 in RAX and at 0x400");
}

int vm_run(struct vm *vm, const struct guest *guest)
{
	for (;;) {
		if (ioctl(vm->vcpu, KVM_RUN, NULL) < 0) {
			/* Stopped and continued, frozen, traced: nothing is lost by it. */
			if (errno == EINTR || errno == EAGAIN)
				continue;
			die("KVM_RUN");
		}
		switch (vm->run->exit_reason) {
		case KVM_EXIT_IO:
			handle_io(vm);
			break;
		case KVM_EXIT_MMIO:
			memset(vm->run->mmio.data, 0xff, sizeof(vm->run->mmio.data));
			break;
		case KVM_EXIT_HLT:
			if (vm->stopped || !guest->measured)
				return check_end(vm, guest);
			break;
		case KVM_EXIT_SHUTDOWN:
			return unexpected(vm, guest, "triple fault");
		case KVM_EXIT_FAIL_ENTRY:
			return unexpected(vm, guest, "the CPU refused to enter the guest");
		default:
			return unexpected(vm, guest, "ended in an unexpected way");
		}
	}
}
