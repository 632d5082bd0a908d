/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kvmstat: the contract between kvmstat.ko and whoever reads it.
 *
 * /dev/kvmstat answers four ioctls:
 *
 *   KVMSTAT_IOC_INFO      what is loaded: ABI version, record sizes, state of
 *                         the hooks, size of a snapshot taken now.
 *   KVMSTAT_IOC_SNAPSHOT  every counter, copied into the caller's buffer.
 *   KVMSTAT_IOC_RESET     counting starts again from zero.
 *   KVMSTAT_IOC_SPACES    the address spaces that guests were seen in.
 *
 * Counters only ever grow between two resets. A window is the difference of
 * two snapshots, taken by the reader: the module keeps nothing per reader, so
 * readers cannot disturb each other. Two snapshots may be subtracted only if
 * both their 'instance' (one per insmod) and their 'generation' (one per
 * reset) agree; otherwise the difference has no meaning.
 *
 * A snapshot is one struct kvmstat_snapshot followed by nr_vms struct
 * kvmstat_vm, nr_vcpus struct kvmstat_vcpu, nr_cells struct kvmstat_cell and
 * nr_buckets __u64, each section directly after the other. A VM names its
 * vCPUs, a vCPU its cells, a cell its buckets, by index of the first and number.
 * Step through a section by the record size that the header gives, not by
 * sizeof: a later module may append fields. A change that old readers would
 * misread changes KVMSTAT_ABI_VERSION.
 *
 * A snapshot is not one instant: vCPUs go on while they are copied, each
 * counter is read whole, and a cell's exits may be ahead of its cycles by the
 * exit that is being handled.
 *
 * Units: exits are counts; cycles are TSC cycles of the host; *_ns are
 * nanoseconds of CLOCK_MONOTONIC.
 *
 * Errors, besides those of any ioctl (EBADF, EFAULT for a bad pointer):
 *   ENOTTY  unknown command, which includes a known one with another size
 *   ENOSPC  buffer too small: 'size' was set to what is needed now
 *   EINVAL  a reserved field or flag is not zero
 *   EPERM   reset through a descriptor that is not open for writing
 *   EINTR   a signal came while another reader was being served
 *   ENOMEM  no memory for the copy
 *   ENODATA address spaces are not told apart: the parameter guest_spaces is 0
 * Nothing is changed by a call that fails.
 */
#ifndef _UAPI_KVMSTAT_H
#define _UAPI_KVMSTAT_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KVMSTAT_ABI_VERSION	2

/* Which instruction set's exit codes the cells carry, as kvm_exit says it. */
#define KVMSTAT_ISA_UNKNOWN	0	/* no exit seen yet */
#define KVMSTAT_ISA_VMX		1	/* exit reason, Intel SDM vol. 3 app. C */
#define KVMSTAT_ISA_SVM		2	/* EXITCODE, AMD APM vol. 2 app. C */

/* struct kvmstat_info: hooks */
#define KVMSTAT_HOOK_EXIT	(1U << 0)	/* kvm_exit is hooked */
#define KVMSTAT_HOOK_ENTRY	(1U << 1)	/* kvm_entry is hooked */
#define KVMSTAT_HOOK_DEATH	(1U << 2)	/* end of vCPUs and VMs is seen */
#define KVMSTAT_HOOK_REFUSED	(1U << 3)	/* kvm came later and did not match */
#define KVMSTAT_HOOK_SPLIT	(1U << 4)	/* time in userspace and off the CPU is seen */
#define KVMSTAT_HOOK_ACCESSOR	(1U << 5)	/* a vCPU's reasons are read through KVM's own function */
#define KVMSTAT_HOOK_SPACES	(1U << 6)	/* CR3 is looked at: guest_spaces is 1 */

struct kvmstat_info {
	__u32 abi_version;	/* KVMSTAT_ABI_VERSION */
	__u32 isa;		/* KVMSTAT_ISA_* */
	__u32 hooks;		/* KVMSTAT_HOOK_*; 0: kvm.ko is not loaded */
	__u32 tsc_khz;		/* TSC cycles per millisecond */
	__u64 instance;		/* random, one per load of the module */
	__u64 generation;	/* resets since then */
	__u64 snapshot_size;	/* bytes a snapshot taken now would need */
	__u32 vms_max_dead;	/* VMs remembered after their end */
	__u32 reserved;
};

struct kvmstat_snapshot_arg {
	__u64 buffer;		/* in: address to copy to */
	__u64 size;		/* in: bytes there; out: bytes used or needed */
	__u64 flags;		/* must be 0 */
};

#define KVMSTAT_MAGIC		0x00746174736d766bULL	/* "kvmstat", little endian */

struct kvmstat_snapshot {
	__u64 magic;		/* KVMSTAT_MAGIC */
	__u32 abi_version;
	__u32 header_size;	/* sizeof(struct kvmstat_snapshot) in the module */
	__u32 vm_size;		/* sizeof(struct kvmstat_vm) in the module */
	__u32 vcpu_size;
	__u32 cell_size;
	__u32 isa;		/* KVMSTAT_ISA_* */
	__u32 tsc_khz;
	__u32 reserved;
	__u64 instance;
	__u64 generation;
	__u64 time_ns;		/* when this snapshot was begun */
	__u64 since_ns;		/* when the generation began */
	__u64 tsc;		/* TSC at time_ns */
	__u64 lost;		/* exits that could not be tallied; 0 unless memory ran out */
	__u32 nr_vms;
	__u32 nr_vcpus;
	__u32 nr_cells;
	__u32 nr_buckets;
};

/* struct kvmstat_vm: flags */
#define KVMSTAT_VM_ALIVE	(1U << 0)
#define KVMSTAT_VM_RETIRED	(1U << 1)	/* sum of VMs no longer kept one by one; id 0 */

struct kvmstat_vm {
	__u64 id;		/* 1, 2, 3 …: never used twice while loaded */
	__u32 pid;		/* process that created the VM (initial pid namespace) */
	__u32 flags;		/* KVMSTAT_VM_* */
	char comm[16];		/* its command name, NUL-terminated */
	__u32 first_vcpu;	/* index into the vCPU section */
	__u32 nr_vcpus;
};

/*
 * Where a vCPU's time went. guest_cycles and the kernel, user and offcpu cycles
 * of its cells add up to wall_cycles. User and offcpu time that has not ended is
 * in it, up to the snapshot; guest and kernel time counts when it has ended.
 */
struct kvmstat_vcpu {
	__u32 id;		/* vcpu_id as given to KVM_CREATE_VCPU; 0 when retired */
	__u32 reserved;
	__u64 guest_cycles;	/* from entry to exit, while its thread ran */
	__u64 wall_cycles;	/* from its first exit or entry to where its time is known */
	__u64 untraced;		/* exits without a kvm_exit event; also in the cells */
	__u32 first_cell;	/* index into the cell section */
	__u32 nr_cells;
};

/*
 * One exit reason of one vCPU. The code is the ISA's own: on VMX the 32-bit
 * exit reason (basic reason in bits 15:0, flags above: SDM vol. 3, 25.9.1), on
 * SVM the 64-bit EXITCODE. A code has a cell for each detail that the exit
 * itself tells, and again for exits from a nested guest.
 */
#define KVMSTAT_CODE_UNTRACED	(1ULL << 62 | 1)	/* reason could not be read */
#define KVMSTAT_CODE_OTHER	(1ULL << 62 | 2)	/* more codes than cells */

/* struct kvmstat_cell: flags */
#define KVMSTAT_CELL_L2		(1U << 0)	/* exits from L2: a guest of the guest */

/*
 * struct kvmstat_cell: detail. Which of these a code has: RDMSR and WRMSR of
 * SVM's MSR; the three kinds of NPF and EPT_VIOLATION; EXCEPTION_NMI of VMX by
 * vector, and its CR_ACCESS by register and direction.
 */
#define KVMSTAT_DETAIL_NONE	0
#define KVMSTAT_DETAIL_READ	1
#define KVMSTAT_DETAIL_WRITE	2
#define KVMSTAT_DETAIL_TOUCH	3	/* no mapping yet: first touch, swapped out, new MMIO */
#define KVMSTAT_DETAIL_MMIO	4	/* KVM's own mark for the address of a device */
#define KVMSTAT_DETAIL_PROTECT	5	/* mapped, but not for this: write protection, dirty logging */
#define KVMSTAT_DETAIL_VECTOR	0x100	/* + the vector, 0-255 */
#define KVMSTAT_DETAIL_CR	0x200	/* + bits 5:0 of the qualification: CR number, access type << 4 */

/*
 * kernel_cycles: from exit to entry, less the two that follow; user_cycles:
 * from kvm_userspace_exit until KVM has the vCPU back; offcpu_cycles: the
 * vCPU's thread was off its CPU within KVM_RUN, asleep in HLT or preempted.
 *
 * min, max, squares and the histogram are of the kernel cycles of single exits
 * whose entry was seen. The histogram is log-linear: a value v below 4 is in
 * bucket v, else with e = floor(log2(v)) in (e - 2) * 4 + (v >> (e - 2)), so a
 * bucket's width is at most a quarter of its lower bound. The last one has all
 * that is too big for it.
 */
#define KVMSTAT_HISTOGRAM_BUCKETS	140

struct kvmstat_cell {
	__u64 code;
	__u32 flags;		/* KVMSTAT_CELL_* */
	__u32 detail;		/* KVMSTAT_DETAIL_* */
	__u64 exits;
	__u64 kernel_cycles;
	__u64 user_cycles;
	__u64 offcpu_cycles;
	__u64 min;		/* since the last reset; 0 where there is no bucket */
	__u64 max;
	__u64 squares_low;	/* sum of the squares, 128 bits */
	__u64 squares_high;
	__u32 first_bucket;	/* index into the bucket section */
	__u16 histogram_first;	/* the place of that bucket in the histogram */
	__u16 nr_buckets;	/* the others are empty */
};

/*
 * The address spaces of guests, while the module's parameter guest_spaces is 1 (it
 * may be written at any time): at each entry of a vCPU, its CR3 is looked at. One
 * that this vCPU has not had before is a new space, one that differs from that of
 * its last entry is a switch. An entry with paging off, or to a nested guest, is
 * none. Counting starts when it is switched on, and again at each reset.
 *
 * Without nested paging each load of CR3 exits, so nothing is missed. With nested
 * paging it is a sample: what came and went between two exits was not seen.
 *
 * One struct kvmstat_spaces, nr_vcpus struct kvmstat_spaces_vcpu and nr_spaces struct
 * kvmstat_space, as in a snapshot; also how two of them are subtracted, but that
 * 'epoch' has to agree, too. VMs are there that are in a snapshot one by one, and
 * vCPUs that were seen; the same space on two vCPUs is there twice.
 */
#define KVMSTAT_SPACES_MAGIC	0x736563617073766bULL	/* "kvspaces", little endian */

struct kvmstat_spaces {
	__u64 magic;		/* KVMSTAT_SPACES_MAGIC */
	__u32 abi_version;
	__u32 header_size;	/* sizeof(struct kvmstat_spaces) in the module */
	__u32 vcpu_size;
	__u32 space_size;
	__u32 tsc_khz;
	__u32 epoch;		/* how often guest_spaces was switched on */
	__u64 instance;
	__u64 generation;
	__u64 time_ns;		/* when the copy was made */
	__u64 tsc;		/* TSC at time_ns */
	__u32 nr_vcpus;
	__u32 nr_spaces;
	__u64 reserved;
};

/* struct kvmstat_spaces_vcpu: flags */
#define KVMSTAT_SPACES_NESTED	(1U << 0)	/* nested paging: a sample */

struct kvmstat_spaces_vcpu {
	__u64 vm;		/* its id in a snapshot */
	__u32 id;		/* the vCPU's own */
	__u32 flags;		/* KVMSTAT_SPACES_* */
	__u64 unread;		/* entries whose CR3 was out of the module's reach */
	__u32 first_space;	/* index into the space section */
	__u32 nr_spaces;
};

/* struct kvmstat_space: flags */
#define KVMSTAT_SPACE_PCID_LOW	(1U << 0)	/* seen with a PCID whose bit 11 is clear */
#define KVMSTAT_SPACE_PCID_HIGH	(1U << 1)	/* … is set, as Linux' page table isolation does */
#define KVMSTAT_SPACE_OTHERS	(1U << 2)	/* all beyond a vCPU's first 1,024; cr3 is 0 */

struct kvmstat_space {
	__u64 cr3;		/* the address in it, without PCID, flags and bit 63 */
	__u64 entries;		/* entries in this space */
	__u64 switches;		/* of these, such as followed one in another space */
	__u64 switches_from_partner; /* of these, such whose other space was cr3 ^ 0x1000 */
	__u64 first_tsc;	/* TSC when it was first, and last, entered */
	__u64 last_tsc;
	__u32 flags;		/* KVMSTAT_SPACE_* */
	__u32 reserved;
};

#define KVMSTAT_IOC_INFO	_IOR('v', 0xe0, struct kvmstat_info)
#define KVMSTAT_IOC_SNAPSHOT	_IOWR('v', 0xe1, struct kvmstat_snapshot_arg)
#define KVMSTAT_IOC_RESET	_IO('v', 0xe2)
#define KVMSTAT_IOC_SPACES	_IOWR('v', 0xe3, struct kvmstat_snapshot_arg)

/*
 * What a guest can ask, where the host's administrator allows it: the module's
 * parameter guest_leaf (0 or 1) may be written at any time. While it is 0 the
 * guest finds what it would find without kvmstat.
 *
 * The answers are sums over the asking VM's vCPUs since the last reset, nested
 * exits included; with the parameter guest_leaf_scope=host (else vm) over all
 * VMs, those that are gone among them. The exit by which the guest asks is
 * counted in its own answer. Cycles are TSC cycles of the host in which KVM
 * itself handled exits ('kernel_cycles'), of exits that are over: those of the
 * asking one are not. Any program in the guest may use CPUID.
 *
 * CPUID, leaf in EAX, and in ECX for the latter two an exit reason: VMX's basic
 * reason, SVM's EXITCODE (its low 32 bits: -1 is 0xffffffff):
 *
 *   0x4fffffff  EAX, EDX: exits, bits 31:0 and 63:32
 *               ECX, EBX: cycles, bits 31:0 and 63:32
 *   0x4ffffffe  EAX: exits of this reason, bits 31:0; EBX = 1; ECX = EDX = 0
 *   0x4ffffffd  ECX, EBX: cycles of this reason, bits 31:0 and 63:32;
 *               EAX = EDX = 0
 *
 * and of a reason that is not defined (VMX: 35, 38, 42, 65, beyond the last)
 * EAX = EBX = ECX = 0, EDX = 0xffffffff; of one that is, but that this KVM does
 * not handle, 0 in all four.
 *
 * Hypercall, as KVM's own (VMCALL or VMMCALL at CPL 0; number in RAX, arguments
 * in RBX and RCX, answer in RAX, nothing else changed): KVMSTAT_HYPERCALL with
 * an operation, and for the latter two an exit reason in ECX. Answers have 64
 * bits, in 64-bit mode. KVM_EINVAL, negative: no such operation, or the reason
 * is not defined. KVM_ENOSYS: not allowed now (or, in an instant with 1,024
 * such calls under way on the host, ask again). KVM_EPERM: CPL is not 0.
 */
#define KVMSTAT_LEAF_TOTAL		0x4fffffff
#define KVMSTAT_LEAF_REASON_EXITS	0x4ffffffe
#define KVMSTAT_LEAF_REASON_CYCLES	0x4ffffffd

#define KVMSTAT_HYPERCALL		0x4b564d53	/* "KVMS" */
#define KVMSTAT_HC_EXITS		0
#define KVMSTAT_HC_CYCLES		1
#define KVMSTAT_HC_REASON_EXITS		2
#define KVMSTAT_HC_REASON_CYCLES	3

#endif
