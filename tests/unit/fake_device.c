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
 *   wall CYCLES		of the vcpu before it
 *   cell CODE EXITS KERNEL_CYCLES	of the vcpu before it
 *   time USER_CYCLES OFFCPU_CYCLES	of the cell before it, as all that follow
 *   detail DETAIL
 *   l2				its exits are from L2
 *   ended EXITS CYCLES		so many ended after so many cycles each
 *   bad FIRST_BUCKET HISTOGRAM_FIRST NR_BUCKETS	what it says of its buckets
 *
 * $FAKE_ERRNO makes the device fail to open, $FAKE_HOOKS is the state of the
 * hooks that it tells.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
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
	__u64 buckets[MAX * 8];
	/* Of the cells, whole; of one the module tells what is not empty. */
	__u64 histograms[MAX][KVMSTAT_HISTOGRAM_BUCKETS];
	bool bad[MAX];
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

/* As kvmstat.h says it, the slow way. */
static unsigned int bucket_of(__u64 value)
{
	unsigned int e = 2;

	if (value < 4)
		return value;
	while (value >> (e + 1))
		e++;
	e = (e - 2) * 4 + (value >> (e - 2));
	return e < KVMSTAT_HISTOGRAM_BUCKETS ? e : KVMSTAT_HISTOGRAM_BUCKETS - 1;
}

static void add_ended(struct kvmstat_cell *cell, __u64 *histogram, __u64 exits, __u64 cycles)
{
	__uint128_t squares = (__uint128_t)cell->squares_high << 64 | cell->squares_low;
	bool first = true;
	int i;

	for (i = 0; i < KVMSTAT_HISTOGRAM_BUCKETS; i++)
		first &= !histogram[i];
	if (first || cycles < cell->min)
		cell->min = cycles;
	if (first || cycles > cell->max)
		cell->max = cycles;
	squares += (__uint128_t)cycles * cycles * exits;
	cell->squares_low = squares;
	cell->squares_high = squares >> 64;
	histogram[bucket_of(cycles)] += exits;
}

/* Lines of the cell before them. */
static void parse_cell_line(const char *line)
{
	__u32 last = state.head.nr_cells - 1;
	struct kvmstat_cell *cell = &state.cells[last];
	long long a, b, c;

	if (sscanf(line, "time %lli %lli", &a, &b) == 2) {
		cell->user_cycles = a;
		cell->offcpu_cycles = b;
	} else if (sscanf(line, "detail %lli", &a) == 1) {
		cell->detail = a;
	} else if (!strncmp(line, "l2", 2)) {
		cell->flags = KVMSTAT_CELL_L2;
	} else if (sscanf(line, "ended %lli %lli", &a, &b) == 2) {
		add_ended(cell, state.histograms[last], a, b);
	} else if (sscanf(line, "bad %lli %lli %lli", &a, &b, &c) == 3) {
		cell->first_bucket = a;
		cell->histogram_first = b;
		cell->nr_buckets = c;
		state.bad[last] = true;
	}
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
	} else if (sscanf(line, "wall %lli", &a) == 1) {
		state.vcpus[h->nr_vcpus - 1].wall_cycles = a;
	} else if (sscanf(line, "cell %lli %lli %lli", &a, &b, &c) == 3) {
		state.cells[h->nr_cells++] = (struct kvmstat_cell){
			.code = a, .exits = b, .kernel_cycles = c,
		};
		state.vcpus[h->nr_vcpus - 1].nr_cells++;
	} else if (h->nr_cells) {
		parse_cell_line(line);
	}
}

/* From the first bucket that is not empty to the last. */
static void lay_out_buckets(__u32 index)
{
	struct kvmstat_cell *cell = &state.cells[index];
	const __u64 *histogram = state.histograms[index];
	int first = 0, end = KVMSTAT_HISTOGRAM_BUCKETS;

	while (end && !histogram[end - 1])
		end--;
	while (first < end && !histogram[first])
		first++;
	if (state.bad[index])
		return;
	cell->first_bucket = state.head.nr_buckets;
	cell->histogram_first = first;
	cell->nr_buckets = end - first;
	while (first < end)
		state.buckets[state.head.nr_buckets++] = histogram[first++];
}

static void load(void)
{
	FILE *file = fopen(getenv("FAKE_KVMSTAT"), "re");
	char line[256];
	__u32 i;

	memset(&state, 0, sizeof(state));
	while (file && fgets(line, sizeof(line), file))
		parse_line(line);
	if (file)
		fclose(file);
	for (i = 0; i < state.head.nr_cells; i++)
		lay_out_buckets(i);
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
	       state.head.nr_cells * sizeof(state.cells[0]) +
	       state.head.nr_buckets * sizeof(state.buckets[0]);
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
	used = append(buffer, used, state.cells, state.head.nr_cells * sizeof(state.cells[0]));
	append(buffer, used, state.buckets, state.head.nr_buckets * sizeof(state.buckets[0]));
	return 0;
}

static int answer_info(struct kvmstat_info *info)
{
	load();
	*info = (struct kvmstat_info){
		.abi_version = KVMSTAT_ABI_VERSION,
		.isa = state.head.isa,
		.hooks = getenv("FAKE_HOOKS") ? (__u32)atoi(getenv("FAKE_HOOKS")) :
			 KVMSTAT_HOOK_EXIT | KVMSTAT_HOOK_ENTRY | KVMSTAT_HOOK_DEATH |
			 KVMSTAT_HOOK_SPLIT,
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

/* A device that may not be opened is there all the same. */
int access(const char *path, int mode)
{
	static int (*next)(const char *path, int mode);
	const char *wanted = getenv("FAKE_ERRNO");

	if (!strcmp(path, "/dev/kvmstat")) {
		errno = wanted ? atoi(wanted) : 0;
		return errno == ENOENT ? -1 : 0;
	}
	if (!next)
		next = (int (*)(const char *, int))dlsym(RTLD_NEXT, "access");
	return next(path, mode);
}
