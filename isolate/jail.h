/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process in namespaces of its own, and a VMM in a filter of system calls.
 *
 * A VMM that is to be jailed, single-threaded at first:
 *   1. jail_enter()
 *   2. opens /dev/kvm and the directory that its guest may use, makes the VM
 *      (a VM belongs to the process that made it) and the threads of its vCPUs
 *   3. jail_seccomp_kvm()
 *   4. KVM_RUN
 * In the jail getpid() is not what others know the process by.
 */
#ifndef KVMSTAT_ISOLATE_JAIL_H
#define KVMSTAT_ISOLATE_JAIL_H

#include <stdbool.h>
#include <stddef.h>

struct jail_options {
	/* Connected to the host by a veth pair, where the caller's rights allow that. */
	bool veth;
};

/*
 * Goes on in a new process in user, UTS, IPC, network, PID and mount
 * namespaces of its own; returns 0 in it. The calling process never returns:
 * it passes signals on, ends when the new one does, with its exit status
 * (128 + N after signal N), and whatever is left in the jail goes with it.
 * That holds when it is killed, too.
 *
 * Needs no rights. The caller must have one thread; open files, environment
 * and directory are kept. -1 after a message: it is refused, and the caller,
 * who may be halfway in, should end.
 */
int jail_enter(const struct jail_options *options);

struct jail_kvm {
	/* The KVM_* requests that are still to be made, besides KVM_RUN. */
	const unsigned int *requests;
	size_t nr_requests;
	/* The directory whose files the guest may use, open, or -1: none. */
	int root;
};

/*
 * From here on, for all threads: ioctls with these requests; with a root,
 * openat2() relative to it; reading, writing and closing what is open; memory
 * that is not executable; locks, clocks, signals to ourselves, the end. The
 * root directory becomes the process's own, so that nothing above it is
 * reached whatever openat2() is asked for. Anything else ends the process
 * with SIGSYS, a new thread or process included.
 *
 * With a root it takes CAP_SYS_CHROOT, which jail_enter() gives. -1 after a
 * message.
 */
int jail_seccomp_kvm(const struct jail_kvm *kvm);

#endif
