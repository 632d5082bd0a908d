// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest of the user's own. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../user/message.h"
#include "image.h"
#include "memory_map.h"

/* What is behind 'size' is zero, as all memory is. */
struct segment {
	uint64_t address, offset, size;
};

struct image {
	const uint8_t *bytes;
	uint64_t size;
	const char *path;
	unsigned int nr;
	struct segment *segments;
};

static bool is_elf(const struct image *image)
{
	return image->size >= EI_NIDENT && !memcmp(image->bytes, ELFMAG, SELFMAG);
}

static bool inside(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* Below are the page tables, the descriptor tables, the stack, the exception stubs. */
static int add_segment(struct image *image, const Elf64_Phdr *segment)
{
	if (!segment->p_memsz)
		return 0;
	if (segment->p_filesz > segment->p_memsz ||
	    !inside(segment->p_offset, segment->p_filesz, image->size)) {
		error("%s: a segment reaches beyond the file", image->path);
		return -1;
	}
	if (segment->p_vaddr < GUEST_ARENA || !inside(segment->p_vaddr, segment->p_memsz, GUEST_PART)) {
		error("%s: a segment wants 0x%lx to 0x%lx, a guest has 0x%x to 0x%x: link it with -Wl,-Ttext-segment=0x%x",
		      image->path, segment->p_vaddr, segment->p_vaddr + segment->p_memsz, GUEST_ARENA,
		      GUEST_PART, GUEST_ARENA);
		return -1;
	}
	image->segments[image->nr++] = (struct segment) {
		segment->p_vaddr, segment->p_offset, segment->p_filesz
	};
	return 0;
}

static bool is_64(const struct image *image)
{
	return image->bytes[EI_CLASS] == ELFCLASS64;
}

/* What the two classes have in common, as the wider one has it. */
static bool read_header(const struct image *image, Elf64_Ehdr *to)
{
	Elf32_Ehdr narrow;

	if (image->size < (is_64(image) ? sizeof(*to) : sizeof(narrow)))
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
		return -1;
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
	return read_segments(image, &header);
}

static int read_flat(struct image *image, struct guest *guest)
{
	const uint64_t room = GUEST_PART_REAL - GUEST_CODE_REAL;

	guest->mode = MODE_REAL;
	guest->entry = GUEST_CODE_REAL;
	image->segments = calloc(1, sizeof(*image->segments));
	if (image->size > room) {
		error("%s: %llu bytes, but a flat image (what is no ELF file is taken for one) has room for %llu",
		      image->path, (unsigned long long)image->size, (unsigned long long)room);
		return -1;
	}
	if (image->segments)
		image->segments[image->nr++] = (struct segment) {
			GUEST_CODE_REAL, 0, image->size
		};
	return 0;
}

static int map_file(struct image *image, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st)) {
		error("cannot open the guest %s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode) || !st.st_size) {
		error("%s: is no file with a guest in it", path);
		close(fd);
		return -1;
	}
	bytes = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED) {
		error("cannot read the guest %s: %s", path, strerror(errno));
		return -1;
	}
	image->bytes = bytes;
	image->size = st.st_size;
	image->path = path;
	return 0;
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

const struct guest *image_open(const char *path, enum mode mode)
{
	struct image *image = calloc(1, sizeof(*image));
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!image || !guest || map_file(image, path))
		return NULL;
	guest->name = path;
	guest->description = "a guest of your own";
	guest->image = image;
	guest->count = 1;
	if (is_elf(image) ? read_elf(image, guest) : read_flat(image, guest))
		return NULL;
	return image->segments && !choose_mode(guest, mode) ? guest : NULL;
}

void image_load(const struct image *image, uint8_t *part)
{
	unsigned int i;

	for (i = 0; i < image->nr; i++)
		memcpy(part + image->segments[i].address, image->bytes + image->segments[i].offset,
		       image->segments[i].size);
}
