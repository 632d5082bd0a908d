// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exceptions inside the guest: its IDT (SDM vol. 3, 6.10, 6.14.1; APM vol. 2, 8.9),
 * and in real mode its vector table (SDM vol. 3, 21.1.4).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "exceptions.h"
#include "memory_map.h"

#define NR_GATES	(INTERRUPT_VECTOR + 1)
#define INTERRUPT_GATE	0x8e00	/* present, for ring 0 */
#define PAGE_FAULT	14

struct gate_64 {
	uint16_t offset_low, selector, type, offset_middle;
	uint32_t offset_high, reserved;
};

struct gate_32 {
	uint16_t offset_low, selector, type, offset_high;
};

struct gate_real {
	uint16_t offset, segment;
};

static unsigned int stub(int vector)
{
	return GUEST_EXCEPTIONS + vector * EXCEPTION_STUB;
}

static struct gate_64 gate_64(uint64_t address)
{
	return (struct gate_64) {
		.offset_low = address, .offset_middle = address >> 16,
		.selector = SELECTOR_CODE, .type = INTERRUPT_GATE,
	};
}

static void set_idt_64(const struct guest *guest, struct kvm_sregs *sregs, uint8_t *part)
{
	struct gate_64 idt[NR_GATES] = {};
	int i;

	for (i = 0; i < EXCEPTION_VECTORS; i++)
		idt[i] = gate_64(stub(i));
	if (guest->handler)
		idt[guest->vector] = gate_64(GUEST_CODE + (guest->handler - guest_code));
	memcpy(part + GUEST_IDT, idt, sizeof(idt));
	sregs->idt.base = GUEST_IDT;
	sregs->idt.limit = sizeof(idt) - 1;
}

static void set_idt_32(struct kvm_sregs *sregs, uint8_t *part, uint64_t base)
{
	struct gate_32 idt[EXCEPTION_VECTORS];
	int i;

	for (i = 0; i < EXCEPTION_VECTORS; i++)
		idt[i] = (struct gate_32) { stub(i), SELECTOR_CODE, INTERRUPT_GATE, 0 };
	memcpy(part + GUEST_IDT, idt, sizeof(idt));
	sregs->idt.base = base + GUEST_IDT;
	sregs->idt.limit = sizeof(idt) - 1;
}

static void set_vectors_real(struct kvm_sregs *sregs, uint8_t *part, uint64_t base)
{
	struct gate_real vectors[EXCEPTION_VECTORS];
	int i;

	for (i = 0; i < EXCEPTION_VECTORS; i++)
		vectors[i] = (struct gate_real) { stub(i), base >> 4 };
	memcpy(part, vectors, sizeof(vectors));
	sregs->idt.base = base;
	sregs->idt.limit = sizeof(vectors) - 1;
}

void exceptions_set(const struct guest *guest, struct kvm_sregs *sregs, uint8_t *part,
		    uint64_t base)
{
	memcpy(part + GUEST_EXCEPTIONS, guest_exceptions, GUEST_STUBS_END - GUEST_EXCEPTIONS);
	if (guest->mode == MODE_LONG)
		set_idt_64(guest, sregs, part);
	else if (guest->mode == MODE_REAL)
		set_vectors_real(sregs, part, base);
	else	/* its page tables, where it has some, know no base */
		set_idt_32(sregs, part, guest->mode == MODE_PAGED ? 0 : base);
}

/* SDM vol. 3, table 6-1. */
static const struct {
	const char *name;
	bool has_error_code;	/* but in real mode */
} exceptions[EXCEPTION_VECTORS] = {
	[0] = { "divide error", false },	[1] = { "debug exception", false },
	[2] = { "NMI", false },			[3] = { "breakpoint", false },
	[4] = { "overflow", false },		[5] = { "BOUND range exceeded", false },
	[6] = { "invalid opcode", false },	[7] = { "device not available", false },
	[8] = { "double fault", true },		[10] = { "invalid TSS", true },
	[11] = { "segment not present", true },	[12] = { "stack fault", true },
	[13] = { "general protection", true },	[PAGE_FAULT] = { "page fault", true },
	[16] = { "x87 error", false },		[17] = { "alignment check", true },
	[18] = { "machine check", false },	[19] = { "SIMD error", false },
	[20] = { "virtualization exception", false }, [21] = { "control protection", true },
};

/* The n-th word of the stack; 0 where there is no memory. */
static uint64_t pushed(const struct ram *ram, enum mode mode, uint64_t rsp, int n)
{
	unsigned int word = modes[mode].word;
	uint64_t mask = word == 8 ? UINT64_MAX : (1ULL << 8 * word) - 1, value = 0;

	ram_copy(ram, &value, (rsp + n * word) & mask, word);
	return value;
}

void exceptions_describe(const struct ram *ram, enum mode mode, uint64_t rsp, uint64_t cr2,
			 char text[EXCEPTION_TEXT_MAX])
{
	uint64_t vector = pushed(ram, mode, rsp, 0);
	const char *name = vector < EXCEPTION_VECTORS ? exceptions[vector].name : NULL;
	bool has_error_code = name && exceptions[vector].has_error_code && mode != MODE_REAL;
	int used;

	used = snprintf(text, EXCEPTION_TEXT_MAX, "%s at rip 0x%" PRIx64,
			name ? name : "unknown exception", pushed(ram, mode, rsp, 1 + has_error_code));
	if (has_error_code)
		used += snprintf(text + used, EXCEPTION_TEXT_MAX - used, ", error code 0x%" PRIx64,
				 pushed(ram, mode, rsp, 1));
	if (vector == PAGE_FAULT)
		snprintf(text + used, EXCEPTION_TEXT_MAX - used, ", address 0x%" PRIx64, cr2);
}
