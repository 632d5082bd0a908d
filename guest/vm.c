// SPDX-License-Identifier: GPL-2.0-or-later
/* A VM and its vCPUs: set up, run, taken down. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../module/uapi/kvmstat.h"
#include "../user/message.h"
#include "cpu.h"
#include "exceptions.h"
#include "image.h"
#include "memory_map.h"
#include "ports.h"
#include "vm.h"

#define CPUID_ENTRIES	256
#define MEMORY_ALIGN	0x200000UL
#define APIC_BASE_X2APIC (1 << 10)	/* IA32_APIC_BASE */
#define CPUID_HYPERVISOR (1u << 31)	/* leaf 1, ECX: this is a VM */

static const char *remedy(void)
{
	switch (errno) {
	case ENOMEM:
		return "more memory is wanted (ulimit -v? a cgroup's limit?)";
	case EMFILE:
	case ENFILE:
		return "more open files are wanted (ulimit -n)";
	case EAGAIN:
		return "more threads are wanted (ulimit -u? a cgroup's limit?)";
	default:
		return "does another hypervisor hold the CPU? see dmesg";
	}
}

static void die(const char *what)
{
	error("no %s: %s: %s", what, strerror(errno), remedy());
	exit(EXIT_FAILED);
}

static void die_by_kvm(const char *request)
{
	error("KVM refuses %s: %s: %s", request, strerror(errno), remedy());
	exit(EXIT_FAILED);
}

int vm_ioctl(int fd, unsigned long request, void *arg, const char *name)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die_by_kvm(name);
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

void vm_set_memory(struct vm *vm, uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.flags = flags, .memory_size = vm->memory_size,
		.userspace_addr = (uintptr_t)vm->memory,
	};

	vm_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
}

/* Aligned, as huge pages have to be. */
static void add_memory(struct vm *vm)
{
	vm->mapping = mmap(NULL, vm->memory_size + MEMORY_ALIGN, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (vm->mapping == MAP_FAILED)
		die("memory for the guest");
	vm->memory = (uint8_t *)(((uintptr_t)vm->mapping + MEMORY_ALIGN - 1) & -MEMORY_ALIGN);
	/* Fails where the host has no huge pages, which is as good. */
	madvise(vm->memory, vm->memory_size, MADV_NOHUGEPAGE);
	vm_set_memory(vm, 0);
}

/* SDM vol. 2, CPUID: leaf 1, and those of the topology. */
static void set_apic_id(struct kvm_cpuid_entry2 *entry, uint32_t id)
{
	if (entry->function == 1) {
		entry->ebx = (entry->ebx & 0xffffff) | id << 24;
		entry->ecx |= CPUID_HYPERVISOR;
	} else if (entry->function == 0xb || entry->function == 0x1f)
		entry->edx = id;
}

/* The guest may use what the host has: long mode, above all. */
static void set_cpuid(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
					  CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2));
	uint32_t i;

	if (!cpuid)
		die("memory");
	cpuid->nent = CPUID_ENTRIES;
	vm_ioctl(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid, "KVM_GET_SUPPORTED_CPUID");
	for (i = 0; i < cpuid->nent; i++)
		set_apic_id(&cpuid->entries[i], vcpu->id);
	vm_ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid, "KVM_SET_CPUID2");
	free(cpuid);
}

static uint64_t exits_of(void *vcpu)
{
	return stats_exits(&((struct vcpu *)vcpu)->stats);
}

/* What it may say to its VMM, and ask. */
static void set_calls(struct vcpu *vcpu, const struct vm_options *options)
{
	struct vm *vm = vcpu->vm;

	if (console_open(&vcpu->console, vm->nr_vcpus > 1 ? (int)vcpu->id : -1))
		die("memory");
	stats_open(&vcpu->stats, vcpu->fd);
	vcpu->calls.ram.base = vcpu->part;
	vcpu->calls.ram.size = modes[vm->guest->mode].part;
	vcpu->calls.output = options->quiet ? NULL : vcpu->console.stream;
	vcpu->calls.exits = exits_of;
	vcpu->calls.context = vcpu;
	hypercalls_init(&vcpu->calls, options->root);
}

static void create_vcpu(struct vm *vm, unsigned int id)
{
	struct vcpu *vcpu = &vm->vcpus[id];

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->base = id * modes[vm->guest->mode].part;
	vcpu->part = vm->memory + vcpu->base;
	vcpu->fd = vm_ioctl(vm->fd, KVM_CREATE_VCPU, (void *)(uintptr_t)id, "KVM_CREATE_VCPU");
	set_cpuid(vcpu);
	vcpu->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		die("mapping of the vCPU's shared page");
}

/* Copies the guest's code; where it starts, with which stack. */
static void load_code(const struct guest *guest, uint8_t *part, struct kvm_regs *regs)
{
	const struct mode_state *mode = &modes[guest->mode];
	const uint8_t *body = guest->body_vmx && cpu_isa() == KVMSTAT_ISA_VMX ?
			      guest->body_vmx : guest->body;

	if (guest->image) {
		regs->rsp = image_load(guest->image, guest->mode, part);
		regs->rip = guest->entry;
		return;
	}
	memcpy(part + mode->code_at, mode->code.start, mode->code.end - mode->code.start);
	regs->rsp = mode->stack;
	regs->rip = mode->code_at + (body - mode->code.start);
}

/* Registers and memory such that the guest starts. */
static void load(struct vcpu *vcpu, uint64_t count)
{
	const struct guest *guest = vcpu->vm->guest;
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs sregs;
	struct kvm_regs regs = {
		.rdi = count,
		.rsi = guest->warm_up,
		.rbp = vcpu->base,
		.rflags = 2,		/* bit 1 is always set */
	};

	vm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs, "KVM_GET_SREGS");
	load_code(guest, vcpu->part, &regs);
	mode_set(guest->mode, &sregs, vcpu->part, vcpu->base);
	exceptions_set(guest, &sregs, vcpu->part, vcpu->base);
	if (guest->irqchip)
		sregs.apic_base |= APIC_BASE_X2APIC;
	vm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs, "KVM_SET_SREGS");
	if (guest->irqchip && !guest->starts_others)
		vm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable, "KVM_SET_MP_STATE");
	vm_ioctl(vcpu->fd, KVM_SET_REGS, &regs, "KVM_SET_REGS");
}

unsigned int vm_vcpus(const struct guest *guest, unsigned int asked)
{
	unsigned int unit = guest->vcpus ? guest->vcpus : 1;

	return guest->alone || asked < unit ? unit : asked / unit * unit;
}

struct vm *vm_create(const struct guest *guest, const struct vm_options *options)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	unsigned int i;

	if (!vm)
		die("memory");
	vm->guest = guest;
	vm->count = options->count;
	vm->nr_vcpus = vm_vcpus(guest, options->vcpus);
	vm->turn = -1;
	vm->eventfd = -1;
	vm->pagemap = -1;
	vm->memory_size = vm->nr_vcpus * modes[guest->mode].part;
	pthread_mutex_init(&vm->turn_lock, NULL);
	pthread_cond_init(&vm->turn_over, NULL);
	vm->kvm = open_kvm();
	vm->run_size = vm_ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
	vm->fd = vm_ioctl(vm->kvm, KVM_CREATE_VM, NULL, "KVM_CREATE_VM");
	add_memory(vm);
	/* Intel without unrestricted guest (so, without EPT): the reset state is vm86's. */
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, GUEST_TSS) < 0)
		die_by_kvm("KVM_SET_TSS_ADDR");
	if (guest->irqchip)
		vm_ioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
	if (guest->prepare)
		guest->prepare(vm);
	for (i = 0; i < vm->nr_vcpus; i++) {
		create_vcpu(vm, i);
		set_calls(&vm->vcpus[i], options);
		load(&vm->vcpus[i], vm->count);
	}
	return vm;
}

void vm_destroy(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		hypercalls_destroy(&vm->vcpus[i].calls);
		stats_close(&vm->vcpus[i].stats);
		console_close(&vm->vcpus[i].console);
		munmap(vm->vcpus[i].run, vm->run_size);
		close(vm->vcpus[i].fd);
	}
	close(vm->fd);
	close(vm->kvm);
	if (vm->eventfd >= 0)
		close(vm->eventfd);
	if (vm->pagemap >= 0)
		close(vm->pagemap);
	munmap(vm->mapping, vm->memory_size + MEMORY_ALIGN);
	pthread_cond_destroy(&vm->turn_over);
	pthread_mutex_destroy(&vm->turn_lock);
	free(vm);
}

static int fail(struct vcpu *vcpu, const struct kvm_regs *regs, const char *what, const char *where)
{
	console_end(&vcpu->console);
	error("guest %s, vCPU %u: %s%s: rax 0x%llx rbx 0x%llx rcx 0x%llx rdx 0x%llx rsi 0x%llx rdi 0x%llx r8 0x%llx r12 0x%llx",
	      vcpu->vm->guest->name, vcpu->id, what, where, regs->rax, regs->rbx, regs->rcx, regs->rdx,
	      regs->rsi, regs->rdi, regs->r8, regs->r12);
	return -1;
}

int vcpu_failed(struct vcpu *vcpu, const char *what)
{
	struct kvm_regs regs = {};

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	return fail(vcpu, &regs, what, "");
}

int vcpu_unexpected(struct vcpu *vcpu, const char *what)
{
	const struct kvm_run *run = vcpu->run;
	struct kvm_regs regs = {};
	char where[80];
	int used = snprintf(where, sizeof(where), " (KVM exit %u", run->exit_reason);

	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		used += snprintf(where + used, sizeof(where) - used, ", suberror %u",
				 run->internal.suberror);
	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	snprintf(where + used, sizeof(where) - used, ") at rip 0x%llx, rsp 0x%llx", regs.rip, regs.rsp);
	return fail(vcpu, &regs, what, where);
}

/* A halted guest is at its end, unless halting is what it is measured for. */
static int check_end(struct vcpu *vcpu)
{
	struct kvm_regs regs;
	uint32_t answer;

	console_end(&vcpu->console);
	if (!vcpu->vm->guest->answers)
		return 0;
	vm_ioctl(vcpu->fd, KVM_GET_REGS, &regs, "KVM_GET_REGS");
	memcpy(&answer, vcpu->part + GUEST_ANSWER, sizeof(answer));
	if (regs.rax == THE_ANSWER && answer == THE_ANSWER)
		return 0;
	return vcpu_unexpected(vcpu, "did not leave 42 in RAX and at 0x400");
}

/* Until the vCPU comes back to userspace. -1: another one failed. */
static int enter(struct vcpu *vcpu)
{
	while (ioctl(vcpu->fd, KVM_RUN, NULL) < 0) {
		/* Stopped and continued, frozen, traced: nothing is lost by it. */
		if (errno != EINTR && errno != EAGAIN)
			die_by_kvm("KVM_RUN");
		if (vcpu->vm->failed)
			return -1;
	}
	vcpu->visits++;
	return 0;
}

/*
 * Those of the catalogue take their first steps, up to their first exit to userspace,
 * one after the other: then KVM has the tables that they share, and no two of them
 * fault for the same one. Nobody knows what a guest of the user's own does.
 */
static bool has_turn(const struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;

	return vm->guest->image ? vm->turn >= 0 : vm->turn == (int)vcpu->id;
}

static void wait_for_turn(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	pthread_mutex_lock(&vm->turn_lock);
	while (!has_turn(vcpu) && !vm->failed)
		pthread_cond_wait(&vm->turn_over, &vm->turn_lock);
	pthread_mutex_unlock(&vm->turn_lock);
}

static void next_turn(struct vm *vm)
{
	pthread_mutex_lock(&vm->turn_lock);
	vm->turn++;
	pthread_cond_broadcast(&vm->turn_over);
	pthread_mutex_unlock(&vm->turn_lock);
}

static int run_until_end(struct vcpu *vcpu)
{
	wait_for_turn(vcpu);
	if (enter(vcpu))
		return -1;
	next_turn(vcpu->vm);
	do {
		switch (vcpu->run->exit_reason) {
		case KVM_EXIT_IO:
			if (ports_handle(vcpu))
				return -1;
			/* With an APIC in the kernel HLT is the kernel's, too. */
			if (vcpu->stopped && vcpu->vm->guest->irqchip)
				return check_end(vcpu);
			break;
		case KVM_EXIT_MMIO:
			memset(vcpu->run->mmio.data, 0xff, sizeof(vcpu->run->mmio.data));
			break;
		case KVM_EXIT_SET_TPR:	/* lowered: there is no APIC here to tell */
			break;
		case KVM_EXIT_HLT:
			if (vcpu->stopped || !vcpu->vm->guest->measured)
				return check_end(vcpu);
			break;
		case KVM_EXIT_SHUTDOWN:
			return vcpu_unexpected(vcpu, "triple fault");
		case KVM_EXIT_FAIL_ENTRY:
			return vcpu_unexpected(vcpu, "the CPU refused to enter the guest");
		default:
			return vcpu_unexpected(vcpu, "ended in an unexpected way");
		}
	} while (!enter(vcpu));
	return -1;
}

/*
 * KVM_RUN of all others ends, whether they are in it, about to be, or wait for their
 * turn. It does no harm to those that are at their end.
 */
static void stop_all(struct vm *vm)
{
	unsigned int i;

	pthread_mutex_lock(&vm->turn_lock);
	vm->failed = true;
	pthread_cond_broadcast(&vm->turn_over);
	pthread_mutex_unlock(&vm->turn_lock);
	for (i = 0; i < vm->nr_vcpus; i++) {
		__atomic_store_n(&vm->vcpus[i].run->immediate_exit, 1, __ATOMIC_RELAXED);
		pthread_kill(vm->vcpus[i].thread, SIGUSR1);
	}
}

static int vcpu_run(struct vcpu *vcpu)
{
	int result = run_until_end(vcpu);

	if (result)
		stop_all(vcpu->vm);
	return result;
}

static void *thread(void *arg)
{
	struct vcpu *vcpu = arg;

	vcpu->result = vcpu_run(vcpu);
	return NULL;
}

static void interrupt(int number)
{
	(void)number;	/* KVM_RUN returns, that is all */
}

int vm_run(struct vm *vm)
{
	const struct sigaction action = { .sa_handler = interrupt };
	unsigned int i;
	int result;

	sigaction(SIGUSR1, &action, NULL);
	vm->vcpus[0].thread = pthread_self();
	for (i = 1; i < vm->nr_vcpus; i++) {
		errno = pthread_create(&vm->vcpus[i].thread, NULL, thread, &vm->vcpus[i]);
		if (errno)
			die("thread for each vCPU");
	}
	if (vm->before && vm->before(vm))
		exit(EXIT_FAILED);
	next_turn(vm);
	result = vcpu_run(&vm->vcpus[0]);
	for (i = 1; i < vm->nr_vcpus; i++) {
		pthread_join(vm->vcpus[i].thread, NULL);
		result |= vm->vcpus[i].result;
	}
	return result;
}
