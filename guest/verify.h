/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs guests against the module, or the BPF collector, and compares the counts: TAP. */
#ifndef KVMSTAT_GUEST_VERIFY_H
#define KVMSTAT_GUEST_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "catalogue.h"

struct verify_options {
	uint64_t count;		/* 0: each guest's own */
	const char *source;	/* as counter_open() takes it */
	unsigned int vcpus;	/* all do the same, and each is compared */
};

/* Returns an exit status. */
int verify(const struct guest * const *guests, size_t nr, const struct verify_options *options);

#endif
