/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run: what was counted over one window, whoever counted it. Sources make
 * it (source.h), commands subtract, select and compare it, formats print it.
 */
#ifndef KVMSTAT_RUN_H
#define KVMSTAT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "histogram.h"
#include "reasons.h"

#define CLASS_NAME_MAX 24
#define L2_PREFIX "L2_"
#define ROW_CLASS_MAX (CLASS_NAME_MAX + sizeof(L2_PREFIX) - 1)
/* "EXCEPTION_NMI (L2) #PF" */
#define LABEL_MAX (REASON_NAME_MAX + DETAIL_NAME_MAX + sizeof(" (L2) "))

/* Over several runs; sd is NAN where it cannot be told. */
struct spread {
	double mean;
	double sd;
};

/* What exits took, from exit to entry; where that is not told apart, all is kernel. */
struct cycles {
	uint64_t kernel;
	uint64_t user;
	uint64_t offcpu;
};

/*
 * A row of counts. At its finest it has one code, level and detail; such rows
 * are added up by code and level to reasons, and to classes.
 */
struct reason {
	uint64_t code;
	uint32_t level;		/* 2: exits of a nested guest */
	uint32_t detail;	/* KVMSTAT_DETAIL_*; none where they are added up */
	char name[REASON_NAME_MAX];
	char class[ROW_CLASS_MAX];
	uint64_t exits;
	struct cycles cycles;
	struct histogram histogram;	/* of kernel cycles; of several runs, of all together */
	/* Valid where run.runs > 1; the integers above are then rounded means. */
	struct spread exits_spread;
	struct spread cycles_spread;
	struct spread kernel_spread;
};

struct reasons {
	struct reason *list;
	size_t nr;
};

struct totals {
	uint64_t exits;
	struct cycles cycles;
	uint64_t guest_cycles;
	uint64_t wall_cycles;	/* of all vCPUs together */
	uint64_t untraced;
	uint64_t lost;
};

struct vcpu {
	uint32_t id;
	struct totals totals;
	struct reasons details;	/* the finest rows */
};

/* QEMU takes longer ones. */
#define VM_NAME_MAX 40

struct vm {
	uint64_t id;
	uint32_t pid;
	char comm[16];
	char name[VM_NAME_MAX];	/* QEMU's -name, or "" */
	bool alive;
	bool retired;		/* sum of VMs that the module keeps no longer one by one */
	struct totals totals;
	struct vcpu *vcpus;	/* in the order of their first event */
	size_t nr_vcpus;
};

enum window {
	WINDOW_SINCE_RESET,	/* since the source began to count, or the last reset */
	WINDOW_INTERVAL,
	WINDOW_COMMAND,
};

struct run {
	char source[16];
	const char *file;	/* that it was saved to, or NULL */
	uint32_t isa;		/* KVMSTAT_ISA_* */
	char paging[16];	/* "ept", "npt", "shadow" or "unknown" */
	char kernel[80];
	uint64_t tsc_khz;
	bool split;		/* kernel, user and off-CPU cycles are told apart */
	enum window window;
	uint64_t window_ns;
	char command[200];	/* WINDOW_COMMAND: for the reader's memory */
	char selection[80];	/* "--vm 3 --vcpu 0", where it is not of all VMs */
	unsigned int runs;	/* > 1: everything is a mean per run */
	/* Where a source counts on: may two of its runs be subtracted? */
	uint64_t instance;
	uint64_t generation;
	uint64_t time_ns;
	uint64_t tsc;		/* at the same time */
	struct totals totals;
	struct reasons details;	/* of all VMs: the finest rows */
	struct reasons reasons;	/* the same, added up by code and level */
	struct reasons classes;	/* the same, added up by class: name is the class */
	struct vm *vms;		/* by ascending id; none where runs > 1 */
	size_t nr_vms;
};

const char *isa_name(uint32_t isa);

uint64_t cycles_sum(const struct cycles *cycles);
void cycles_add(struct cycles *sum, const struct cycles *cycles);
void totals_add(struct totals *sum, const struct totals *totals);

/* Same code, level and detail, and, of classes and of what a file says, name? */
bool reason_same(const struct reason *a, const struct reason *b);
/* Kernel cycles of an exit. */
double reason_mean(const struct reason *reason);
/* "npf (L2) mmio", written to buf and returned. */
char *reason_label(const struct reason *reason, char buf[LABEL_MAX]);

/* The finest row of these, added where it is not there yet. */
struct reason *reasons_get(struct reasons *reasons, uint32_t isa, uint64_t code, uint32_t level,
			   uint32_t detail);
struct reason *reasons_append(struct reasons *reasons, const struct reason *reason);
/* Adds the finest rows up by code and level; by class, those of L2 apart. */
void reasons_add_up(struct reasons *reasons, uint32_t isa, const struct reasons *details);
void classes_add_up(struct reasons *classes, const struct reasons *details);
void details_add_up(struct reasons *sum, const struct reasons *details);
void reasons_clear(struct reasons *reasons);

void run_from_snapshot(struct run *run, const struct snapshot *snap);
/* Totals of vCPUs, VMs and run, and the run's rows, from the vCPUs' rows. */
void run_sum(struct run *run);
/* The VM with that id, or NULL. */
struct vm *run_find_vm(const struct run *run, uint64_t id);
/* Exits in the totals that are of none of the reasons: a report was saved with --top. */
uint64_t run_left_out(const struct run *run);
void run_copy(struct run *to, const struct run *from);
void run_free(struct run *run);

void vm_free(struct vm *vm);
void vcpu_free(struct vcpu *vcpu);

#endif
