// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/kvmstat without a module, to be preloaded (LD_PRELOAD): the ioctls are
 * answered from the text file that $FAKE_KVMSTAT names, read anew each time,
 * so that a script can play the guest. Its lines, each with hexadecimal or
 * decimal numbers:
 *
 *   head INSTANCE GENERATION LOST ISA
 *   vm ID PID FLAGS COMM	the vcpu lines up to the next vm are its own
 *   vcpu ID GUEST_CYCLES UNTRACED
 *   cell CODE EXITS CYCLES	of the vcpu before it
 *
 * $FAKE_ERRNO makes the device fail to open, $FAKE_HOOKS is the state of the
 * hooks that it tells.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "../../module/uapi/kvmstat.h"

#define MAX 4096

static struct {
	struct kvmstat_snapshot head;
	struct kvmstat_vm vms[MAX];
	struct kvmstat_vcpu vcpus[MAX];
	struct kvmstat_cell cells[MAX];
} state;
static int fake_fd = -1;

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void parse_vm(const char *line)
{
	struct kvmstat_vm *vm = &state.vms[state.head.nr_vms++];
	unsigned long long id;

	if (sscanf(line, "vm %llu %u %u %15s", &id, &vm->pid, &vm->flags, vm->comm) < 3)
		abort();
	vm->id = id;
	vm->first_vcpu = state.head.nr_vcpus;
}

static void parse_line(const char *line)
{
	struct kvmstat_snapshot *h = &state.head;
	long long a, b, c, d;

	if (sscanf(line, "head %lli %lli %lli %lli", &a, &b, &c, &d) == 4) {
		h->instance = a;
		h->generation = b;
		h->lost = c;
		h->isa = d;
	} else if (!strncmp(line, "vm ", 3)) {
		parse_vm(line);
	} else if (sscanf(line, "vcpu %lli %lli %lli", &a, &b, &c) == 3) {
		state.vcpus[h->nr_vcpus++] = (struct kvmstat_vcpu){
			.id = a, .guest_cycles = b, .untraced = c, .first_cell = h->nr_cells,
		};
		state.vms[h->nr_vms - 1].nr_vcpus++;
	} else if (sscanf(line, "cell %lli %lli %lli", &a, &b, &c) == 3) {
		state.cells[h->nr_cells++] = (struct kvmstat_cell){ a, b, c };
		state.vcpus[h->nr_vcpus - 1].nr_cells++;
	}
}

static void load(void)
{
	FILE *file = fopen(getenv("FAKE_KVMSTAT"), "re");
	char line[256];

	memset(&state, 0, sizeof(state));
	while (file && fgets(line, sizeof(line), file))
		parse_line(line);
	if (file)
		fclose(file);
	state.head.magic = KVMSTAT_MAGIC;
	state.head.abi_version = KVMSTAT_ABI_VERSION;
	state.head.header_size = sizeof(struct kvmstat_snapshot);
	state.head.vm_size = sizeof(struct kvmstat_vm);
	state.head.vcpu_size = sizeof(struct kvmstat_vcpu);
	state.head.cell_size = sizeof(struct kvmstat_cell);
	state.head.tsc_khz = 2000000;
	state.head.time_ns = now_ns();
}

static size_t append(char *buffer, size_t used, const void *from, size_t size)
{
	memcpy(buffer + used, from, size);
	return used + size;
}

static size_t snapshot_size(void)
{
	return sizeof(state.head) + state.head.nr_vms * sizeof(state.vms[0]) +
	       state.head.nr_vcpus * sizeof(state.vcpus[0]) +
	       state.head.nr_cells * sizeof(state.cells[0]);
}

static int answer_snapshot(struct kvmstat_snapshot_arg *arg)
{
	char *buffer = (char *)(unsigned long)arg->buffer;
	size_t room = arg->size, used = 0;

	load();
	arg->size = snapshot_size();
	if (room < arg->size) {
		errno = ENOSPC;
		return -1;
	}
	used = append(buffer, used, &state.head, sizeof(state.head));
	used = append(buffer, used, state.vms, state.head.nr_vms * sizeof(state.vms[0]));
	used = append(buffer, used, state.vcpus, state.head.nr_vcpus * sizeof(state.vcpus[0]));
	append(buffer, used, state.cells, state.head.nr_cells * sizeof(state.cells[0]));
	return 0;
}

static int answer_info(struct kvmstat_info *info)
{
	load();
	*info = (struct kvmstat_info){
		.abi_version = KVMSTAT_ABI_VERSION,
		.isa = state.head.isa,
		.hooks = getenv("FAKE_HOOKS") ? (__u32)atoi(getenv("FAKE_HOOKS")) :
			 KVMSTAT_HOOK_EXIT | KVMSTAT_HOOK_ENTRY | KVMSTAT_HOOK_DEATH,
		.tsc_khz = state.head.tsc_khz,
		.snapshot_size = snapshot_size(),
	};
	return 0;
}

static int answer_reset(void)
{
	FILE *file = fopen(getenv("FAKE_KVMSTAT"), "we");

	if (!file)
		return -1;
	fprintf(file, "head 1 %llu 0 2\n", state.head.generation + 1);
	return fclose(file);
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*next)(int fd, unsigned long request, void *arg);
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (fd == fake_fd && request == KVMSTAT_IOC_INFO)
		return answer_info(arg);
	if (fd == fake_fd && request == KVMSTAT_IOC_SNAPSHOT)
		return answer_snapshot(arg);
	if (fd == fake_fd && request == KVMSTAT_IOC_RESET)
		return answer_reset();
	if (!next)
		next = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
	return next(fd, request, arg);
}

int open(const char *path, int flags, ...)
{
	static int (*next)(const char *path, int flags, int mode);
	va_list args;
	int mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, int) : 0;
	va_end(args);
	if (!strcmp(path, "/dev/kvmstat")) {
		if (getenv("FAKE_ERRNO")) {
			errno = atoi(getenv("FAKE_ERRNO"));
			return -1;
		}
		fake_fd = memfd_create("kvmstat", MFD_CLOEXEC);
		return fake_fd;
	}
	if (!next)
		next = (int (*)(const char *, int, int))dlsym(RTLD_NEXT, "open");
	return next(path, flags, mode);
}
