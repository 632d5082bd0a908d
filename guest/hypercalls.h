/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls by port I/O: what a guest may ask of its VMM, each in one exit.
 *
 *   port       value                   does                            result
 *   OUT 0xe8   address                 prints a NUL-terminated string  its length
 *   OUT 0xeb   address << 11 | length  opens the file of that name,    its handle
 *                                      and selects it
 *   OUT 0xec   address << 11 | length  reads the selected file         bytes read, 0 at its end
 *   OUT 0xed   address << 11 | length  writes the selected file        bytes written
 *   OUT 0xee   handle                  selects it                      0
 *   OUT 0xef   handle                  closes it                       0
 *   IN  0xe9                           the result of the last of these
 *   IN  0xea                           the vCPU's exits so far, as KVM counts them: the low
 *                                      32 bits
 *
 * All are 32 bits wide. A negative result is an errno of Linux. An OUT of
 * another width does nothing and results in -EINVAL, an IN of another width
 * reads all ones and leaves the result alone.
 *
 * Addresses are those of struct ram; that length and address are given in one
 * value leaves 21 bits for the address, the first 2 MiB, and 11 for the length. A
 * guest of the user's own has its stack there, and what it links there. What is not
 * wholly inside that memory is -EFAULT, and nothing is done. The length of a
 * file's name counts no NUL; a NUL within is -EINVAL. A string to print has at
 * most HYPERCALL_PRINT_MAX bytes, its NUL among them: a longer one is -E2BIG,
 * and nothing of it is printed. It goes to the guest's console, as 0xe9's bytes
 * do (console.h), those that steer a terminal, too. files.h has the rules and
 * further errors for files.
 *
 * Also for guests in assembler.
 */
#ifndef KVMSTAT_GUEST_HYPERCALLS_H
#define KVMSTAT_GUEST_HYPERCALLS_H

#define PORT_PRINT	0xe8	/* OUT */
#define PORT_RESULT	0xe9	/* IN; OUT is the character output */
#define PORT_EXITS	0xea	/* IN */
#define PORT_OPEN	0xeb	/* OUT */
#define PORT_READ	0xec	/* OUT */
#define PORT_WRITE	0xed	/* OUT */
#define PORT_SELECT	0xee	/* OUT */
#define PORT_CLOSE	0xef	/* OUT */

#define HYPERCALL_LENGTH_BITS	11
#define HYPERCALL_LENGTH_MAX	((1 << HYPERCALL_LENGTH_BITS) - 1)
#define HYPERCALL_PRINT_MAX	4096

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "files.h"
#include "ram.h"

/*
 * One for each vCPU, used by the thread that runs it. Those of two vCPUs have
 * nothing in common but the root.
 */
struct hypercalls {
	struct ram ram;
	FILE *output;			/* NULL: what is printed is dropped */
	uint64_t (*exits)(void *context);
	void *context;			/* for exits() */
	struct files files;
	uint32_t selected;		/* FILES_MAX: none yet */
	int32_t result;
};

/* The caller sets what stands before 'files', this the rest. root: NULL for none. */
void hypercalls_init(struct hypercalls *calls, const struct files_root *root);
void hypercalls_destroy(struct hypercalls *calls);

/*
 * One OUT or IN of 'size' bytes; of REP OUTS and INS, one for each of them.
 * false: the port is not one of these, and nothing was done.
 */
bool hypercalls_out(struct hypercalls *calls, uint16_t port, unsigned int size, uint32_t value);
bool hypercalls_in(struct hypercalls *calls, uint16_t port, unsigned int size, uint32_t *value);
#endif

#endif
