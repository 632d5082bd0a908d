/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocation that ends the program, with a message, where there is no memory. */
#ifndef KVMSTAT_MEMORY_H
#define KVMSTAT_MEMORY_H

#include <stddef.h>

/* Zeroed. */
void *xcalloc(size_t nr, size_t size);
void *xmemdup(const void *from, size_t nr, size_t size);
/*
 * Room for one more element at the end of an array of nr: grown by powers of
 * two, so its capacity needs no field. Returns the array's new address.
 */
void *xgrow(void *array, size_t nr, size_t size);

#endif
