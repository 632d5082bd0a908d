/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host does to a VM, for the guests that ask for it. */
#ifndef KVMSTAT_GUEST_HOST_H
#define KVMSTAT_GUEST_HOST_H

struct vm;
struct vcpu;

/* MONITOR and MWAIT are #UD without the CPUID bit, as on a CPU, and no NOPs. */
void host_disable_quirks(struct vm *vm);
/* An eventfd takes what is written to PORT_EVENT. */
void host_listen(struct vm *vm);
/* KVM collects what is written to GUEST_MMIO, in a ring of its own. */
void host_coalesce(struct vm *vm);
/* Huge pages where they fit. */
void host_use_huge_pages(struct vm *vm);

/* What shows whether a page is swapped out. */
void host_open_pagemap(struct vm *vm);

/* First KVM is to log which pages are written to; then it is asked. */
int host_log_dirty(struct vcpu *vcpu);
/* The arena's pages are thrown away, or swapped out. */
int host_drop(struct vcpu *vcpu);
int host_page_out(struct vcpu *vcpu);

#endif
