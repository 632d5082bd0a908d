/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Model-specific registers: this machine's, or those in a file. */
#ifndef KVMSTAT_MSRS_H
#define KVMSTAT_MSRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msrs {
	const char *name;	/* of the file, or of CPU 0's device */
	int fd;			/* -1: all that is known is in the list */
	struct msr {
		uint32_t address;
		uint64_t value;
	} *list;
	size_t nr;
};

/*
 * A file has "0x481 0x3f00000016" in each line, and nothing, or "# …", in others.
 * NULL: this machine's. 0, or -1 after an error message.
 */
int msrs_open(struct msrs *msrs, const char *file);
void msrs_close(struct msrs *msrs);

/* 0, or -1 after an error message; 'needed' says why it has to be there. */
int msrs_read(const struct msrs *msrs, uint32_t address, const char *needed, uint64_t *value);
/* Is it a file, without a line for it? */
bool msrs_lack(const struct msrs *msrs, uint32_t address);

#endif
