/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions inside the guest, in 64-bit mode: each vector has its gate. */
#ifndef KVMSTAT_GUEST_EXCEPTIONS_H
#define KVMSTAT_GUEST_EXCEPTIONS_H

#include <linux/kvm.h>
#include <stdint.h>

#include "catalogue.h"

/* The guest's own handler where it has one; else PORT_EXCEPTION tells the vector. */
void exceptions_set(const struct guest *guest, struct kvm_sregs *sregs, uint8_t *part);

#define EXCEPTION_TEXT_MAX	80

/*
 * What a vector tells, and where it was, by the frame that the CPU pushed at RSP:
 * "page fault at rip 0x…, error code 0x…". Written to text.
 */
void exceptions_describe(uint8_t vector, uint64_t rsp, const uint8_t *part,
			 char text[EXCEPTION_TEXT_MAX]);

#endif
