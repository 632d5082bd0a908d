/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory that a vCPU may point to when it talks to its VMM: its own part of
 * the guest's, from 'base' on; what the guest calls address 0 is the first byte.
 *
 * The guest runs while the VMM looks: other vCPUs may change any byte at any
 * time. So whatever is to be checked is copied out first, once, and the copy is
 * checked (ram_copy()). ram_at() is for whoever never looks back at what is
 * there: the kernel, in a read() into it or a write() from it.
 */
#ifndef KVMSTAT_GUEST_RAM_H
#define KVMSTAT_GUEST_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ram {
	uint8_t *base;
	uint64_t size;
};

/* NULL where not all of it is inside. No sum is made that could overflow. */
static inline void *ram_at(const struct ram *ram, uint64_t address, uint64_t length)
{
	if (address > ram->size || length > ram->size - address)
		return NULL;
	return ram->base + address;
}

static inline bool ram_copy(const struct ram *ram, void *to, uint64_t address, size_t length)
{
	const void *from = ram_at(ram, address, length);

	if (!from)
		return false;
	memcpy(to, from, length);
	/* Else the compiler may read the original again in place of the copy. */
	__asm__ __volatile__("" : : : "memory");
	return true;
}

#endif
