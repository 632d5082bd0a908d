/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM, its vCPUs, and the guest that they run, each in its own part of memory
 * (memory_map.h).
 *
 * vm_*() functions end the program, with a message, where KVM refuses: there
 * is nothing a caller could do. What the guest may bring about is returned.
 */
#ifndef KVMSTAT_GUEST_VM_H
#define KVMSTAT_GUEST_VM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue.h"
#include "console.h"
#include "hypercalls.h"
#include "stats.h"

#define VCPUS_MAX	16

struct vm;

struct vcpu {
	struct vm *vm;
	unsigned int id;
	int fd;
	struct kvm_run *run;
	uint8_t *part;		/* its memory … */
	uint64_t base;		/* … and where the guest has it (guest-physical) */
	bool stopped;		/* the guest said MARK_STOP */
	uint64_t visits;	/* how often KVM_RUN has come back to userspace */
	unsigned int turns;	/* of the host: MARK_HOST */
	int result;		/* of vcpu_run() */
	pthread_t thread;
	struct console console;
	struct stats stats;
	struct hypercalls calls;
};

struct vm {
	int kvm;
	int fd;
	int run_size;
	uint8_t *memory;	/* the guest's, at guest-physical 0 */
	uint64_t memory_size;
	void *mapping;		/* memory, from somewhat before it: it is aligned */
	int eventfd, pagemap;	/* or -1 */
	const struct guest *guest;
	uint64_t count;		/* operations */
	/* Called in the vCPU's own thread at MARK_START and MARK_STOP. */
	void (*mark)(struct vcpu *vcpu, int which);
	void *context;
	/* Called when all is there that running takes, and nothing has run. -1: do not. */
	int (*before)(struct vm *vm);
	int turn;		/* the vCPU that takes its first steps; -1: not yet */
	atomic_bool failed;	/* one of them has: the others are to stop */
	pthread_mutex_t turn_lock;
	pthread_cond_t turn_over;
	unsigned int nr_vcpus;
	struct vcpu vcpus[VCPUS_MAX];
};

/*
 * The guest's memory as KVM is to have it, where KVM_MEM_* flags say how. Pages of
 * 4 KiB only, unless the guest asks for others: a first touch is a fault of one page.
 */
void vm_set_memory(struct vm *vm, uint32_t flags);

struct vm_options {
	unsigned int vcpus;
	uint64_t count;			/* operations */
	const struct files_root *root;	/* whose files the guest may use, or NULL */
	bool quiet;			/* what the guest prints is dropped */
};

/* As many of the vCPUs asked for as the guest goes along with, and those it needs. */
unsigned int vm_vcpus(const struct guest *guest, unsigned int asked);

/* A VM that is ready to run this guest, on as many of the vCPUs as it can. */
struct vm *vm_create(const struct guest *guest, const struct vm_options *options);
void vm_destroy(struct vm *vm);

/*
 * All vCPUs run until the guest ends, each in a thread of its own; a single one
 * runs in the caller's. 0, or -1 after a message: one of them ended otherwise, and
 * that was the end of all. Takes SIGUSR1.
 */
int vm_run(struct vm *vm);

/* An ioctl by its name; its result. */
int vm_ioctl(int fd, unsigned long request, void *arg, const char *name);

/*
 * A message that the guest ended in an unexpected way, and its registers, with the
 * KVM exit that it came by and where that was, or without; returns -1.
 */
int vcpu_unexpected(struct vcpu *vcpu, const char *what);
int vcpu_failed(struct vcpu *vcpu, const char *what);

#endif
