/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions inside the guest: each vector leads to a stub that tells the VMM
 * (PORT_EXCEPTION), by an IDT, or in real mode by its vector table.
 */
#ifndef KVMSTAT_GUEST_EXCEPTIONS_H
#define KVMSTAT_GUEST_EXCEPTIONS_H

#include <linux/kvm.h>
#include <stdint.h>

#include "catalogue.h"
#include "ram.h"

/* The guest's own handler where it has one. base: of its part. */
void exceptions_set(const struct guest *guest, struct kvm_sregs *sregs, uint8_t *part,
		    uint64_t base);

#define EXCEPTION_TEXT_MAX	128

/*
 * Which one it was, and where, by what the CPU and the stub pushed at RSP:
 * "page fault at rip 0x…, error code 0x…, address 0x…". Whatever is there: a guest
 * may write to the port itself.
 */
void exceptions_describe(const struct ram *ram, enum mode mode, uint64_t rsp, uint64_t cr2,
			 char text[EXCEPTION_TEXT_MAX]);

#endif
