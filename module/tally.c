// SPDX-License-Identifier: GPL-2.0-only
/* The cold side of the tally: new reasons, and exits that fired no event. */
#ifdef __KERNEL__
#include <linux/string.h>
#include <asm/barrier.h>
#endif

#include "tally.h"

void tally_init(struct tally *t)
{
	memset(t, 0, sizeof(*t));
	t->nr_cells = 1;
	t->cells[0].code = TALLY_NO_CODE;
}

/* First exit with this code, or its place in the index went to another one. */
struct tally_cell *tally_find_slow(struct tally *t, u64 code)
{
	u32 i;

	for (i = 1; i < t->nr_cells; i++)
		if (t->cells[i].code == code)
			goto found;
	if (i == TALLY_CELLS)
		return &t->cells[0];
	t->cells[i].code = code;
	/* A reader that sees the number also sees the code. */
	smp_store_release(&t->nr_cells, i + 1);
found:
	if (code < TALLY_NO_REASON)
		t->index[tally_hash(code)] = i;
	return &t->cells[i];
}

/*
 * Two entries and no kvm_exit between them. What happened in between cannot
 * be told apart any more; it is guest time but for the fastpath that re-entered.
 */
void tally_untraced(struct tally *t, u64 code, u64 now)
{
	t->untraced++;
	tally_find_slow(t, code)->exits++;
	t->guest_cycles += tally_elapsed(t->entered, now);
	t->entered = now;
}
