/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What KVM itself counts of a vCPU (Documentation/virt/kvm/api.rst, 4.133). */
#ifndef KVMSTAT_GUEST_STATS_H
#define KVMSTAT_GUEST_STATS_H

#include <stdint.h>

struct stats {
	int fd;			/* -1: this kernel has none */
	int64_t exits_at;	/* where in it the counter 'exits' is */
};

void stats_open(struct stats *stats, int vcpu_fd);
void stats_close(struct stats *stats);

/* Exits so far; 0 where it cannot be told. */
uint64_t stats_exits(const struct stats *stats);

#endif
