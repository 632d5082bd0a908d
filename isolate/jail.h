/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process in namespaces of its own, and a VMM in a filter of system calls.
 *
 * A VMM that is to be jailed, single-threaded at first:
 *   1. jail_enter()
 *   2. closes what it inherited, opens /dev/kvm and the directory that its guest
 *      may use, makes the VM (a VM belongs to the process that made it)
 *   3. jail_confine()
 *   4. makes the threads of its vCPUs
 *   5. jail_seccomp_kvm()
 *   6. KVM_RUN
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
 * (128 + N after signal N, or by that signal itself), and whatever is left in the jail goes with it.
 * That holds when it is killed, too.
 *
 * Needs no rights. The caller must have one thread; open files, environment
 * and directory are kept. -1 after a message: it is refused, and the caller,
 * who may be halfway in, should end.
 */
int jail_enter(const struct jail_options *options);

/*
 * The open directory 'root', read-only unless writable, becomes the process's
 * root directory, so that nothing above it is reached whatever a filtered call
 * asks for; an empty one where root is -1. All capabilities are dropped.
 *
 * The descriptor keeps its number. Takes the rights that jail_enter() gives; to
 * be called before there are threads. -1 after a message.
 */
int jail_confine(int root, bool writable);

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
 * that is not executable; locks, clocks, signals to ourselves, the end. Anything
 * else ends the process with SIGSYS, a new thread or process included. -1 after
 * a message.
 */
int jail_seccomp_kvm(const struct jail_kvm *kvm);

#endif
