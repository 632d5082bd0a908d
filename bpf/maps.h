/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All memory: arrays in plain sight, and maps for what is to be found by a key. In
 * the hot path an array costs a third of a map's lookup.
 */
#ifndef KVMSTAT_BPF_MAPS_H
#define KVMSTAT_BPF_MAPS_H

#include "kernel.h"

#include <bpf/bpf_helpers.h>

#include "shared.h"

#define barrier() asm volatile("" ::: "memory")
#define hide(x) asm volatile("" : "+r"(x))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

const volatile struct settings settings SEC(".rodata.settings");

struct totals_of_all all;
struct vcpu vcpus[MAX_VCPUS];
struct vm vms[MAX_VMS];
struct cell cells[MAX_CELLS];
__u8 bucket_of[BUCKET_END];

#define INDEX(name, entries)				\
struct {						\
	__uint(type, BPF_MAP_TYPE_HASH);		\
	__uint(max_entries, entries);			\
	__type(key, u64);				\
	__type(value, u32);				\
} name SEC(".maps")

INDEX(vcpu_index, MAX_VCPUS);	/* by struct kvm_vcpu * */
INDEX(vm_index, MAX_VMS);	/* by vm.key */
INDEX(runner_index, MAX_VCPUS);	/* vCPUs by thread: where a thread does not tell its vCPU */

#define QUEUE(name, entries)				\
struct {						\
	__uint(type, BPF_MAP_TYPE_QUEUE);		\
	__uint(max_entries, entries);			\
	__type(value, u32);				\
} name SEC(".maps")

/* To be used again */
QUEUE(free_cells, MAX_CELLS);
QUEUE(free_vms, MAX_VMS);
/* Gone, but still kept; oldest first */
QUEUE(dead_vms, MAX_VMS);

/* A line of the cache each: nobody else writes it. */
struct cpu {
	u32 in_run;		/* index of the vCPU whose KVM_RUN this CPU is in */
	u64 address;		/* of a vCPU: see untyped() */
	u32 unused[12];
};

/* As many as there are CPUs: the user side says how many. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

static __always_inline struct cell *cell_at(u32 index)
{
	return &cells[index & (MAX_CELLS - 1)];
}

static __always_inline struct vcpu *vcpu_at(u32 index)
{
	return &vcpus[index & (MAX_VCPUS - 1)];
}

static __always_inline struct vm *vm_at(u32 index)
{
	return &vms[index & (MAX_VMS - 1)];
}

static __always_inline struct cpu *this_cpu(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

#endif
