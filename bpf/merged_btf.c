// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The BTF of vmlinux and of a module as one. A module's BTF goes on where that of
 * vmlinux ends: its first type has the next id, its first string the next offset
 * (Documentation/bpf/btf.rst, split BTF). So both sections, each followed by the
 * module's, are a BTF of its own. Anybody may read these files; the kernel's own
 * objects of the same content are for CAP_SYS_ADMIN.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/btf.h>

#include "../user/message.h"
#include "host.h"

struct file {
	char *data;
	size_t size;
};

static int read_file(struct file *file, const char *name)
{
	char path[64];
	struct stat st;
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", name);
	memset(file, 0, sizeof(*file));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0)
		file->data = malloc(st.st_size + 1);
	if (file->data) {
		while ((got = read(fd, file->data + file->size, st.st_size - file->size)) > 0)
			file->size += got;
	}
	if (got < 0)
		error("BPF: %s cannot be read: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return got < 0 ? -1 : 0;
}

/* Its sections are within the file. */
static const struct btf_header *header(const struct file *file, const char *name)
{
	const struct btf_header *h = (const void *)file->data;

	if (file->size >= sizeof(*h) && h->magic == BTF_MAGIC &&
	    (uint64_t)h->hdr_len + h->type_off + h->type_len <= file->size &&
	    (uint64_t)h->hdr_len + h->str_off + h->str_len <= file->size)
		return h;
	error("BPF: /sys/kernel/btf/%s is not what a BTF was up to now: report this", name);
	return NULL;
}

static int write_all(int fd, const void *data, size_t size)
{
	while (size) {
		ssize_t done = write(fd, data, size);

		if (done < 0)
			return -1;
		data = (const char *)data + done;
		size -= done;
	}
	return 0;
}

static const char *types(const struct btf_header *h)
{
	return (const char *)h + h->hdr_len + h->type_off;
}

static const char *strings(const struct btf_header *h)
{
	return (const char *)h + h->hdr_len + h->str_off;
}

static int write_merged(int fd, const struct btf_header *base, const struct btf_header *module)
{
	const struct btf_header merged = {
		.magic = BTF_MAGIC,
		.version = base->version,
		.hdr_len = sizeof(merged),
		.type_len = base->type_len + module->type_len,
		.str_off = base->type_len + module->type_len,
		.str_len = base->str_len + module->str_len,
	};

	if (write_all(fd, &merged, sizeof(merged)) < 0 ||
	    write_all(fd, types(base), base->type_len) < 0 ||
	    write_all(fd, types(module), module->type_len) < 0 ||
	    write_all(fd, strings(base), base->str_len) < 0 ||
	    write_all(fd, strings(module), module->str_len) < 0) {
		error("BPF: no memory for the types of KVM: %s", strerror(errno));
		return -1;
	}
	return 0;
}

int host_merged_btf(const char *vendor)
{
	const struct btf_header *base, *module;
	struct file vmlinux, ko = { 0 };
	int fd = -1;

	if (read_file(&vmlinux, "vmlinux") == 0 && read_file(&ko, vendor) == 0) {
		base = header(&vmlinux, "vmlinux");
		module = header(&ko, vendor);
		if (base && module) {
			fd = memfd_create("kvmstat-btf", MFD_CLOEXEC);
			if (fd < 0)
				error("BPF: no memory for the types of KVM: %s", strerror(errno));
		}
		if (fd >= 0 && write_merged(fd, base, module) < 0) {
			close(fd);
			fd = -1;
		}
	}
	free(vmlinux.data);
	free(ko.data);
	return fd;
}
