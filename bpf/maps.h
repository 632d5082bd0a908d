/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps, and their elements by index. Their sizes are the user side's to choose
 * (collector.c); one element each is what the verifier sees.
 */
#ifndef KVMSTAT_BPF_MAPS_H
#define KVMSTAT_BPF_MAPS_H

#include "kernel.h"

#include <bpf/bpf_helpers.h>

#include "shared.h"

#define barrier() asm volatile("" ::: "memory")
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

const volatile struct settings settings SEC(".rodata.settings");
struct totals_of_all all SEC(".data.all");

#define TABLE(name, record)				\
struct {						\
	__uint(type, BPF_MAP_TYPE_ARRAY);		\
	__uint(map_flags, BPF_F_MMAPABLE);		\
	__uint(max_entries, 1);				\
	__type(key, u32);				\
	__type(value, struct record);			\
} name SEC(".maps")

TABLE(cells, cell);
TABLE(vcpus, vcpu);
TABLE(vms, vm);

#define INDEX(name)					\
struct {						\
	__uint(type, BPF_MAP_TYPE_HASH);		\
	__uint(max_entries, 1);				\
	__type(key, u64);				\
	__type(value, u32);				\
} name SEC(".maps")

INDEX(vcpu_index);	/* by struct kvm_vcpu * */
INDEX(vm_index);	/* by vm.key */
INDEX(runner_index);	/* vCPUs by thread: used where a thread does not tell its vCPU */

#define QUEUE(name)					\
struct {						\
	__uint(type, BPF_MAP_TYPE_QUEUE);		\
	__uint(max_entries, 1);				\
	__type(value, u32);				\
} name SEC(".maps")

/* To be used again */
QUEUE(free_cells);
QUEUE(free_vcpus);
QUEUE(free_vms);
/* Gone, but still kept; oldest first */
QUEUE(dead_vms);

/* A line of the cache each: nobody else writes it. */
struct cpu {
	u32 in_run;		/* index of the vCPU whose KVM_RUN this CPU is in */
	u64 address;		/* of a vCPU: see untyped() */
	u32 unused[12];
};
TABLE(cpus, cpu);

static __always_inline struct cell *cell_at(u32 index)
{
	return bpf_map_lookup_elem(&cells, &index);
}

static __always_inline struct vcpu *vcpu_at(u32 index)
{
	return bpf_map_lookup_elem(&vcpus, &index);
}

static __always_inline struct vm *vm_at(u32 index)
{
	return bpf_map_lookup_elem(&vms, &index);
}

static __always_inline struct cpu *this_cpu(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

#endif
