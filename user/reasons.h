/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exit codes: the kernel's own trace names, and a class that both ISAs share. */
#ifndef KVMSTAT_REASONS_H
#define KVMSTAT_REASONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../module/uapi/kvmstat.h"

#define REASON_NAME_MAX 40
#define DETAIL_NAME_MAX 20

/*
 * Name of an exit code: the kernel's trace name ("npf", "CPUID"), or its
 * number where no table knows it, written to buf and returned.
 */
const char *reason_name(uint32_t isa, uint64_t code, char buf[REASON_NAME_MAX]);
/* The code without the flags that VMX's may have. */
uint64_t reason_basic(uint32_t isa, uint64_t code);
/* Could an exit have this code? VMX: a basic reason, and flags that there are. */
bool reason_is_code(uint32_t isa, uint64_t code);
/* Vendor-neutral class ("CPUID", "IO", "NESTED_PAGE_FAULT"…), "OTHER" if unknown. */
const char *reason_class(uint32_t isa, uint64_t code);
/* The same of a code with its detail, which tells more: "MSR_WRITE" for SVM's MSR. */
const char *detail_class(uint32_t isa, uint64_t code, uint32_t detail);

/*
 * KVMSTAT_DETAIL_* as people write it: "write", "#PF", "mov to cr3"; "none"
 * where there is none. Written to buf and returned.
 */
const char *detail_name(uint32_t detail, char buf[DETAIL_NAME_MAX]);
/* The other way; false where there is no detail of that name. */
bool detail_find(const char *name, uint32_t *detail);

/* A code whose class would be a narrower one if its detail were known. */
bool reason_undecided(uint32_t isa, uint64_t code, uint32_t detail);
/*
 * The class of which this one is a part, where no detail is known: "MSR" for
 * "MSR_READ", "L2_MSR" for "L2_MSR_READ"; most classes are their own.
 */
const char *reason_class_common(const char *class);

#endif
