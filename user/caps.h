/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the CPU offers to a hypervisor, and what KVM makes of it. */
#ifndef KVMSTAT_CAPS_H
#define KVMSTAT_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When KVM uses something that the CPU has. */
enum use {
	USE_UNKNOWN,
	USE_ALWAYS,	/* for each guest, unless its VMM asks for something else */
	USE_NEVER,
	USE_VARIES,	/* for some guests, or at times */
	USE_IF,		/* as a parameter of the vendor module says */
	USE_UNLESS,	/* the opposite */
	USE_VARIES_IF,	/* for some guests, or at times, if the parameter says so */
	/* The same two; where KVM has no such parameter, it has no such use either. */
	USE_IF_KNOWN,
	USE_VARIES_IF_KNOWN,
};

/* A bit with a name. */
struct cap {
	unsigned int bit;
	const char *name;	/* in the vendor's manual */
	enum use use;
	const char *parameter;
	const char *meaning;	/* where the name does not tell; else NULL */
};

struct caps_row {
	unsigned int bit;
	const char *name;	/* NULL: we know none */
	const char *meaning;
	bool can_set, can_clear;
	const char *in_use;	/* "yes", "no", "varies"; "-": cannot be told */
};

struct caps_group {
	const char *title;
	const char *where;	/* "IA32_VMX_BASIC" */
	uint32_t address;	/* MSR, or CPUID leaf */
	uint64_t value;
	bool controls;		/* can be set, can be cleared; else features, there or not */
	struct caps_row rows[64];
	size_t nr;
};

#define CAPS_GROUPS 8

struct caps {
	uint32_t isa;
	const char *source;
	char about[96];		/* of the whole */
	struct caps_group groups[CAPS_GROUPS];
	size_t nr;
};

/* 0, or -1 after an error message. 'msrs' is a file, or NULL: this machine's. */
int caps_vmx(struct caps *caps, const char *msrs);
int caps_svm(struct caps *caps);

/* Is the module there, whose parameters tell what is in use? */
bool caps_module_loaded(const char *module);
/* Adds a row; module NULL: not of this machine, or not loaded. cap may lack a name. */
void caps_add(struct caps_group *group, const struct cap *cap, bool can_set, bool can_clear,
	      const char *module);

#endif
