// SPDX-License-Identifier: GPL-2.0-or-later
/* Allocation that ends the program, with a message, where there is no memory. */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "message.h"

static void *checked(void *p, size_t nr, size_t size)
{
	if (p)
		return p;
	error("out of memory: no room for %zu times %zu bytes", nr, size);
	exit(EXIT_FAILED);
}

void *xcalloc(size_t nr, size_t size)
{
	return checked(calloc(nr ?: 1, size), nr, size);
}

void *xmemdup(const void *from, size_t nr, size_t size)
{
	void *copy = xcalloc(nr, size);

	if (nr)
		memcpy(copy, from, nr * size);
	return copy;
}

void *xgrow(void *array, size_t nr, size_t size)
{
	/* Full when nr is 0 or a power of two. */
	if (nr & (nr - 1))
		return array;
	return checked(reallocarray(array, nr ? 2 * nr : 1, size), nr, size);
}
