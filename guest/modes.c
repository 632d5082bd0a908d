// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The four modes: real (SDM vol. 3, 21.1), protected without paging (3.2.1),
 * protected with 32-bit paging (4.3), and 64-bit (4.5); APM vol. 2, 1.3 and 5.
 */
#include <stdbool.h>
#include <string.h>

#include <asm/processor-flags.h>

#include "catalogue.h"
#include "memory_map.h"
#include "modes.h"
#include "paging.h"

#define TYPE_CODE	0xb	/* execute, read, accessed */
#define TYPE_DATA	0x3	/* read, write, accessed */

#define REAL_SEGMENT { .limit = 0xffff, .type = TYPE_DATA, .present = 1, .s = 1 }
#define FLAT_CODE(bits32, bits64) { \
	.limit = 0xffffffff, .selector = SELECTOR_CODE, .type = TYPE_CODE, \
	.present = 1, .s = 1, .g = 1, .db = bits32, .l = bits64, \
}
#define FLAT_DATA { \
	.limit = 0xffffffff, .selector = SELECTOR_DATA, .type = TYPE_DATA, \
	.present = 1, .s = 1, .g = 1, .db = 1, \
}

const struct mode_state modes[NR_MODES] = {
	[MODE_REAL] = {
		.name = "real",
		.cr0 = X86_CR0_ET,
		.cs = REAL_SEGMENT, .data = REAL_SEGMENT,
		.word = 2, .code = { code_real, code_real_end },
		.code_at = GUEST_CODE_REAL, .stack = GUEST_CODE_REAL, .part = GUEST_PART_REAL,
	},
	[MODE_PROTECTED] = {
		.name = "protected",
		.cr0 = X86_CR0_PE | X86_CR0_ET,
		.cs = FLAT_CODE(1, 0), .data = FLAT_DATA,
		.word = 4, .code = { code_32, code_32_end },
		.code_at = GUEST_CODE, .stack = GUEST_STACK, .part = GUEST_PART,
	},
	[MODE_PAGED] = {
		.name = "paged",
		.cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_PG,
		.cs = FLAT_CODE(1, 0), .data = FLAT_DATA,
		.word = 4, .code = { code_32, code_32_end },
		.code_at = GUEST_CODE, .stack = GUEST_STACK, .part = GUEST_PART,
	},
	[MODE_LONG] = {
		.name = "long",
		.cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_PG,
		.cr4 = X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT,
		.efer = EFER_LME | EFER_LMA,
		.cs = FLAT_CODE(0, 1), .data = FLAT_DATA,
		.word = 8, .code = { guest_code, guest_code_end },
		.code_at = GUEST_CODE, .stack = GUEST_STACK, .part = GUEST_PART,
	},
};

enum mode mode_find(const char *name)
{
	int i;

	for (i = 0; i < NR_MODES; i++)
		if (!strcmp(modes[i].name, name))
			break;
	return i;
}

static void set_segments(const struct mode_state *mode, struct kvm_sregs *sregs, uint64_t base)
{
	sregs->cs = mode->cs;
	sregs->ss = mode->data;
	if (!(mode->cr0 & X86_CR0_PG)) {
		sregs->cs.base = base;
		sregs->ss.base = base;
	}
	if (!(mode->cr0 & X86_CR0_PE)) {
		sregs->cs.selector = base >> 4;
		sregs->ss.selector = base >> 4;
	}
	sregs->ds = sregs->ss;
	sregs->es = sregs->ss;
	sregs->fs = sregs->ss;
	sregs->gs = sregs->ss;
}

/* SDM vol. 3, 3.4.5: as the segments that are loaded; the limit is all there is. */
static uint64_t descriptor(const struct kvm_segment *segment, uint64_t base)
{
	return 0x000f00000000ffff | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56 |
	       (uint64_t)segment->type << 40 | 1ULL << 44 | 1ULL << 47 |
	       (uint64_t)segment->l << 53 | (uint64_t)segment->db << 54 | 1ULL << 55;
}

static void set_gdt(const struct mode_state *mode, struct kvm_sregs *sregs, uint8_t *part,
		    uint64_t base)
{
	const uint64_t gdt[] = { 0, descriptor(&mode->cs, base), descriptor(&mode->data, base) };

	memcpy(part + GUEST_GDT, gdt, sizeof(gdt));
	sregs->gdt.base = base + GUEST_GDT;
	sregs->gdt.limit = sizeof(gdt) - 1;
}

void mode_set(enum mode mode, struct kvm_sregs *sregs, uint8_t *part, uint64_t base)
{
	const struct mode_state *state = &modes[mode];

	sregs->cr0 = state->cr0;
	sregs->cr4 = state->cr4;
	sregs->efer = state->efer;
	set_segments(state, sregs, base);
	if (state->cr0 & X86_CR0_PG)
		sregs->cr3 = base + GUEST_PML4;
	if (mode == MODE_PAGED)
		paging_map_32(part, base);
	if (mode == MODE_LONG)
		paging_map_64(part, base);
	if (mode != MODE_REAL)
		set_gdt(state, sregs, part, state->cr0 & X86_CR0_PG ? 0 : base);
}
