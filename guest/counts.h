/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the loaded module has counted of a vCPU of this process. Read in the
 * vCPU's own thread while the guest waits at a mark, no exit can fall between
 * the count and the reading of it.
 */
#ifndef KVMSTAT_GUEST_COUNTS_H
#define KVMSTAT_GUEST_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many as the module has for one vCPU (TALLY_CELLS). */
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

/* Who reads, and what must not change from one reading to the next. */
struct counter {
	int device;
	uint32_t isa;
	uint64_t instance, generation;	/* of the module, at the first reading */
};

/* 0, or -1 after a message: not there, or not to be compared with the last reading. */
int counts_read(struct counter *counter, unsigned int vcpu_id, struct counts *to);

/* 0 where the code is not among them. */
uint64_t exits_of(const struct counts *counts, uint64_t code);

/* Interrupts, NMIs and SMIs of the host fall where they like. */
bool is_host_noise(uint32_t isa, uint64_t code);

#endif
