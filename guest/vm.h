/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM with one vCPU in long mode and GUEST_MEMORY bytes of memory.
 *
 * vm_*() functions end the program, with a message, where KVM refuses: there
 * is nothing a caller could do. What the guest may bring about is returned.
 */
#ifndef KVMSTAT_GUEST_VM_H
#define KVMSTAT_GUEST_VM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "catalogue.h"

struct vm {
	int kvm;
	int fd;
	int vcpu;
	struct kvm_run *run;
	int run_size;
	uint8_t *memory;	/* the guest's, at guest-physical 0 */
	bool quiet;		/* what the guest prints is dropped */
	bool stopped;		/* the guest said MARK_STOP */
	/* Called in the vCPU's own thread at MARK_START and MARK_STOP. */
	void (*mark)(void *context, int which);
	void *context;
};

struct vm *vm_create(void);
void vm_destroy(struct vm *vm);

/* Registers and memory such that the next vm_run() starts this guest. */
void vm_load(struct vm *vm, const struct guest *guest, uint64_t count);

/* Runs until the guest ends. 0, or -1 after a message: it ended otherwise. */
int vm_run(struct vm *vm, const struct guest *guest);

#endif
