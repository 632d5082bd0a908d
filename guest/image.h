/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of the user's own, from a file:
 *
 *   ELF, static, 64 bit    long mode
 *   ELF, static, 32 bit    protected mode (or paged, if asked for)
 *   anything else          a flat image for real mode, at 0x7c00 as a boot sector
 *
 * An ELF's segments go where their addresses say (p_vaddr), which is to be in
 * the arena of memory_map.h: below it the VMM keeps what it needs.
 */
#ifndef KVMSTAT_GUEST_IMAGE_H
#define KVMSTAT_GUEST_IMAGE_H

#include "catalogue.h"

/*
 * mode: NR_MODES for the file's usual one. A guest that ends with HLT, or NULL
 * after a message. It stays for the life of the program.
 */
const struct guest *image_open(const char *path, enum mode mode);

/* Puts it into a vCPU's part. */
void image_load(const struct image *image, uint8_t *part);

#endif
