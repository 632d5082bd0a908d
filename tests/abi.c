// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/kvmstat's ABI, call by call: every error leaves everything as it was. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../module/uapi/kvmstat.h"

#define BUFFER_SIZE	(1 << 20)
#define BAD_POINTER	((void *)8)
#define GUEST_SPACES	"/sys/module/kvmstat/parameters/guest_spaces"

static int tests, failures;
static int reader, writer;

static void check(bool ok, const char *what)
{
	printf("%sok %d - abi: %s\n", ok ? "" : "not ", ++tests, what);
	failures += !ok;
}

/* The call fails with exactly this errno. */
static void refuses(int fd, unsigned long cmd, void *arg, int expected, const char *what)
{
	int ret = ioctl(fd, cmd, arg);
	int err = errno;

	check(ret == -1 && err == expected, what);
	if (ret != -1 || err != expected)
		printf("# returned %d (%s), expected %s\n", ret, strerror(err), strerror(expected));
}

static struct kvmstat_info get_info(void)
{
	struct kvmstat_info info = {};

	if (ioctl(reader, KVMSTAT_IOC_INFO, &info))
		perror("# KVMSTAT_IOC_INFO");
	return info;
}

static struct kvmstat_snapshot_arg arg_for(void *buffer, uint64_t size)
{
	return (struct kvmstat_snapshot_arg){ .buffer = (uintptr_t)buffer, .size = size };
}

static const char *cells_of(const struct kvmstat_snapshot *s)
{
	return (const char *)s + s->header_size + (size_t)s->nr_vms * s->vm_size +
	       (size_t)s->nr_vcpus * s->vcpu_size;
}

static const struct kvmstat_cell *cell_of(const struct kvmstat_snapshot *s, uint32_t index)
{
	return (const void *)(cells_of(s) + (size_t)index * s->cell_size);
}

static uint64_t exits_in(const char *buffer)
{
	const struct kvmstat_snapshot *s = (const void *)buffer;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < s->nr_cells; i++)
		sum += cell_of(s, i)->exits;
	return sum;
}

/*
 * A cell's buckets are there, in the histogram, and hold no more than its
 * exits, but for one that began before a reset and ended after it.
 */
static bool buckets_fit(const struct kvmstat_snapshot *s, const struct kvmstat_cell *cell)
{
	const uint64_t *buckets = (const void *)cell_of(s, s->nr_cells);
	uint64_t ended = 0;
	uint32_t i;

	if ((uint64_t)cell->first_bucket + cell->nr_buckets > s->nr_buckets ||
	    cell->histogram_first + cell->nr_buckets > KVMSTAT_HISTOGRAM_BUCKETS)
		return false;
	for (i = 0; i < cell->nr_buckets; i++)
		ended += buckets[cell->first_bucket + i];
	return ended <= cell->exits + 1 && (!ended || cell->min <= cell->max) &&
	       !(cell->flags & ~KVMSTAT_CELL_L2);
}

static bool cells_fit(const struct kvmstat_snapshot *s)
{
	uint32_t i;

	for (i = 0; i < s->nr_cells; i++)
		if (!buckets_fit(s, cell_of(s, i)))
			return false;
	return true;
}

static void test_info(void)
{
	struct kvmstat_info info = get_info();

	check(info.abi_version == KVMSTAT_ABI_VERSION, "info gives the ABI version");
	check((info.hooks & ~KVMSTAT_HOOK_ACCESSOR) ==
	      (KVMSTAT_HOOK_EXIT | KVMSTAT_HOOK_ENTRY | KVMSTAT_HOOK_DEATH | KVMSTAT_HOOK_SPLIT),
	      "info: all hooks are attached, none refused");
	check(info.tsc_khz > 1000, "info gives the TSC's rate");
	check(info.snapshot_size >= sizeof(struct kvmstat_snapshot), "info gives a snapshot's size");
}

static void test_commands(char *buffer)
{
	struct kvmstat_snapshot_arg arg = arg_for(buffer, BUFFER_SIZE);

	refuses(reader, _IO('v', 0xef), NULL, ENOTTY, "unknown command: ENOTTY");
	refuses(reader, _IOC(_IOC_READ, 'v', 0xe0, 8), buffer, ENOTTY,
		"INFO with another size: ENOTTY");
	refuses(reader, _IOC(_IOC_READ | _IOC_WRITE, 'v', 0xe1, 16), &arg, ENOTTY,
		"SNAPSHOT with another size: ENOTTY");
	refuses(reader, KVMSTAT_IOC_INFO, BAD_POINTER, EFAULT, "INFO to a bad pointer: EFAULT");
	refuses(reader, KVMSTAT_IOC_SNAPSHOT, BAD_POINTER, EFAULT,
		"SNAPSHOT with a bad argument: EFAULT");
	arg.flags = 1;
	refuses(reader, KVMSTAT_IOC_SNAPSHOT, &arg, EINVAL, "SNAPSHOT with a flag: EINVAL");
}

static void test_snapshot(char *buffer)
{
	struct kvmstat_snapshot_arg arg = arg_for(buffer, 0);
	const struct kvmstat_snapshot *s = (const void *)buffer;

	buffer[0] = 'x';
	refuses(reader, KVMSTAT_IOC_SNAPSHOT, &arg, ENOSPC, "SNAPSHOT without room: ENOSPC");
	check(arg.size >= sizeof(*s) && buffer[0] == 'x', "…says what it needs, writes nothing");
	arg.size = sizeof(*s) - 1;
	refuses(reader, KVMSTAT_IOC_SNAPSHOT, &arg, ENOSPC, "SNAPSHOT one byte short: ENOSPC");
	arg = arg_for(BAD_POINTER, BUFFER_SIZE);
	refuses(reader, KVMSTAT_IOC_SNAPSHOT, &arg, EFAULT, "SNAPSHOT to a bad pointer: EFAULT");
	check(arg.size == BUFFER_SIZE, "…leaves the size alone");
	arg = arg_for(buffer, BUFFER_SIZE);
	check(!ioctl(reader, KVMSTAT_IOC_SNAPSHOT, &arg), "SNAPSHOT");
	check(s->magic == KVMSTAT_MAGIC && s->abi_version == KVMSTAT_ABI_VERSION, "…its header");
	check(arg.size == s->header_size + (uint64_t)s->nr_vms * s->vm_size +
	      (uint64_t)s->nr_vcpus * s->vcpu_size + (uint64_t)s->nr_cells * s->cell_size +
	      (uint64_t)s->nr_buckets * sizeof(__u64),
	      "…its size is that of its sections");
	check(cells_fit(s), "…and its cells have the buckets that they name");
}

static bool switch_spaces(const char *to)
{
	FILE *parameter = fopen(GUEST_SPACES, "w");

	return parameter && fputs(to, parameter) >= 0 && !fclose(parameter);
}

static bool vcpus_fit(const struct kvmstat_spaces *s)
{
	const char *vcpus = (const char *)s + s->header_size;
	uint32_t i;

	for (i = 0; i < s->nr_vcpus; i++) {
		const struct kvmstat_spaces_vcpu *vcpu = (const void *)(vcpus + i * s->vcpu_size);

		if ((uint64_t)vcpu->first_space + vcpu->nr_spaces > s->nr_spaces || !vcpu->vm)
			return false;
	}
	return true;
}

static void test_spaces(char *buffer)
{
	struct kvmstat_snapshot_arg arg = arg_for(buffer, BUFFER_SIZE);
	const struct kvmstat_spaces *s = (const void *)buffer;

	refuses(reader, KVMSTAT_IOC_SPACES, &arg, ENODATA, "SPACES while it is off: ENODATA");
	check(arg.size == BUFFER_SIZE, "…leaves the size alone");
	check(switch_spaces("1") && (get_info().hooks & KVMSTAT_HOOK_SPACES),
	      "info tells that it is on");
	refuses(reader, KVMSTAT_IOC_SPACES, BAD_POINTER, EFAULT, "SPACES with a bad argument: EFAULT");
	arg.flags = 1;
	refuses(reader, KVMSTAT_IOC_SPACES, &arg, EINVAL, "SPACES with a flag: EINVAL");
	arg = arg_for(buffer, sizeof(*s) - 1);
	buffer[0] = 'x';
	refuses(reader, KVMSTAT_IOC_SPACES, &arg, ENOSPC, "SPACES one byte short: ENOSPC");
	check(arg.size >= sizeof(*s) && buffer[0] == 'x', "…says what it needs, writes nothing");
	arg = arg_for(buffer, BUFFER_SIZE);
	check(!ioctl(reader, KVMSTAT_IOC_SPACES, &arg), "SPACES");
	check(s->magic == KVMSTAT_SPACES_MAGIC && s->abi_version == KVMSTAT_ABI_VERSION &&
	      s->instance == get_info().instance && s->epoch, "…its header");
	check(arg.size == s->header_size + (uint64_t)s->nr_vcpus * s->vcpu_size +
	      (uint64_t)s->nr_spaces * s->space_size && vcpus_fit(s),
	      "…its size is that of its sections");
	check(switch_spaces("0") && !(get_info().hooks & KVMSTAT_HOOK_SPACES), "…and off again");
}

static void test_reset(char *buffer)
{
	struct kvmstat_snapshot_arg arg = arg_for(buffer, BUFFER_SIZE);
	struct kvmstat_info before = get_info(), after;

	refuses(reader, KVMSTAT_IOC_RESET, NULL, EPERM, "RESET without write access: EPERM");
	after = get_info();
	check(after.generation == before.generation, "…has reset nothing");
	check(!ioctl(writer, KVMSTAT_IOC_RESET), "RESET");
	after = get_info();
	check(after.generation == before.generation + 1, "…is seen by its generation");
	check(after.instance == before.instance, "…and is not a reload");
	check(!ioctl(reader, KVMSTAT_IOC_SNAPSHOT, &arg) && exits_in(buffer) == 0,
	      "…and the counters are zero");
}

int main(void)
{
	char *buffer = malloc(BUFFER_SIZE);

	reader = open("/dev/kvmstat", O_RDONLY);
	writer = open("/dev/kvmstat", O_RDWR);
	if (!buffer || reader < 0 || writer < 0) {
		perror("/dev/kvmstat");
		return EXIT_FAILURE;
	}
	test_info();
	test_commands(buffer);
	test_snapshot(buffer);
	test_spaces(buffer);
	test_reset(buffer);
	printf("1..%d\n", tests);
	free(buffer);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
