// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvmstat-report's address spaces: vCPUs added up, and which two top tables are of one
 * process. Guests are played here load by load of CR3, and counted as the module
 * does it. Prints TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/spaces.h"

#define VM		3
#define MAX		256
#define PROCESSES	20
#define PROCESS(i)	(0x100000ULL + (i) * 0x2000ULL)
#define HALF		0x1000

static int tests, failures;

static void ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	failures += !good;
}

static void is(uint64_t got, uint64_t wanted, const char *name)
{
	ok(got == wanted, name);
	if (got != wanted)
		printf("# got %llu, wanted %llu\n", (unsigned long long)got,
		       (unsigned long long)wanted);
}

/* What the module's copy has, of two vCPUs with so many spaces at most. */
static struct {
	struct kvmstat_spaces header;
	struct kvmstat_spaces_vcpu vcpus[2];
	struct kvmstat_space list[2 * MAX];
} buffer;

static struct spaces_copy copy = { .header = &buffer.header, .size = sizeof(buffer) };
static uint64_t last[2], now;

static void start(uint32_t flags)
{
	memset(&buffer, 0, sizeof(buffer));
	memset(last, 0, sizeof(last));
	now = 1000;
	buffer.header.header_size = sizeof(buffer.header);
	buffer.header.vcpu_size = sizeof(buffer.vcpus[0]);
	buffer.header.space_size = sizeof(buffer.list[0]);
	buffer.header.nr_vcpus = 2;
	buffer.header.nr_spaces = 2 * MAX;
	buffer.vcpus[0] = (struct kvmstat_spaces_vcpu){ .vm = VM, .flags = flags };
	buffer.vcpus[1] = (struct kvmstat_spaces_vcpu){ .vm = VM, .id = 1, .first_space = MAX };
}

static struct kvmstat_space *find(struct kvmstat_spaces_vcpu *vcpu, uint64_t cr3)
{
	struct kvmstat_space *space = &buffer.list[vcpu->first_space];
	uint32_t i;

	for (i = 0; i < vcpu->nr_spaces; i++, space++)
		if (space->cr3 == cr3)
			return space;
	vcpu->nr_spaces++;
	*space = (struct kvmstat_space){ .cr3 = cr3, .first_tsc = now };
	return space;
}

static void enter(int cpu, uint64_t cr3, uint32_t flags)
{
	struct kvmstat_space *space = find(&buffer.vcpus[cpu], cr3);

	space->entries++;
	space->switches += last[cpu] && last[cpu] != cr3;
	space->switches_from_partner += last[cpu] == (cr3 ^ HALF);
	space->last_tsc = now++;
	space->flags |= flags;
	last[cpu] = cr3;
}

/* A process runs, and its kernel: so often in and out. */
static void isolated(int cpu, uint64_t process, int calls, uint32_t low, uint32_t high)
{
	enter(cpu, process, low);
	while (calls--) {
		enter(cpu, process + HALF, high);
		enter(cpu, process, low);
	}
}

static struct vm_spaces seen(enum pairs pairs)
{
	struct vm_spaces spaces;

	spaces_of_vm(&spaces, &copy, VM);
	spaces_fold(&spaces, pairs);
	spaces_sort(&spaces);
	return spaces;
}

static void vcpus(void)
{
	struct vm_spaces s;

	start(0);
	enter(0, 0x5000, 0);
	enter(0, 0x9000, 0);
	enter(1, 0x9000, 0);
	enter(1, 0x9000, 0);
	enter(1, 0x7000, 0);
	enter(1, 0x9000, 0);
	buffer.vcpus[1].unread = 4;
	s = seen(PAIRS_KEEP);
	is(s.nr, 3, "two vCPUs: each space once");
	ok(s.nr == 3 && s.list[0].cr3 == 0x9000 && s.list[1].cr3 == 0x7000 &&
	   s.list[2].cr3 == 0x5000, "the most switches first");
	ok(s.list[0].switches == 2 && s.list[0].entries == 4, "its counts are their sums");
	ok(s.list[0].first == 1001 && s.list[0].last == 1005, "first and last are of both");
	is(s.first, 1000, "the first of all");
	is(s.unread, 4, "what could not be read");
	ok(spaces_total(&s).switches == 3 && spaces_total(&s).entries == 6, "the total");
	spaces_free(&s);
	spaces_of_vm(&s, &copy, VM + 1);
	is(s.nr_vcpus, 0, "another VM has none of them");
	spaces_free(&s);
}

static void others(void)
{
	struct vm_spaces s;

	start(0);
	enter(0, 0x5000, 0);
	buffer.list[1] = (struct kvmstat_space){
		.entries = 7, .switches = 5, .first_tsc = 900, .flags = KVMSTAT_SPACE_OTHERS,
	};
	buffer.vcpus[0].nr_spaces = 2;
	s = seen(PAIRS_AUTO);
	ok(s.nr == 1 && s.others.entries == 7 && s.others.switches == 5, "others are no space");
	ok(spaces_total(&s).switches == 5 && spaces_total(&s).entries == 8, "but in the total");
	is(s.first, 900, "and in time");
	spaces_free(&s);
}

static void play_isolated(uint32_t low, uint32_t high)
{
	int i;

	for (i = 0; i < PROCESSES; i++)
		isolated(0, PROCESS(i), 5, low, high);
	/* Counting begins in the middle of one, and ends in another. */
	enter(1, PROCESS(1) + HALF, high);
	isolated(1, PROCESS(1), 3, low, high);
	isolated(1, PROCESS(2), 0, low, high);
	enter(1, PROCESS(2) + HALF, high);
}

static void isolation(void)
{
	struct vm_spaces s;

	start(0);
	play_isolated(0, 0);
	s = seen(PAIRS_AUTO);
	ok(s.folded, "auto: page table isolation is seen");
	is(s.nr, PROCESSES, "a pair is one process");
	is(spaces_total(&s).switches, PROCESSES - 1 + 1, "from one half to the other is no switch");
	is(spaces_total(&s).entries, PROCESSES * 11 + 1 + 7 + 2, "no entry is lost");
	spaces_free(&s);
	s = seen(PAIRS_KEEP);
	ok(!s.folded && s.nr == 2 * PROCESSES, "keep: they are two");
	spaces_free(&s);

	enter(0, 0xf001000, 0);		/* what a boot loader had */
	enter(0, PROCESS(0), 0);
	s = seen(PAIRS_AUTO);
	ok(s.folded && s.nr == PROCESSES + 1, "auto: one stray is left as it is");
	spaces_free(&s);
	s = seen(PAIRS_FOLD);
	ok(s.folded && s.nr == PROCESSES + 1 && s.list[s.nr - 1].cr3 % 0x2000 == 0,
	   "fold: what has no partner goes by its kernel's half");
	spaces_free(&s);
}

/* Pages in a row, each a process of its own. */
static void no_isolation(uint32_t flags)
{
	struct vm_spaces s;
	int i, round;

	start(flags);
	for (round = 0; round < 3; round++)
		for (i = 0; i < PROCESSES; i++)
			enter(0, 0x100000 + i * HALF, 0);
	s = seen(PAIRS_AUTO);
	ok(!s.folded && s.nr == PROCESSES, flags ? "auto, a sample: pages in a row are no pairs" :
	   "auto: pages in a row are no pairs");
	is(spaces_total(&s).switches, 3 * PROCESSES - 1, "and all are switches");
	spaces_free(&s);
	s = seen(PAIRS_FOLD);
	ok(s.folded && s.nr == PROCESSES / 2, "unless one is told so");
	spaces_free(&s);
}

/* Parent and child by chance in a pair, and what else there is. */
static void chance(void)
{
	struct vm_spaces s;

	start(0);
	isolated(0, PROCESS(0), 5, 0, 0);
	s = seen(PAIRS_AUTO);
	ok(!s.folded && s.nr == 2, "auto: one pair may be chance");
	spaces_free(&s);
	isolated(0, PROCESS(1), 5, 0, 0);
	s = seen(PAIRS_AUTO);
	ok(s.folded && s.nr == 2, "two are not");
	spaces_free(&s);
	enter(0, PROCESS(7) + HALF, 0);
	enter(0, PROCESS(9), 0);
	enter(0, PROCESS(8) + HALF, 0);
	s = seen(PAIRS_AUTO);
	ok(!s.folded && s.nr == 7, "unless others are seen that are none");
	spaces_free(&s);
}

/* Two that belong together, but are no halves: from, and to, another one. */
static void neighbours(void)
{
	struct vm_spaces s;
	int i, round;

	start(0);
	for (i = 0; i < PROCESSES; i++) {
		enter(0, PROCESS(i) + HALF, 0);
		isolated(0, PROCESS(i), 1, 0, 0);
	}
	s = seen(PAIRS_AUTO);
	ok(!s.folded, "auto: a user's half is entered from its kernel's alone");
	spaces_free(&s);
	start(0);
	for (round = 0; round < 4; round++)
		for (i = 0; i < PROCESSES; i++) {
			isolated(0, PROCESS(i), 3, 0, 0);
			enter(0, PROCESS(i) + HALF, 0);
		}
	s = seen(PAIRS_AUTO);
	ok(!s.folded, "and is left to it alone");
	spaces_free(&s);
}

static void pcids(void)
{
	const uint32_t low = KVMSTAT_SPACE_PCID_LOW, high = KVMSTAT_SPACE_PCID_HIGH;
	struct vm_spaces s;
	int i;

	start(0);
	play_isolated(low, high);
	s = seen(PAIRS_AUTO);
	ok(s.folded && s.nr == PROCESSES, "PCIDs as they should be");
	spaces_free(&s);
	start(0);
	play_isolated(low, low);
	s = seen(PAIRS_AUTO);
	ok(!s.folded, "a user's half without bit 11 is none");
	spaces_free(&s);
	start(0);
	play_isolated(high, high);
	s = seen(PAIRS_AUTO);
	ok(!s.folded, "nor is one whose kernel's has it");
	spaces_free(&s);

	start(KVMSTAT_SPACES_NESTED);
	for (i = 0; i < PROCESSES; i++)
		enter(0, PROCESS(i) + (i & 1 ? HALF : 0), i & 1 ? high : low);
	s = seen(PAIRS_AUTO);
	ok(s.sampled && s.folded && s.nr == PROCESSES,
	   "a sample: PCIDs tell the user's half even alone");
	is(s.list[0].cr3 % 0x2000, 0, "which goes by its kernel's");
	spaces_free(&s);
	for (i = 0; i < (int)buffer.vcpus[0].nr_spaces; i++)
		buffer.list[i].flags = 0;
	s = seen(PAIRS_AUTO);
	ok(!s.folded, "without them it takes its partner");
	spaces_free(&s);
}

int main(void)
{
	vcpus();
	others();
	isolation();
	no_isolation(0);
	no_isolation(KVMSTAT_SPACES_NESTED);
	chance();
	neighbours();
	pcids();
	printf("1..%d\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
