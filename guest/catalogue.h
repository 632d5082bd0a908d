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

#define EXPECT_MAX	3

enum world { SVM_NESTED, SVM_SHADOW, VMX_NESTED, VMX_SHADOW, NR_WORLDS };

struct expected {
	uint64_t code;		/* the ISA's exit code */
	unsigned int per_op;	/* exits for each of the count operations */
	unsigned int once;	/* exits besides; per_op and once 0: end of list */
};

struct guest {
	const char *name;
	const char *description;
	/* Where it starts, within guest_code. Two where the ISAs differ. */
	const uint8_t *body;
	const uint8_t *body_vmx;
	unsigned int count;		/* operations, by default */
	unsigned int count_max;		/* 0: no bound */
	unsigned int warm_up;		/* operations before the measured ones */
	bool measured;			/* between marks, else from first to last exit */
	bool answers;			/* leaves 42 */
	struct expected expect[NR_WORLDS][EXPECT_MAX];
};

extern const struct guest catalogue[];
extern const size_t catalogue_size;

/* The code of all bodies, one after the other (bodies.S). */
extern const uint8_t guest_code[];
extern const uint64_t guest_code_size;

const struct guest *catalogue_find(const char *name);

#endif
