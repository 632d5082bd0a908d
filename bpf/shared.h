/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs in the kernel write and the collector's user side reads: arrays
 * that both see as plain memory. An index of 0 is none, so the first element of each
 * is nobody's; but vCPU 0 is the sum of those that are no longer kept one by one.
 */
#ifndef KVMSTAT_BPF_SHARED_H
#define KVMSTAT_BPF_SHARED_H

#include <linux/types.h>

/* Powers of two: an index is masked, and so the verifier knows its range. */
#define VCPUS_BITS		11
#define MAX_VCPUS		(1 << VCPUS_BITS)
#define MAX_VMS			1024
#define MAX_CELLS		16384

/* Of the maps' elements and their meaning; pinned ones may be of an older program. */
#define COLLECTOR_VERSION	1

/* As module/tally.h has them. */
#define COLLECTOR_BUCKETS	140
#define COLLECTOR_HUGE		(1ULL << 36)
#define COLLECTOR_CELLS		48	/* of a vCPU */
#define COLLECTOR_SLOTS		256

/* What an exit is counted under: its raw 32-bit code, and above that what it tells besides. */
#define KEY_CODE(key)		((__u32)(key))
#define KEY_NO_REASON		(1ULL << 32)
#define KEY_L2			(1ULL << 33)
#define KEY_OTHER		(1ULL << 34)
#define KEY_NONE		(1ULL << 35)	/* no exit has it */
#define KEY_DETAIL_SHIFT	40
#define KEY_DETAIL(key)		((__u32)((key) >> KEY_DETAIL_SHIFT))

enum vcpu_state {
	VCPU_UNKNOWN,		/* nothing seen yet: time counts from the next event on */
	VCPU_GUEST,
	VCPU_GUEST_SLOW,	/* … and its exit has to be looked at more closely */
	VCPU_KERNEL,
	VCPU_KERNEL_PENDING,	/* … and what the exit tells besides its code is not known yet */
	VCPU_LEAVING,		/* KVM_RUN has let go of the vCPU, and is on its way back */
	VCPU_USER,
	VCPU_OFF,		/* switched out of KERNEL */
	/* Switched out of GUEST, and in: the event of the exit comes late. */
	VCPU_LATE_OFF,
	VCPU_LATE,
	VCPU_PENDING_OFF,	/* switched out of KERNEL_PENDING */
};

/*
 * BPF cannot read the TSC: times and their sums are nanoseconds of CLOCK_MONOTONIC,
 * which the user side makes cycles of. The histogram is of cycles here, too.
 */
struct cell {
	__u64 key;
	__u64 exits;
	__u64 kernel_ns, user_ns, offcpu_ns;
	__u64 min, max;		/* of kernel_ns */
	__u64 squares_low, squares_high;	/* of kernel_ns: the sum of their squares */
	__u64 histogram[COLLECTOR_BUCKETS];
};

struct vcpu {
	__u64 vcpu;		/* its struct kvm_vcpu *; 0: there is none any more */
	__u64 mark;		/* last exit or entry, plus what was away since */
	__u64 guest_ns;
	__u64 reason;		/* address of its exit reason, in VCPU_GUEST */
	__u32 guest_state;	/* VCPU_GUEST or VCPU_GUEST_SLOW */
	__u32 used;		/* this element */
	__u32 state;		/* enum vcpu_state */
	__u32 open;		/* cell where the last exit is counted */
	__u32 nr_cells;
	__u64 pending;		/* VCPU_KERNEL_PENDING: its key, less the detail */
	__u64 away;		/* since when it is in USER or switched out */
	__u64 late_off;		/* off-CPU time of an exit whose event is yet to come, or pending */
	__u64 first;		/* of the first event */
	__u64 untraced;
	__u64 uncounted;	/* KVM's own 'exits' less ours when it began */
	__u64 runner;		/* the thread whose events are the vCPU's */
	__u32 compared;		/* 'uncounted' is known */
	__u32 changes;		/* of the fields that are read together; odd: in one */
	__u32 vm;		/* index of its VM */
	__u32 id;
	__u32 isa;		/* KVMSTAT_ISA_* */
	__u32 nested;		/* it has, or may have, a guest of its own */
	__u32 other;		/* cell of what found no cell of its own */
	__u32 cells[COLLECTOR_CELLS];
	__u16 slots[COLLECTOR_SLOTS];	/* where a key's cell is looked for */
};

#define VM_VCPUS	1024

struct vm {
	__u64 key;		/* its struct kvm *; 0 once it is gone */
	__u64 id;		/* 1, 2, 3 …; 0: not in use */
	__u32 pid;
	__u32 nr_vcpus;		/* ever */
	char comm[16];
	__u16 vcpus[VM_VCPUS];	/* indices, in the order of their first event */
};

/* Elements of an array. */
struct pool {
	__u64 next;		/* never used so far: all from here on */
	__u64 used;		/* now */
};

/* Of the collector as a whole. */
struct totals_of_all {
	__u64 lost;		/* exits of vCPUs for which there was no room */
	__u64 next_id;		/* of VMs */
	struct pool vms, cells;
	__u64 used_vcpus;
	__u64 nr_dead;		/* VMs that are kept after their end */
	__u64 self;		/* the address of this, to the programs */
	__u32 isa;		/* KVMSTAT_ISA_* of the last vCPU that came */
	__u32 attached;		/* every program is */
	__u32 folding;		/* somebody adds up VMs that are gone */
	__u64 folds;		/* how often; odd: right now */
};

/* Set by the user side before the programs are loaded, and read by it from pinned ones. */
struct settings {
	__u32 version;		/* COLLECTOR_VERSION */
	__u32 history;		/* VMs whose numbers are kept one by one after their end */
	__u64 cycles_per_ns;	/* << CYCLES_SHIFT */
	__u64 instance;		/* random */
	__u64 since_ns;		/* CLOCK_MONOTONIC */
	__u32 tsc_khz;
	__u32 end_seen;		/* VMs end when KVM destroys them; else with their process */
	/*
	 * Of the trace event's record: where its fields are (the format file in tracefs).
	 * 0: exits come by another way.
	 */
	struct {
		__u32 exit_reason, isa, info1, intr_info, vcpu_id;
	} classic;
	char way[240];		/* how it is attached, in words */
};

#define CYCLES_SHIFT	29

/* Below this, which most exits are, a table has the histogram's bucket of each time, in ns. */
#define BUCKET_END	(1 << 16)

/* Nanoseconds of CLOCK_MONOTONIC as TSC cycles. */
static inline __u64 cycles_of_ns(__u64 ns, __u64 cycles_per_ns)
{
	__u64 low = ns & ((1U << CYCLES_SHIFT) - 1);

	return (ns >> CYCLES_SHIFT) * cycles_per_ns + (low * cycles_per_ns >> CYCLES_SHIFT);
}

#endif
