/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of the user's own, from a file:
 *
 *   ELF, static, 64 bit    long mode
 *   ELF, static, 32 bit    protected mode (or paged, if asked for)
 *   anything else          a flat image for real mode, at 0x7c00 as a boot sector
 *
 * An ELF's segments go where their addresses say (p_vaddr), which is to be from
 * GUEST_CODE on (memory_map.h): below it are the stack and what the VMM needs.
 */
#ifndef KVMSTAT_GUEST_IMAGE_H
#define KVMSTAT_GUEST_IMAGE_H

#include "catalogue.h"

/*
 * mode: NR_MODES for the file's usual one. A guest that ends with HLT, or NULL
 * after a message. It stays for the life of the program.
 */
const struct guest *image_open(const char *path, enum mode mode);

/*
 * Puts it into a vCPU's part; its stack pointer. What its entry finds there is as a
 * C function would have it: aligned, and with an address to return to, a HLT.
 */
uint64_t image_load(const struct image *image, enum mode mode, uint8_t *part);

/* Where in the part its nr-th segment is; false: it has no more. */
bool image_segment(const struct image *image, unsigned int nr, uint64_t *start, uint64_t *end);

#endif
