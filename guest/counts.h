/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the module, or the BPF collector, has counted of a vCPU of this process. Read in the
 * vCPU's own thread while the guest waits at a mark, no exit can fall between
 * the count and the reading of it.
 */
#ifndef KVMSTAT_GUEST_COUNTS_H
#define KVMSTAT_GUEST_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many as either has for one vCPU (TALLY_CELLS, COLLECTOR_CELLS). */
#define COUNTS_MAX	64

/* Of one exit code. */
struct count {
	uint64_t code;
	uint64_t exits;
	uint64_t kernel_cycles, user_cycles, offcpu_cycles;
};

struct counts {
	struct count of[COUNTS_MAX];
	size_t nr;
	uint64_t untraced;
};

struct collector;

/* Who reads, and what must not change from one reading to the next. */
struct counter {
	int device;			/* the module's, or */
	struct collector *collector;	/* NULL: it is the module */
	uint32_t isa;
	uint64_t instance, generation;	/* at the first reading */
};

/*
 * "module" or "bpf": a collector that is pinned, or one of our own. NULL: the module
 * where it is loaded, else BPF. 0, or -1 after a message.
 */
int counter_open(struct counter *counter, const char *source);
void counter_close(struct counter *counter);

/* 0, or -1 after a message: not there, or not to be compared with the last reading. */
int counts_read(struct counter *counter, unsigned int vcpu_id, struct counts *to);

/* 0 where the code is not among them. */
uint64_t exits_of(const struct counts *counts, uint64_t code);

/* Interrupts, NMIs and SMIs of the host fall where they like. */
bool is_host_noise(uint32_t isa, uint64_t code);

#endif
