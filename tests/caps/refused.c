// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vCPU that the CPU refuses to enter, so that the kernel says with which VMCS or
 * VMCB (dump_invalid_vmcs, dump_invalid_vmcb): for tests/caps.t. KVM finds nothing
 * wrong with its code segment, which is one of 64 bits and of 32; the CPU does (SDM
 * vol. 3, 27.3.1.2; APM vol. 2, 15.5.1). Status 0 where it was refused.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY (1UL << 20)

static int vm_make(int kvm)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };
	void *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	region.userspace_addr = (unsigned long)memory;
	if (memory == MAP_FAILED || vm < 0 || ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0 ||
	    ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		err(1, "cannot make a VM");
	return vm;
}

/* The guest has all that KVM can give it. */
static void give_cpuid(int kvm, int vcpu)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid = { .head.nent = 256 };

	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) < 0 || ioctl(vcpu, KVM_SET_CPUID2, &cpuid) < 0)
		err(1, "cannot give the vCPU its CPUID");
}

/* In long mode, with the table of pages at 0x1000. */
static void make_invalid(int vcpu)
{
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		err(1, "cannot read the vCPU's state");
	sregs.cr0 = 0x80000031;
	sregs.cr3 = 0x1000;
	sregs.cr4 |= 0x20;
	sregs.efer |= 0x500;
	sregs.cs = (struct kvm_segment){ .limit = ~0U, .selector = 8, .type = 11, .present = 1,
					 .s = 1, .l = 1, .db = 1, .g = 1 };
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0)
		err(1, "cannot set the vCPU's state");
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct kvm_run *run;
	int vcpu;

	if (kvm < 0)
		err(1, "/dev/kvm");
	vcpu = ioctl(vm_make(kvm), KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		err(1, "cannot make a vCPU");
	give_cpuid(kvm, vcpu);
	make_invalid(vcpu);
	run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED,
		   vcpu, 0);
	if (run == MAP_FAILED)
		err(1, "cannot map the vCPU");
	if (ioctl(vcpu, KVM_RUN, 0) < 0)
		err(1, "KVM_RUN");
	printf("exit %u, hardware reason 0x%llx\n", run->exit_reason,
	       (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
	return run->exit_reason != KVM_EXIT_FAIL_ENTRY;
}
