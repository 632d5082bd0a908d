// SPDX-License-Identifier: GPL-2.0-or-later
/* Exceptions inside the guest: its IDT (SDM vol. 3, 6.14.1; APM vol. 2, 8.9). */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "exceptions.h"
#include "memory_map.h"

#define NR_VECTORS	32
#define NR_GATES	(INTERRUPT_VECTOR + 1)
#define STUB_SIZE	8	/* in bodies.S */
#define INTERRUPT_GATE	0x8e00	/* present, for ring 0 */

struct gate {
	uint16_t offset_low, selector, type, offset_middle;
	uint32_t offset_high, reserved;
};

static void set_gate(struct gate *gate, const uint8_t *handler)
{
	uint64_t address = GUEST_CODE + (handler - guest_code);

	gate->offset_low = address;
	gate->offset_middle = address >> 16;
	gate->selector = SELECTOR_CODE;
	gate->type = INTERRUPT_GATE;
}

void exceptions_set(const struct guest *guest, struct kvm_sregs *sregs, uint8_t *part)
{
	struct gate idt[NR_GATES] = {};
	int i;

	for (i = 0; i < NR_VECTORS; i++)
		set_gate(&idt[i], guest_exceptions + i * STUB_SIZE);
	if (guest->handler)
		set_gate(&idt[guest->vector], guest->handler);
	memcpy(part + GUEST_IDT, idt, sizeof(idt));
	sregs->idt.base = GUEST_IDT;
	sregs->idt.limit = sizeof(idt) - 1;
}

/* SDM vol. 3, table 6-1. */
static const struct {
	const char *name;
	bool has_error_code;
} exceptions[NR_VECTORS] = {
	[0] = { "divide error", false },	[1] = { "debug exception", false },
	[2] = { "NMI", false },			[3] = { "breakpoint", false },
	[4] = { "overflow", false },		[5] = { "BOUND range exceeded", false },
	[6] = { "invalid opcode", false },	[7] = { "device not available", false },
	[8] = { "double fault", true },		[10] = { "invalid TSS", true },
	[11] = { "segment not present", true },	[12] = { "stack fault", true },
	[13] = { "general protection", true },	[14] = { "page fault", true },
	[16] = { "x87 error", false },		[17] = { "alignment check", true },
	[18] = { "machine check", false },	[19] = { "SIMD error", false },
	[20] = { "virtualization exception", false }, [21] = { "control protection", true },
};

void exceptions_describe(uint8_t vector, uint64_t rsp, const uint8_t *part,
			 char text[EXCEPTION_TEXT_MAX])
{
	const char *name = vector < NR_VECTORS ? exceptions[vector].name : NULL;
	bool has_error_code = name && exceptions[vector].has_error_code;
	uint64_t frame[2] = { 0 };	/* error code, RIP */

	if (rsp <= GUEST_PART - sizeof(frame))
		memcpy(has_error_code ? frame : frame + 1, part + rsp,
		       has_error_code ? sizeof(frame) : sizeof(frame[1]));
	if (has_error_code)
		snprintf(text, EXCEPTION_TEXT_MAX, "%s at rip 0x%" PRIx64 ", error code 0x%" PRIx64,
			 name, frame[1], frame[0]);
	else
		snprintf(text, EXCEPTION_TEXT_MAX, "%s at rip 0x%" PRIx64,
			 name ? name : "unknown exception", frame[1]);
}
