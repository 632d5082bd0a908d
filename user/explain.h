/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What exit reasons mean: their cause, and what the paging mode does to them. */
#ifndef KVMSTAT_EXPLAIN_H
#define KVMSTAT_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How often a reason is seen with one paging mode, and how often with the other. */
enum by_paging { PAGING_SAME, NESTED_ONLY, SHADOW_ONLY, SHADOW_MORE, SHADOW_LESS };

/* Codes from first to last, ascending; those that the manual does not define are in none. */
struct explanation {
	uint64_t first, last;
	const char *section;	/* of the vendor's manual */
	enum by_paging paging;
	const char *why;	/* a sentence; NULL with PAGING_SAME */
	const char *cause;	/* a sentence */
};

struct explanations {
	const char *manual;
	const struct explanation *list;
	size_t nr;
};

extern const struct explanations vmx_explanations, svm_explanations;

/* Of KVMSTAT_ISA_VMX, KVMSTAT_ISA_SVM. */
const struct explanations *explanations_of(uint32_t isa);
/* NULL where there is none: a code that the manuals do not define. */
const struct explanation *reason_explain(uint32_t isa, uint64_t code);
/* Why its number depends on the paging mode; NULL where it does not. */
const char *reason_why(uint32_t isa, uint64_t code);
/* "nested only", "shadow more"…; "-" where the paging mode does nothing to it. */
const char *by_paging_name(enum by_paging paging);

enum handled { NOT_HANDLED, HANDLED, HANDLED_UNKNOWN };

/*
 * Has KVM of this release ("6.1.0-56-amd64") a handler of its own for it? Not known
 * where a later release of Linux was the first to have it: "6.18" into since then.
 * Stable and distributions' kernels take over such things without telling.
 */
enum handled reason_handled(uint32_t isa, uint64_t code, const char *release, char since[12]);

#endif
