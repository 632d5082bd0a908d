// SPDX-License-Identifier: GPL-2.0-or-later
/* A VMM in a filter of system calls: what a run of a guest needs, and no more. */
#define _GNU_SOURCE
#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../user/message.h"
#include "jail.h"

/* Harmless whatever their arguments. */
static const int allowed[] = {
	/* files that are open: the guest's, our output, eventfds, KVM's statistics */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
	SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(close),
	/* malloc(), and the guest's memory */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(madvise),
	/* threads that are there already, if only just; clocks */
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(gettid), SCMP_SYS(getpid),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(restart_syscall),
	/* signal handlers, and the end */
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* The kernel takes 32 bits of these arguments. */
#define ARG_IS(n, value)	SCMP_CMP(n, SCMP_CMP_MASKED_EQ, 0xffffffffu, (unsigned int)(value))
#define ARG_LACKS(n, bits)	SCMP_CMP(n, SCMP_CMP_MASKED_EQ, bits, 0)

static int allow_plain(scmp_filter_ctx ctx)
{
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !err; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	return err;
}

/* The caller's list may have one twice. */
static int allow_ioctl(scmp_filter_ctx ctx, unsigned int request)
{
	int err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, ARG_IS(1, request));

	return err == -EEXIST ? 0 : err;
}

/* TCGETS: stdio asks whether its output is a terminal. */
static int allow_ioctls(scmp_filter_ctx ctx, const struct jail_kvm *kvm)
{
	size_t i;
	int err = allow_ioctl(ctx, KVM_RUN);

	if (!err)
		err = allow_ioctl(ctx, TCGETS);
	for (i = 0; i < kvm->nr_requests && !err; i++)
		err = allow_ioctl(ctx, kvm->requests[i]);
	return err;
}

/* Nothing that was written can be run. */
static int allow_memory(scmp_filter_ctx ctx)
{
	int err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				   ARG_LACKS(2, PROT_EXEC));

	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				       ARG_LACKS(2, PROT_EXEC));
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mremap), 0);
	return err;
}

/*
 * A filter cannot look at the names, which are in memory: they may be of anything
 * below the process's root directory. newfstatat is glibc's fstat().
 */
static int allow_files(scmp_filter_ctx ctx, int root)
{
	int err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
				   ARG_IS(3, AT_EMPTY_PATH));

	if (!err && root >= 0)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat2), 1, ARG_IS(0, root));
	return err;
}

/* pthread_kill(), abort(). */
static int allow_own_signals(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, ARG_IS(0, getpid()));
}

static int load_filter(const struct jail_kvm *kvm)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err;

	if (!ctx)
		return -ENOMEM;
	err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	/* int $0x80: the thread alone would end. */
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!err)
		err = allow_plain(ctx);
	if (!err)
		err = allow_ioctls(ctx, kvm);
	if (!err)
		err = allow_memory(ctx);
	if (!err)
		err = allow_files(ctx, kvm->root);
	if (!err)
		err = allow_own_signals(ctx);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

int jail_seccomp_kvm(const struct jail_kvm *kvm)
{
	int err = load_filter(kvm);

	if (!err)
		return 0;
	error("cannot filter system calls: %s: the kernel needs CONFIG_SECCOMP_FILTER",
	      strerror(-err));
	return -1;
}
