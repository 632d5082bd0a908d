/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest asks for its own exits, by CPUID or hypercall: see uapi/kvmstat.h.
 *
 * hooks.c tells when KVM is there. The parameter guest_leaf decides whether
 * there are probes then.
 */
#ifndef KVMSTAT_GUEST_LEAF_H
#define KVMSTAT_GUEST_LEAF_H

struct btf_files;

/* What KVM's BTF says of the functions that are probed; NULL: not to be checked. */
void guest_leaf_prototypes(const struct btf_files *kvm);

void guest_leaf_kvm_here(void);
void guest_leaf_kvm_gone(void);	/* when it returns, no probe is running */

#endif
