// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What lies in the memory of the lab's Intel machine when it is switched on.
 *
 *   bochs_image VMLINUZ VMLINUX INITRD MEGABYTES COMMAND-LINE LOW HIGH
 *
 * VMLINUX is the ELF file that VMLINUZ holds, unpacked. Written are
 *   LOW   for address 0x10000: page tables, boot_params, the command line
 *   HIGH  for the address that is printed: the kernel as its program headers
 *         want it, and INITRD where the kernel will not overwrite it.
 * As the 64-bit boot protocol asks (Documentation/x86/boot.rst), the first
 * 4 GiB are mapped one to one.
 */
#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <asm/bootparam.h>

#define LOW_BASE	0x10000
#define PDPT		0x1000
#define PAGE_DIRS	0x2000		/* four of them */
#define BOOT_PARAMS	0x6000
#define COMMAND_LINE	0x7000
#define LAYOUT		0x7f00		/* bochs_rom.S */
#define LOW_SIZE	0x8000

#define PRESENT_RW	0x3
#define LARGE_PAGE	0x80

#define SETUP_HEADER	0x1f1		/* in VMLINUZ and in boot_params */
#define KEPT_LOW	0x9f000		/* as a BIOS would keep its data area */
#define HIGH_MEMORY	0x100000

struct file {
	const char *path;
	uint8_t *data;
	size_t size;
};

static void __attribute__((noreturn)) die(const char *what, const char *on)
{
	fprintf(stderr, "lab: %s: %s%s%s\n", on, what, errno ? ": " : "",
		errno ? strerror(errno) : "");
	exit(1);
}

static struct file read_file(const char *path)
{
	struct file file = { .path = path };
	FILE *in = fopen(path, "rb");
	struct stat st;

	if (!in || fstat(fileno(in), &st))
		die("cannot open it", path);
	file.size = st.st_size;
	file.data = malloc(file.size + 1);
	if (!file.data || fread(file.data, 1, file.size, in) != file.size)
		die("cannot read it", path);
	fclose(in);
	return file;
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
	FILE *out = fopen(path, "wb");

	if (!out || fwrite(data, 1, size, out) != size || fclose(out))
		die("cannot write it", path);
}

static uint64_t page_up(uint64_t address)
{
	return (address + 0xfff) & ~0xfffULL;
}

/* The kernel's segments by physical address, in one piece. */
struct kernel {
	uint64_t base, end, entry;
	uint8_t *data;
};

static const Elf64_Phdr *segment(const struct file *elf, int i)
{
	const Elf64_Ehdr *head = (void *)elf->data;
	const Elf64_Phdr *ph = (void *)(elf->data + head->e_phoff + i * sizeof(*ph));

	if ((uint8_t *)(ph + 1) > elf->data + elf->size ||
	    ph->p_offset + ph->p_filesz > elf->size)
		die("is cut short", elf->path);
	return ph->p_type == PT_LOAD ? ph : NULL;
}

static struct kernel flatten(const struct file *elf)
{
	const Elf64_Ehdr *head = (void *)elf->data;
	struct kernel k = { .base = UINT64_MAX };
	const Elf64_Phdr *ph;
	int i;

	if (elf->size < sizeof(*head) || memcmp(head->e_ident, ELFMAG, SELFMAG))
		die("is no ELF file", elf->path);
	for (i = 0; i < head->e_phnum; i++) {
		ph = segment(elf, i);
		if (!ph)
			continue;
		k.base = ph->p_paddr < k.base ? ph->p_paddr : k.base;
		if (ph->p_paddr + ph->p_memsz > k.end)
			k.end = ph->p_paddr + ph->p_memsz;
	}
	if (k.base >= k.end || k.end > UINT32_MAX)
		die("has no segments to load", elf->path);
	k.entry = head->e_entry;
	k.data = calloc(1, k.end - k.base);
	if (!k.data)
		die("no memory", elf->path);
	for (i = 0; i < head->e_phnum; i++) {
		ph = segment(elf, i);
		if (ph)
			memcpy(k.data + ph->p_paddr - k.base, elf->data + ph->p_offset, ph->p_filesz);
	}
	return k;
}

static void put(uint8_t *low, size_t offset, uint64_t value)
{
	memcpy(low + offset, &value, sizeof(value));
}

static void map_one_to_one(uint8_t *low)
{
	uint64_t address;
	int i, j;

	put(low, 0, (LOW_BASE + PDPT) | PRESENT_RW);
	for (i = 0; i < 4; i++) {
		put(low, PDPT + 8 * i, (LOW_BASE + PAGE_DIRS + 0x1000 * i) | PRESENT_RW);
		for (j = 0; j < 512; j++) {
			address = ((uint64_t)i << 30) + ((uint64_t)j << 21);
			put(low, PAGE_DIRS + 0x1000 * i + 8 * j, address | PRESENT_RW | LARGE_PAGE);
		}
	}
}

static void set_boot_params(uint8_t *low, const struct file *vmlinuz, uint64_t initrd,
			    uint32_t initrd_size, uint64_t memory)
{
	struct boot_params *bp = (void *)(low + BOOT_PARAMS);
	/* The header says by its jump instruction how long it is. */
	size_t end = 0x202 + vmlinuz->data[0x201];

	memcpy((uint8_t *)bp + SETUP_HEADER, vmlinuz->data + SETUP_HEADER, end - SETUP_HEADER);
	bp->hdr.type_of_loader = 0xff;		/* none that has a number */
	bp->hdr.loadflags |= LOADED_HIGH;
	bp->hdr.ramdisk_image = initrd;
	bp->hdr.ramdisk_size = initrd_size;
	bp->hdr.cmd_line_ptr = LOW_BASE + COMMAND_LINE;
	bp->e820_table[0] = (struct boot_e820_entry){ 0, KEPT_LOW, 1 };
	bp->e820_table[1] = (struct boot_e820_entry){ KEPT_LOW, HIGH_MEMORY - KEPT_LOW, 2 };
	bp->e820_table[2] = (struct boot_e820_entry){ HIGH_MEMORY, memory - HIGH_MEMORY, 1 };
	bp->e820_entries = 3;
}

int main(int argc, char **argv)
{
	static uint8_t low[LOW_SIZE] __attribute__((aligned(8)));
	struct file vmlinuz, vmlinux, initrd;
	uint64_t memory, at, end;
	struct setup_header *hdr;
	struct kernel kernel;
	uint8_t *high;

	if (argc != 8) {
		fprintf(stderr, "lab: bochs_image: want VMLINUZ VMLINUX INITRD MEGABYTES COMMAND-LINE LOW HIGH\n");
		return 2;
	}
	vmlinuz = read_file(argv[1]);
	vmlinux = read_file(argv[2]);
	initrd = read_file(argv[3]);
	memory = strtoull(argv[4], NULL, 10) << 20;
	errno = 0;
	hdr = (void *)(vmlinuz.data + SETUP_HEADER);
	if (vmlinuz.size < 4096 || hdr->header != 0x53726448)	/* "HdrS" */
		die("is no bzImage", vmlinuz.path);
	if (strlen(argv[5]) >= LAYOUT - COMMAND_LINE)
		die("the command line is too long", argv[5]);

	kernel = flatten(&vmlinux);
	at = page_up(kernel.end);
	/* What the kernel clears or allocates before it looks for the initramfs. */
	if (at < page_up(kernel.base + hdr->init_size))
		at = page_up(kernel.base + hdr->init_size);
	end = at + initrd.size;
	if (end > memory)
		die("does not fit into the machine's memory (--mem)", initrd.path);

	map_one_to_one(low);
	set_boot_params(low, &vmlinuz, at, initrd.size, memory);
	strcpy((char *)low + COMMAND_LINE, argv[5]);
	put(low, LAYOUT, kernel.base);
	put(low, LAYOUT + 8, end);
	put(low, LAYOUT + 16, kernel.entry);
	write_file(argv[6], low, sizeof(low));

	high = calloc(1, end - kernel.base);
	if (!high)
		die("no memory", argv[7]);
	memcpy(high, kernel.data, kernel.end - kernel.base);
	memcpy(high + at - kernel.base, initrd.data, initrd.size);
	write_file(argv[7], high, end - kernel.base);
	printf("%#llx\n", (unsigned long long)kernel.base);
	return 0;
}
