/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exit codes: the kernel's own trace names, and a class that both ISAs share. */
#ifndef KVMSTAT_REASONS_H
#define KVMSTAT_REASONS_H

#include <stddef.h>
#include <stdint.h>

#include "../module/uapi/kvmstat.h"

#define REASON_NAME_MAX 40

/*
 * Name of an exit code: the kernel's trace name ("npf", "CPUID"), or its
 * number where no table knows it, written to buf and returned.
 */
const char *reason_name(uint32_t isa, uint64_t code, char buf[REASON_NAME_MAX]);
/* Vendor-neutral class ("CPUID", "IO", "NESTED_PAGE_FAULT"…), "OTHER" if unknown. */
const char *reason_class(uint32_t isa, uint64_t code);
/*
 * The class that both ISAs can tell: "MSR" for "MSR_READ", which SVM's codes
 * do not tell from MSR_WRITE; most classes are their own.
 */
const char *reason_class_common(const char *class);

#endif
