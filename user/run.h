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
#include "reasons.h"

#define CLASS_NAME_MAX 24

/* Over several runs; sd is NAN where it cannot be told. */
struct spread {
	double mean;
	double sd;
};

struct reason {
	uint64_t code;
	char name[REASON_NAME_MAX];
	char class[CLASS_NAME_MAX];
	uint64_t exits;
	uint64_t cycles;
	/* Valid where run.runs > 1; the integers above are then rounded means. */
	struct spread exits_spread;
	struct spread cycles_spread;
};

struct reasons {
	struct reason *list;
	size_t nr;
};

struct totals {
	uint64_t exits;
	uint64_t cycles;
	uint64_t guest_cycles;
	uint64_t untraced;
	uint64_t lost;
};

struct vcpu {
	uint32_t id;
	struct totals totals;
	struct reasons reasons;
};

struct vm {
	uint64_t id;
	uint32_t pid;
	char comm[16];
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
	uint32_t isa;		/* KVMSTAT_ISA_* */
	char paging[16];	/* "ept", "npt", "shadow" or "unknown" */
	char kernel[80];
	uint64_t tsc_khz;
	enum window window;
	uint64_t window_ns;
	char command[200];	/* WINDOW_COMMAND: for the reader's memory */
	unsigned int runs;	/* > 1: everything is a mean per run */
	/* Where a source counts on: may two of its runs be subtracted? */
	uint64_t instance;
	uint64_t generation;
	uint64_t time_ns;
	struct totals totals;
	struct reasons reasons;	/* of all VMs */
	struct reasons classes;	/* the same, added up by class: name is the class */
	struct vm *vms;		/* by ascending id; none where runs > 1 */
	size_t nr_vms;
};

const char *isa_name(uint32_t isa);

/* The entry for a code, added where it is not there yet. */
struct reason *reasons_get(struct reasons *reasons, uint32_t isa, uint64_t code);
struct reason *reasons_append(struct reasons *reasons, const struct reason *reason);

void run_from_snapshot(struct run *run, const struct snapshot *snap);
/* Totals of vCPUs, VMs and run, and the run's reasons, from the vCPUs' reasons. */
void run_sum(struct run *run);
/* The run's classes, from its reasons. */
void run_classify(struct run *run);
void run_copy(struct run *to, const struct run *from);
void run_free(struct run *run);

void vm_free(struct vm *vm);
void vcpu_free(struct vcpu *vcpu);

#endif
