/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's vendor module, kvm_amd or kvm_intel: which one is loaded, whether it
 * uses nested paging, and loading it again with or without.
 */
#ifndef KVMSTAT_VENDOR_H
#define KVMSTAT_VENDOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum paging { PAGING_UNKNOWN, PAGING_SHADOW, PAGING_NESTED };

struct parameter {
	char name[48];
	char value[64];
};

struct vendor {
	const char *module;		/* "kvm_amd" */
	const char *switch_name;	/* "npt" */
	enum paging paging;		/* in force when it was found */
	struct parameter *parameters;	/* in force then; not the switch itself */
	size_t nr_parameters;
};

/* "npt", "ept", "shadow", or "unknown" where no vendor module is loaded. */
const char *vendor_paging_name(void);

/* 0, or -1 after an error message: none is loaded, or it cannot be reloaded. */
int vendor_find(struct vendor *vendor);
void vendor_free(struct vendor *vendor);

/* The mode in force now, read from the module. */
enum paging vendor_paging(const struct vendor *vendor);
/* Differs from one load of the module to the next; 0 when it is not loaded. */
uint64_t vendor_load_id(const struct vendor *vendor);
const char *paging_name(const struct vendor *vendor, enum paging paging);

/* 0, or -1 after an error message that names the processes that use it. */
int vendor_check_unused(const struct vendor *vendor);

/*
 * Unloads the module once nobody uses it, loads it with this kind of paging
 * and makes sure of the mode. 0, or -1 after an error message.
 */
int vendor_reload(const struct vendor *vendor, enum paging paging);
/* As it was found; the message names the command to type where that fails. */
int vendor_restore(const struct vendor *vendor);

#endif
