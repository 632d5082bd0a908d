// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/kvmstat: open, ask, and check every index of the answer before use. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "device.h"
#include "message.h"

#define GUEST_SPACES "/sys/module/kvmstat/parameters/guest_spaces"

const char *device_alternative = "";

static void explain_open(int why)
{
	switch (why) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		error("no module loaded: run \"sudo insmod kvmstat.ko\"%s", device_alternative);
		break;
	case EACCES:
	case EPERM:
		error(KVMSTAT_DEVICE ": %s: its counters are for root: run with sudo%s",
		      strerror(why), device_alternative);
		break;
	default:
		error(KVMSTAT_DEVICE ": cannot open it: %s", strerror(why));
	}
}

int device_open(bool for_reset)
{
	int fd = open(KVMSTAT_DEVICE, (for_reset ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	if (fd < 0)
		explain_open(errno);
	return fd;
}

static int call(int fd, unsigned long request, void *arg, const char *what)
{
	int ret;

	do
		ret = ioctl(fd, request, arg);
	while (ret < 0 && errno == EINTR);
	if (ret < 0 && errno == ENOTTY)
		error(KVMSTAT_DEVICE ": does not know \"%s\": the module and this program are of different versions: build and load both from one tree",
		      what);
	else if (ret < 0 && errno == ENODATA)
		error("%s are not looked at: run \"echo 1 >" GUEST_SPACES "\" as root, and then the guests",
		      what);
	else if (ret < 0 && errno != ENOSPC)
		error(KVMSTAT_DEVICE ": %s: %s", what, strerror(errno));
	return ret;
}

static int check_version(uint32_t version)
{
	if (version == KVMSTAT_ABI_VERSION)
		return 0;
	error("the loaded module speaks ABI version %u, this program version %u: build and load both from one tree",
	      version, KVMSTAT_ABI_VERSION);
	return -1;
}

int device_info(int fd, struct kvmstat_info *info)
{
	memset(info, 0, sizeof(*info));
	if (call(fd, KVMSTAT_IOC_INFO, info, "information") < 0)
		return -1;
	return check_version(info->abi_version);
}

int device_reset(int fd)
{
	return call(fd, KVMSTAT_IOC_RESET, NULL, "reset") < 0 ? -1 : 0;
}

/* 0, 1 when the buffer is too small (size says by how much), -1 on failure. */
static int fill(int fd, unsigned long request, const char *what, void *buffer, size_t *size)
{
	struct kvmstat_snapshot_arg arg = { .buffer = (uintptr_t)buffer, .size = *size };
	int ret = call(fd, request, &arg, what);

	*size = arg.size;
	if (ret < 0)
		return errno == ENOSPC ? 1 : -1;
	return 0;
}

/* VMs come between the question "how much?" and the answer: leave them room. */
static void *grow(void *buffer, size_t *size)
{
	*size += *size / 4 + 65536;
	free(buffer);
	buffer = calloc(1, *size);
	if (!buffer)
		error("no memory for a copy of %zu bytes", *size);
	return buffer;
}

int device_snapshot(int fd, struct snapshot *snap)
{
	struct kvmstat_info info;
	int ret;

	memset(snap, 0, sizeof(*snap));
	if (device_info(fd, &info) < 0)
		return -1;
	snap->size = info.snapshot_size;
	do {
		snap->header = grow(snap->header, &snap->size);
		ret = !snap->header ? -1 : fill(fd, KVMSTAT_IOC_SNAPSHOT, "snapshot",
						snap->header, &snap->size);
	} while (ret > 0);
	if (!ret && snapshot_check(snap) == 0)
		return 0;
	snapshot_free(snap);
	return -1;
}

void snapshot_free(struct snapshot *snap)
{
	free(snap->header);
	memset(snap, 0, sizeof(*snap));
}

const struct kvmstat_vm *snapshot_vm(const struct snapshot *snap, uint32_t index)
{
	const struct kvmstat_snapshot *h = snap->header;

	return (const void *)((const char *)h + h->header_size + (size_t)index * h->vm_size);
}

const struct kvmstat_vcpu *snapshot_vcpu(const struct snapshot *snap, uint32_t index)
{
	const char *vcpus = (const char *)snapshot_vm(snap, snap->header->nr_vms);

	return (const void *)(vcpus + (size_t)index * snap->header->vcpu_size);
}

const struct kvmstat_cell *snapshot_cell(const struct snapshot *snap, uint32_t index)
{
	const char *cells = (const char *)snapshot_vcpu(snap, snap->header->nr_vcpus);

	return (const void *)(cells + (size_t)index * snap->header->cell_size);
}

const __u64 *snapshot_bucket(const struct snapshot *snap, uint32_t index)
{
	return (const __u64 *)snapshot_cell(snap, snap->header->nr_cells) + index;
}

static int bad_snapshot(const char *what)
{
	error(KVMSTAT_DEVICE ": malformed snapshot: %s: build and load module and tools from one tree",
	      what);
	return -1;
}

static int check_header(const struct snapshot *snap)
{
	const struct kvmstat_snapshot *h = snap->header;

	if (snap->size < sizeof(*h))
		return bad_snapshot("shorter than its header");
	if (h->magic != KVMSTAT_MAGIC)
		return bad_snapshot("wrong magic number");
	if (check_version(h->abi_version) < 0)
		return -1;
	if (h->header_size < sizeof(*h) || h->vm_size < sizeof(struct kvmstat_vm) ||
	    h->vcpu_size < sizeof(struct kvmstat_vcpu) ||
	    h->cell_size < sizeof(struct kvmstat_cell))
		return bad_snapshot("a record is smaller than this version's");
	if ((h->header_size | h->vm_size | h->vcpu_size | h->cell_size) % 8)
		return bad_snapshot("a record's size is not a multiple of 8");
	return 0;
}

/* Products of two 32-bit numbers do not overflow 64 bits, their sum might. */
static bool take_room(uint64_t *room, uint32_t nr, uint32_t size)
{
	uint64_t need = (uint64_t)nr * size;

	if (need > *room)
		return false;
	*room -= need;
	return true;
}

static bool sections_fit(const struct snapshot *snap)
{
	const struct kvmstat_snapshot *h = snap->header;
	uint64_t room = snap->size;

	return take_room(&room, 1, h->header_size) && take_room(&room, h->nr_vms, h->vm_size) &&
	       take_room(&room, h->nr_vcpus, h->vcpu_size) &&
	       take_room(&room, h->nr_cells, h->cell_size) &&
	       take_room(&room, h->nr_buckets, sizeof(__u64));
}

static int check_vms(const struct snapshot *snap)
{
	const struct kvmstat_snapshot *h = snap->header;
	uint32_t i;

	for (i = 0; i < h->nr_vms; i++) {
		const struct kvmstat_vm *vm = snapshot_vm(snap, i);

		if ((uint64_t)vm->first_vcpu + vm->nr_vcpus > h->nr_vcpus)
			return bad_snapshot("a VM names vCPUs that are not there");
		if (!memchr(vm->comm, 0, sizeof(vm->comm)))
			return bad_snapshot("a command name has no end");
	}
	return 0;
}

static int check_vcpus(const struct snapshot *snap)
{
	const struct kvmstat_snapshot *h = snap->header;
	uint32_t i;

	for (i = 0; i < h->nr_vcpus; i++) {
		const struct kvmstat_vcpu *vcpu = snapshot_vcpu(snap, i);

		if ((uint64_t)vcpu->first_cell + vcpu->nr_cells > h->nr_cells)
			return bad_snapshot("a vCPU names cells that are not there");
	}
	return 0;
}

static int check_cells(const struct snapshot *snap)
{
	const struct kvmstat_snapshot *h = snap->header;
	uint32_t i;

	for (i = 0; i < h->nr_cells; i++) {
		const struct kvmstat_cell *cell = snapshot_cell(snap, i);

		if ((uint64_t)cell->first_bucket + cell->nr_buckets > h->nr_buckets)
			return bad_snapshot("a cell names buckets that are not there");
		if (cell->histogram_first + cell->nr_buckets > KVMSTAT_HISTOGRAM_BUCKETS)
			return bad_snapshot("a cell has more buckets than a histogram");
	}
	return 0;
}

int snapshot_check(const struct snapshot *snap)
{
	if (check_header(snap) < 0)
		return -1;
	if (!sections_fit(snap))
		return bad_snapshot("its sections reach beyond its end");
	if (check_vms(snap) < 0 || check_vcpus(snap) < 0)
		return -1;
	return check_cells(snap);
}

bool snapshot_same_window(const struct snapshot *before, const struct snapshot *after)
{
	return before->header->instance == after->header->instance &&
	       before->header->generation == after->header->generation;
}

static int check_spaces(const struct spaces_copy *spaces)
{
	const struct kvmstat_spaces *h = spaces->header;
	uint64_t room = spaces->size;
	uint32_t i;

	if (room < sizeof(*h) || h->magic != KVMSTAT_SPACES_MAGIC)
		return bad_snapshot("no address spaces");
	if (check_version(h->abi_version) < 0)
		return -1;
	if (h->header_size < sizeof(*h) || h->vcpu_size < sizeof(struct kvmstat_spaces_vcpu) ||
	    h->space_size < sizeof(struct kvmstat_space) ||
	    (h->header_size | h->vcpu_size | h->space_size) % 8)
		return bad_snapshot("a record of an address space has a wrong size");
	if (!take_room(&room, 1, h->header_size) || !take_room(&room, h->nr_vcpus, h->vcpu_size) ||
	    !take_room(&room, h->nr_spaces, h->space_size))
		return bad_snapshot("its address spaces reach beyond its end");
	for (i = 0; i < h->nr_vcpus; i++) {
		const struct kvmstat_spaces_vcpu *vcpu = spaces_vcpu(spaces, i);

		if ((uint64_t)vcpu->first_space + vcpu->nr_spaces > h->nr_spaces)
			return bad_snapshot("a vCPU names address spaces that are not there");
	}
	return 0;
}

int device_spaces(int fd, struct spaces_copy *spaces)
{
	int ret;

	memset(spaces, 0, sizeof(*spaces));
	do {
		spaces->header = grow(spaces->header, &spaces->size);
		ret = !spaces->header ? -1 : fill(fd, KVMSTAT_IOC_SPACES,
						  "the address spaces of guests",
						  spaces->header, &spaces->size);
	} while (ret > 0);
	if (!ret && check_spaces(spaces) == 0)
		return 0;
	device_spaces_free(spaces);
	return -1;
}

void device_spaces_free(struct spaces_copy *spaces)
{
	free(spaces->header);
	memset(spaces, 0, sizeof(*spaces));
}

const struct kvmstat_spaces_vcpu *spaces_vcpu(const struct spaces_copy *spaces, uint32_t index)
{
	const struct kvmstat_spaces *h = spaces->header;

	return (const void *)((const char *)h + h->header_size + (size_t)index * h->vcpu_size);
}

const struct kvmstat_space *spaces_space(const struct spaces_copy *spaces, uint32_t index)
{
	const char *list = (const char *)spaces_vcpu(spaces, spaces->header->nr_vcpus);

	return (const void *)(list + (size_t)index * spaces->header->space_size);
}
