/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guests, each with the exits that it must cause: so many per operation
 * and so many besides, by exit code, for each ISA and paging mode.
 */
#ifndef KVMSTAT_GUEST_CATALOGUE_H
#define KVMSTAT_GUEST_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modes.h"

#define EXPECT_MAX	6

enum world { SVM_NESTED, SVM_SHADOW, VMX_NESTED, VMX_SHADOW, NR_WORLDS };

/* All 0 but the code: end of list. */
struct expected {
	uint64_t code;		/* the ISA's exit code */
	unsigned int per_op;	/* exits for each of the count operations */
	unsigned int once;	/* exits besides */
	/* Where the number is a bound, and the catalogue says why: … */
	unsigned int every;	/* at most one more in so many operations */
	bool interrupts;	/* at most one more for each interrupt of the host */
	enum { ALL_VCPUS, FIRST_VCPU, OTHER_VCPUS } of;
};

struct image;
struct vm;
struct vcpu;

struct guest {
	const char *name;
	const char *description;
	enum mode mode;
	/* Where it starts, within its mode's code. Two where the ISAs differ. */
	const uint8_t *body;
	const uint8_t *body_vmx;
	const uint8_t *handler;		/* of the exception or interrupt 'vector' */
	uint8_t vector;
	/* Or it is from a file. */
	const struct image *image;
	uint64_t entry;
	unsigned int count;		/* operations, by default */
	unsigned int count_max;		/* 0: no bound */
	unsigned int warm_up;		/* operations before the measured ones */
	bool measured;			/* between marks, else from first to last exit */
	bool answers;			/* leaves 42 */
	struct expected expect[NR_WORLDS][EXPECT_MAX];
	/* Why it cannot run here: a reason, or NULL. */
	const char *(*needs)(enum world world);
	/* What the host does to the VM before there are vCPUs, and at MARK_HOST. */
	void (*prepare)(struct vm *vm);
	int (*host)(struct vcpu *vcpu);
	unsigned int vcpus;		/* it runs on so many (0: 1), or on a multiple */
	bool alone;			/* but not on a multiple */
	bool irqchip;			/* each vCPU has an APIC, in KVM and in x2APIC mode */
	bool starts_others;		/* all vCPUs but the first wait for INIT and SIPI */
	bool in_kernel;			/* none of its exits reaches userspace */
};

bool expected_listed(const struct expected *expect);

extern const struct guest catalogue[];
extern const size_t catalogue_size;

/* bodies.S: the code of long mode. */
extern const uint8_t guest_code[], guest_code_end[];
/* There too: handlers of exceptions and interrupts. */
extern const uint8_t handler_resume[], handler_resume_code[], handler_step[], handler_return[];
extern const uint8_t handler_cow[], handler_eoi[], handler_eoi_next[];
/* other_modes.S */
extern const uint8_t code_real[], code_real_end[], code_32[], code_32_end[];
/* stubs.S */
extern const uint8_t guest_exceptions[];

/* NULL: there is none of this name, or not in this mode. */
const struct guest *catalogue_find(const char *name, enum mode mode);

#endif
