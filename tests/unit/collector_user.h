/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF collector's programs, compiled for a program: its maps are arrays, its clock
 * is told, and KVM's vCPUs are structures that a test fills. One CPU for each vCPU.
 */
#ifndef COLLECTOR_USER_H
#define COLLECTOR_USER_H

#include "../../bpf/shared.h"
#include "../../bpf/tables.h"

/* Maps that a test has its hands on. */
enum fake_index { FAKE_VCPU_INDEX, FAKE_VM_INDEX };

struct fake_vcpu;

struct fake_reason {
	__u32 isa;
	__u32 code;
	__u64 info;		/* EXITINFO1, or the exit qualification */
	__u32 intr_info;
	__u32 l2;
};

/* A collector that has seen nothing. */
void collector_new(__u32 history);
/* From now on there is room for so many more only. */
void collector_room(__u32 nr_vms, __u32 nr_vcpus, __u32 nr_cells);
/* Exits come by the trace event's record. */
void collector_classic(void);
void collector_clock(__u64 cycles_per_ns);
void collector_limit(enum fake_index index, __u32 max);
/* On another CPU, just before that map is written the next time. */
void collector_meanwhile(enum fake_index index, void (*happens)(void));
/* On another CPU, just before any map is written; NULL: nothing. */
void collector_at_each_write(void (*happens)(void));
/*
 * For a reader: as they are now. Who asks again brings what all readers have up to
 * date, as if a program ran while they read.
 */
void collector_tables(struct tables *tables);
struct totals_of_all *collector_all(void);
struct cell *collector_cell(__u32 index);
struct vcpu *collector_vcpu(__u32 index);
struct vm *collector_vm(__u32 index);
/* Of a vCPU. */
__u64 collector_exits(__u32 index);
/* 0: it is not known. */
__u32 collector_find(const struct fake_vcpu *f);
__u32 collector_find_vm(__u64 vm);
/* It is where the programs look first. */
__u32 collector_at_home(const struct fake_vcpu *f);

/* What happens next is at that time, in cycles as in nanoseconds. */
void fake_time(__u64 now);
/* Whether the kernel has the types of 7.1, or those of 6.1. */
void fake_kernel(__u32 newer);

struct fake_vcpu *fake_vcpu(__u64 vm, __u32 id);
void fake_free(struct fake_vcpu *f);
/* The last exit, of which KVM has not read yet what is beside the code. */
void fake_exit(struct fake_vcpu *f, const struct fake_reason *reason);
void fake_kvm_reads(struct fake_vcpu *f);
/* KVM's own counter. */
void fake_counter(struct fake_vcpu *f, __u64 exits);
/* What KVM_RUN tells userspace: KVM_EXIT_FAIL_ENTRY with that reason, or another one. */
void fake_run_ends(struct fake_vcpu *f, __u32 failed, __u32 code);

void event_exit(struct fake_vcpu *f, __u32 isa);
void event_exit_classic(struct fake_vcpu *f, __u32 isa);
void event_entry(struct fake_vcpu *f);
void event_fpu(struct fake_vcpu *f, int load);
void event_userspace_exit(struct fake_vcpu *f);
void event_out(struct fake_vcpu *f);
void event_in(struct fake_vcpu *f);
void event_destroy(__u64 vm);

/* Pieces of the programs. */
__u32 collector_bucket(__u64 cycles);
void collector_close(struct cell *cell, __u64 ns);

#endif
