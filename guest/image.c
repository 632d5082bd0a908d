// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest of the user's own. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../user/message.h"
#include "image.h"
#include "memory_map.h"

/* More than any guest has memory, for the sake of what only debuggers read. */
#define FILE_MAX	(1L << 30)

/* What is behind the file's part of it is zero, as all memory is. */
struct segment {
	uint64_t address, offset, size, in_file;
};

struct image {
	uint8_t *bytes;
	uint64_t size;
	const char *path;
	unsigned int nr;
	struct segment *segments;
};

static int no_memory(void)
{
	error("no memory for the guest's file");
	return -1;
}

static bool is_elf(const struct image *image)
{
	return image->size >= SELFMAG && !memcmp(image->bytes, ELFMAG, SELFMAG);
}

static bool inside(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* Below are the page tables, the descriptor tables, the stack. */
static int add_segment(struct image *image, const Elf64_Phdr *segment)
{
	if (!segment->p_memsz)
		return 0;
	if (segment->p_filesz > segment->p_memsz) {
		error("%s: a segment has more in the file than in memory", image->path);
		return -1;
	}
	if (!inside(segment->p_offset, segment->p_filesz, image->size)) {
		error("%s: a segment reaches beyond the file", image->path);
		return -1;
	}
	if (segment->p_vaddr < GUEST_CODE || !inside(segment->p_vaddr, segment->p_memsz, GUEST_PART)) {
		error("%s: a segment wants 0x%lx bytes from 0x%lx on, a guest has 0x%x to 0x%x: link it with -Wl,-Ttext-segment=0x%x",
		      image->path, segment->p_memsz, segment->p_vaddr, GUEST_CODE, GUEST_PART,
		      GUEST_CODE);
		return -1;
	}
	image->segments[image->nr++] = (struct segment) {
		segment->p_vaddr, segment->p_offset, segment->p_memsz, segment->p_filesz
	};
	return 0;
}

static bool has(const struct image *image, uint64_t address)
{
	unsigned int i;

	for (i = 0; i < image->nr; i++)
		if (inside(address - image->segments[i].address, 1, image->segments[i].size))
			return true;
	return false;
}

static bool is_64(const struct image *image)
{
	return image->bytes[EI_CLASS] == ELFCLASS64;
}

/* What the two classes have in common, as the wider one has it. */
static bool read_header(const struct image *image, Elf64_Ehdr *to)
{
	Elf32_Ehdr narrow;

	if (image->size < EI_NIDENT || image->bytes[EI_DATA] != ELFDATA2LSB ||
	    image->size < (is_64(image) ? sizeof(*to) : sizeof(narrow)))
		return false;
	if (is_64(image)) {
		memcpy(to, image->bytes, sizeof(*to));
		return to->e_phentsize == sizeof(Elf64_Phdr);
	}
	memcpy(&narrow, image->bytes, sizeof(narrow));
	*to = (Elf64_Ehdr) {
		.e_type = narrow.e_type, .e_machine = narrow.e_machine, .e_entry = narrow.e_entry,
		.e_phoff = narrow.e_phoff, .e_phnum = narrow.e_phnum,
	};
	return narrow.e_phentsize == sizeof(Elf32_Phdr);
}

static Elf64_Phdr read_segment(const struct image *image, uint64_t offset)
{
	Elf64_Phdr segment;
	Elf32_Phdr narrow;

	if (is_64(image)) {
		memcpy(&segment, image->bytes + offset, sizeof(segment));
		return segment;
	}
	memcpy(&narrow, image->bytes + offset, sizeof(narrow));
	return (Elf64_Phdr) {
		.p_type = narrow.p_type, .p_offset = narrow.p_offset, .p_vaddr = narrow.p_vaddr,
		.p_filesz = narrow.p_filesz, .p_memsz = narrow.p_memsz,
	};
}

static int read_segments(struct image *image, const Elf64_Ehdr *header)
{
	size_t size = is_64(image) ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	unsigned int i;

	if (!inside(header->e_phoff, header->e_phnum * size, image->size)) {
		error("%s: its program headers are cut short", image->path);
		return -1;
	}
	image->segments = calloc(header->e_phnum + 1, sizeof(*image->segments));
	if (!image->segments)
		return no_memory();
	for (i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr segment = read_segment(image, header->e_phoff + i * size);

		if (segment.p_type == PT_INTERP || segment.p_type == PT_DYNAMIC) {
			error("%s: is linked dynamically: link it with -static -no-pie", image->path);
			return -1;
		}
		if (segment.p_type == PT_LOAD && add_segment(image, &segment))
			return -1;
	}
	return 0;
}

static int read_elf(struct image *image, struct guest *guest)
{
	Elf64_Ehdr header;

	if (!read_header(image, &header) || header.e_type != ET_EXEC ||
	    header.e_machine != (is_64(image) ? EM_X86_64 : EM_386)) {
		error("%s: is no static executable for x86: link it with -static -no-pie", image->path);
		return -1;
	}
	guest->mode = is_64(image) ? MODE_LONG : MODE_PROTECTED;
	guest->entry = header.e_entry;
	if (read_segments(image, &header))
		return -1;
	if (has(image, guest->entry))
		return 0;
	error("%s: its entry, 0x%lx, is in none of its segments: link it with _start, or -Wl,-e,NAME",
	      image->path, guest->entry);
	return -1;
}

static int read_flat(struct image *image, struct guest *guest)
{
	const uint64_t room = GUEST_PART_REAL - GUEST_CODE_REAL;

	guest->mode = MODE_REAL;
	guest->entry = GUEST_CODE_REAL;
	image->segments = calloc(1, sizeof(*image->segments));
	if (!image->segments)
		return no_memory();
	if (image->size > room) {
		error("%s: %llu bytes, but a flat image (what is no ELF file is taken for one) has room for %llu",
		      image->path, (unsigned long long)image->size, (unsigned long long)room);
		return -1;
	}
	image->segments[image->nr++] = (struct segment) {
		GUEST_CODE_REAL, 0, image->size, image->size
	};
	return 0;
}

/* As much as there is, should it become shorter meanwhile. */
static int read_bytes(struct image *image, int fd, uint64_t size)
{
	ssize_t got;

	image->bytes = malloc(size);
	if (!image->bytes)
		return no_memory();
	do {
		got = read(fd, image->bytes + image->size, size - image->size);
		if (got > 0)
			image->size += got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (!got)
		return 0;
	error("cannot read the guest %s: %s", image->path, strerror(errno));
	return -1;
}

static int read_open_file(struct image *image, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !st.st_size) {
		error("%s: is no file with a guest in it", image->path);
		return -1;
	}
	if (st.st_size > FILE_MAX) {
		error("%s: has %lld bytes, more than any guest: strip it", image->path,
		      (long long)st.st_size);
		return -1;
	}
	return read_bytes(image, fd, st.st_size);
}

static int read_file(struct image *image)
{
	int fd = open(image->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0) {
		error("cannot open the guest %s: %s", image->path, strerror(errno));
		return -1;
	}
	err = read_open_file(image, fd);
	close(fd);
	return err;
}

static int choose_mode(struct guest *guest, enum mode mode)
{
	if (mode == NR_MODES || mode == guest->mode)
		return 0;
	if (mode == MODE_PAGED && guest->mode == MODE_PROTECTED) {
		guest->mode = mode;
		return 0;
	}
	error("%s: is code for %s mode, not for %s mode", guest->name, modes[guest->mode].name,
	      modes[mode].name);
	return -1;
}

static int open_guest(struct guest *guest, struct image *image, enum mode mode)
{
	guest->name = image->path;
	guest->description = "a guest of your own";
	guest->image = image;
	guest->count = 1;
	if (read_file(image) || (is_elf(image) ? read_elf(image, guest) : read_flat(image, guest)))
		return -1;
	return choose_mode(guest, mode);
}

const struct guest *image_open(const char *path, enum mode mode)
{
	struct image *image = calloc(1, sizeof(*image));
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!image || !guest) {
		no_memory();
	} else {
		image->path = path;
		if (!open_guest(guest, image, mode))
			return guest;
		free(image->segments);
		free(image->bytes);
	}
	free(image);
	free(guest);
	return NULL;
}

uint64_t image_load(const struct image *image, enum mode mode, uint8_t *part)
{
	const uint64_t end = GUEST_RETURN;
	uint64_t top = mode == MODE_REAL ? modes[mode].stack : GUEST_OWN_STACK;
	unsigned int i;

	for (i = 0; i < image->nr; i++)
		memcpy(part + image->segments[i].address, image->bytes + image->segments[i].offset,
		       image->segments[i].in_file);
	top -= modes[mode].word;
	memcpy(part + top, &end, modes[mode].word);
	return top;
}

bool image_segment(const struct image *image, unsigned int nr, uint64_t *start, uint64_t *end)
{
	if (nr >= image->nr)
		return false;
	*start = image->segments[nr].address;
	*end = *start + image->segments[nr].size;
	return true;
}
