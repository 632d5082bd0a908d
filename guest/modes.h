/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The four modes of the CPU in which a guest may run: register state and page tables. */
#ifndef KVMSTAT_GUEST_MODES_H
#define KVMSTAT_GUEST_MODES_H

#include <linux/kvm.h>
#include <stdint.h>

/* Long mode is what a guest has by default. */
enum mode { MODE_LONG, MODE_REAL, MODE_PROTECTED, MODE_PAGED, NR_MODES };

/* IA32_EFER; the others are in the UAPI headers. */
#define EFER_LME	(1ULL << 8)
#define EFER_LMA	(1ULL << 10)

struct code {
	const uint8_t *start, *end;
};

struct mode_state {
	const char *name;
	uint64_t cr0, cr4, efer;
	struct kvm_segment cs, data;	/* their base is the part's, where nothing is paged */
	struct code code;		/* of all guests of the catalogue */
	uint64_t code_at;		/* and where it is in the part */
	uint64_t stack;			/* its top */
	unsigned int word;		/* bytes that PUSH pushes */
	uint64_t part;			/* bytes of memory per vCPU */
};

extern const struct mode_state modes[NR_MODES];

/* By name; NR_MODES if there is none. */
enum mode mode_find(const char *name);

/*
 * Changes what differs from the state that KVM_GET_SREGS gave, and fills in the
 * tables in 'part', the vCPU's memory, which is at guest-physical 'base'.
 */
void mode_set(enum mode mode, struct kvm_sregs *sregs, uint8_t *part, uint64_t base);

#endif
