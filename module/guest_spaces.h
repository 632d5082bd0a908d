/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The address spaces of guests, by the CR3 that they enter with: see
 * uapi/kvmstat.h.
 *
 * hooks.c tells when KVM is there. The parameter guest_spaces decides whether
 * there is a probe then.
 */
#ifndef KVMSTAT_GUEST_SPACES_H
#define KVMSTAT_GUEST_SPACES_H

#include <linux/types.h>

struct spaces;
struct tracepoint;

/* kvm_entry, and whether its probes are told of an immediate exit, too. */
void guest_spaces_kvm_here(struct tracepoint *entry, bool immediate);
void guest_spaces_kvm_gone(void);

/*
 * Under registry_mutex: whether they are of the time since it was switched on, and
 * how often it was. 0: it is off.
 */
bool guest_spaces_current(const struct spaces *s);
u32 guest_spaces_epoch(void);

bool guest_spaces_attached(void);

#endif
