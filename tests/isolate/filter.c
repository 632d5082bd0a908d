// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What jail_confine() and jail_seccomp_kvm() allow and what they forbid: filter
 * DIR prints TAP. DIR/root/file is the guest's; DIR/canary is not, nor where
 * DIR/root/link leads. Needs the rights that a jail gives.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kvm.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../isolate/jail.h"

static char canary[4096];
static int root, no_vm;		/* open files; the second takes no KVM request */
static pid_t parent;
static volatile sig_atomic_t noted;

/* A thread that was there before: it waits for the gate, and may misbehave then. */
static pthread_t other;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static bool misbehaves;

static int open_how_at(int dir, const char *path, unsigned long long flags,
		       unsigned long long resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static int openat2_at(int dir, const char *path, unsigned long long resolve)
{
	return open_how_at(dir, path, O_RDONLY, resolve);
}

/* What is allowed returns true if it did what it should. */

static bool run_vcpu(void)
{
	return ioctl(no_vm, KVM_RUN, 0) < 0 && errno == ENOTTY;
}

static bool use_registers(void)
{
	struct kvm_regs regs;

	return ioctl(no_vm, KVM_GET_REGS, &regs) < 0 && errno == ENOTTY &&
	       ioctl(no_vm, KVM_SET_REGS, &regs) < 0 && errno == ENOTTY;
}

static bool use_file(void)
{
	int fd = openat2_at(root, "file", RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	char text[8] = "";
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && !syscall(SYS_fstat, fd, &st) &&
	       read(fd, text, 4) == 4 && pread(fd, text + 4, 1, 4) == 1 &&
	       !strcmp(text, "guest") && !close(fd);
}

static bool nothing_above(void)
{
	return openat2_at(root, canary, 0) < 0 && errno == ENOENT &&
	       openat2_at(root, "../canary", 0) < 0 && errno == ENOENT &&
	       openat2_at(root, "link", 0) < 0 && errno == ENOENT;
}

static bool write_nothing(void)
{
	return open_how_at(root, "file", O_WRONLY, RESOLVE_BENEATH) < 0 && errno == EROFS &&
	       open_how_at(root, "new", O_WRONLY | O_CREAT, RESOLVE_BENEATH) < 0 && errno == EROFS;
}

static bool write_file(void)
{
	return open_how_at(root, "file", O_WRONLY, RESOLVE_BENEATH) >= 0;
}

/* A name that is there for others. */
static bool no_names(void)
{
	struct stat st;

	return !fstatat(AT_FDCWD, "/", &st, AT_EMPTY_PATH) &&
	       fstatat(AT_FDCWD, "/proc", &st, AT_EMPTY_PATH) < 0 && errno == ENOENT &&
	       fstatat(AT_FDCWD, "../proc", &st, AT_EMPTY_PATH) < 0 && errno == ENOENT;
}

static bool write_output(void)
{
	return puts("# output") > 0 && !fflush(stdout);
}

static bool use_memory(void)
{
	size_t size = 64 << 20;
	char *p = malloc(size), *q;

	memset(p, 1, size);
	q = realloc(p, 2 * size);
	memset(q, 1, 2 * size);
	free(q);
	return sbrk(4096) != (void *)-1;
}

static void note(int number)
{
	noted = number;
}

static bool signal_ourselves(void)
{
	signal(SIGUSR1, note);
	raise(SIGUSR1);
	return noted == SIGUSR1;
}

static bool wait_some(void)
{
	struct timespec t = { .tv_nsec = 1000 };

	return !nanosleep(&t, NULL) && !clock_gettime(CLOCK_MONOTONIC, &t);
}

/*
 * Made by the thread itself, which may have had no time before the filter; the
 * last by malloc(), where there are many threads.
 */
static bool begin_thread(void)
{
	cpu_set_t cpus;

	return syscall(SYS_set_robust_list, NULL, 0) < 0 && errno == EINVAL &&
	       syscall(SYS_rseq, NULL, 0, 0, 0) < 0 && errno == EINVAL &&
	       !sched_getaffinity(0, sizeof(cpus), &cpus);
}

static void *pass_gate(void *unused)
{
	pthread_mutex_lock(&gate);
	/* a heap of its own */
	free(strdup(canary));
	if (misbehaves)
		socket(AF_UNIX, SOCK_STREAM, 0);
	pthread_mutex_unlock(&gate);
	return unused;
}

static bool end_thread(void)
{
	pthread_mutex_unlock(&gate);
	return !pthread_join(other, NULL);
}

/* What is forbidden does not return. */

static bool run_program(void)
{
	execl("/bin/true", "true", NULL);
	return false;
}

static bool make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}

static bool open_file(void)
{
	return openat(root, "file", O_RDONLY) < 0;
}

static bool open_elsewhere(void)
{
	return openat2_at(AT_FDCWD, "file", 0) < 0;
}

static bool open_in_root(void)
{
	return openat2_at(root, "file", RESOLVE_BENEATH) < 0;
}

static bool open_without_root(void)
{
	return openat2_at(-1, canary, 0) < 0;
}

static bool stat_by_name(void)
{
	struct stat st;

	return fstatat(AT_FDCWD, "/", &st, 0) < 0;
}

static bool type_ahead(void)
{
	return ioctl(0, TIOCSTI, "x") < 0;
}

static bool make_vm(void)
{
	return ioctl(no_vm, KVM_CREATE_VM, 0) < 0;
}

static bool make_process(void)
{
	return fork() < 0;
}

static bool make_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, pass_gate, NULL);
}

static bool trace(void)
{
	return ptrace(PTRACE_ATTACH, parent, 0, 0) < 0;
}

static bool read_other(void)
{
	return process_vm_readv(parent, NULL, 0, NULL, 0, 0) < 0;
}

static bool signal_other(void)
{
	return kill(parent, 0) < 0;
}

static bool signal_other_thread(void)
{
	return syscall(SYS_tgkill, parent, parent, 0) < 0;
}

static bool map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static bool make_code(void)
{
	static char page[8192] __attribute__((aligned(4096)));

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static bool leave_root(void)
{
	return chroot("..");
}

static bool change_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static bool make_ring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) < 0;
}

/* 32-bit system calls have other numbers: 1 is exit there. */
static bool call_as_i386(void)
{
	int ret;

	asm volatile("int $0x80" : "=a" (ret) : "a" (20) : "memory");
	return ret < 0;
}

static bool misbehave_elsewhere(void)
{
	misbehaves = true;
	return end_thread();
}

enum { FORBIDDEN = 1, ROOTLESS = 2, WITH_THREAD = 4, WRITABLE = 8 };

static const struct {
	const char *name;
	bool (*call)(void);
	unsigned int flags;
} calls[] = {
	{ "KVM_RUN", run_vcpu, 0 },
	{ "KVM requests that were asked for", use_registers, 0 },
	{ "a file below the root, by openat2", use_file, 0 },
	{ "and none above it, whatever openat2 is told", nothing_above, 0 },
	{ "no writing there", write_nothing, 0 },
	{ "writing, where that was asked for", write_file, WRITABLE },
	{ "stat, with a root of no name outside", no_names, 0 },
	{ "and without one of no name at all", no_names, ROOTLESS },
	{ "output", write_output, 0 },
	{ "malloc and free", use_memory, 0 },
	{ "a signal to ourselves", signal_ourselves, 0 },
	{ "clocks and sleep", wait_some, 0 },
	{ "the beginning of a thread that was there before", begin_thread, 0 },
	{ "its memory, and its end", end_thread, WITH_THREAD },
	{ "execve", run_program, FORBIDDEN },
	{ "socket", make_socket, FORBIDDEN },
	{ "openat", open_file, FORBIDDEN },
	{ "openat2 relative to another directory", open_elsewhere, FORBIDDEN },
	{ "openat2 without a root", open_in_root, FORBIDDEN | ROOTLESS },
	{ "openat2 relative to nothing", open_without_root, FORBIDDEN | ROOTLESS },
	{ "stat", stat_by_name, FORBIDDEN },
	{ "TIOCSTI", type_ahead, FORBIDDEN },
	{ "a KVM request that was not asked for", make_vm, FORBIDDEN },
	{ "fork", make_process, FORBIDDEN },
	{ "a new thread", make_thread, FORBIDDEN },
	{ "ptrace", trace, FORBIDDEN },
	{ "process_vm_readv", read_other, FORBIDDEN },
	{ "kill", signal_other, FORBIDDEN },
	{ "tgkill of another process", signal_other_thread, FORBIDDEN },
	{ "mmap of executable memory", map_code, FORBIDDEN },
	{ "mprotect to executable memory", make_code, FORBIDDEN },
	{ "chroot", leave_root, FORBIDDEN },
	{ "unshare", change_namespace, FORBIDDEN },
	{ "io_uring", make_ring, FORBIDDEN },
	{ "a 32-bit system call", call_as_i386, FORBIDDEN },
	{ "socket, in a thread that was there before", misbehave_elsewhere,
	  FORBIDDEN | WITH_THREAD },
};

#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

static int enter_filter(int dir)
{
	static const unsigned int requests[] = { KVM_GET_REGS, KVM_RUN, KVM_SET_REGS };
	const struct jail_kvm kvm = {
		.requests = requests,
		.nr_requests = sizeof(requests) / sizeof(requests[0]),
		.root = dir,
	};

	return jail_seccomp_kvm(&kvm);
}

static int status_of(size_t i)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		int dir = calls[i].flags & ROOTLESS ? -1 : root;

		pthread_mutex_lock(&gate);
		if (jail_confine(dir, calls[i].flags & WRITABLE) < 0)
			_exit(2);
		if (calls[i].flags & WITH_THREAD &&
		    pthread_create(&other, NULL, pass_gate, NULL))
			_exit(2);
		if (enter_filter(dir) < 0)
			_exit(2);
		exit(!calls[i].call());
	}
	waitpid(pid, &status, 0);
	return status;
}

static bool as_it_should(size_t i)
{
	int status = status_of(i);

	printf("# wait status 0x%x\n", status);
	if (calls[i].flags & FORBIDDEN)
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
	return status == 0;
}

static bool has_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2] = {};

	return syscall(SYS_capget, &header, sets) || sets[0].effective || sets[0].permitted ||
	       sets[0].inheritable || sets[1].effective || sets[1].permitted;
}

/* A second time, without the rights that the first one takes away. */
static bool gives_rights_up(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(jail_confine(root, false) || has_capabilities() ||
		      !jail_confine(root, false));
	waitpid(pid, &status, 0);
	return status == 0;
}

int main(int argc, char **argv)
{
	bool failed = false, ok;
	size_t i;

	if (argc != 2 || chdir(argv[1])) {
		fprintf(stderr, "usage: filter DIR\n");
		return 2;
	}
	snprintf(canary, sizeof(canary), "%s/canary", argv[1]);
	parent = getpid();
	root = open("root", O_RDONLY | O_DIRECTORY);
	no_vm = open("/dev/null", O_RDWR);
	for (i = 0; i < NR_CALLS; i++) {
		ok = as_it_should(i);
		printf("%sok %zu - %s: %s\n", ok ? "" : "not ", i + 1,
		       calls[i].flags & FORBIDDEN ? "ends the process" : "allowed", calls[i].name);
		failed |= !ok;
	}
	fflush(stdout);
	ok = gives_rights_up();
	printf("%sok %zu - no capability is left, and without them it is refused\n", ok ? "" : "not ", i + 1);
	printf("1..%zu\n", i + 1);
	return failed | !ok;
}
