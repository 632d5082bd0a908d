// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's tally against a slow and plain model of it: random lives of
 * vCPUs. Prints TAP. tally_fuzz [LIVES [SEED]]
 *
 * The first kind of life is one that KVM could lead: in the guest, out for a
 * reason, switched out and in anywhere, to userspace and back, on other CPUs,
 * with events that come late or not at all. The model knows what it makes up:
 * it writes every piece of time into a list as it comes, and adds up at the end.
 *
 * The second kind is any event at any time. Nothing but what always holds can
 * be asked of it then: each exit is counted once, and no time is lost or made.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../module/tally.h"

#define EVENTS 400
#define CODES 70	/* more than there are cells */

static unsigned int tests, failures;

struct tally_cell *tally_cell_alloc(void)
{
	return calloc(1, sizeof(struct tally_cell));
}

static void verdict(unsigned int wrong, const char *name)
{
	printf("%sok %u - %s\n", wrong ? "not " : "", ++tests, name);
	failures += wrong > 0;
	if (wrong)
		printf("# %u times\n", wrong);
}

static u64 below(u64 n)
{
	return (u64)rand() % n;
}

/* One exit as it was; 'ended': an entry followed. */
struct model_exit {
	u64 key;
	u64 kernel, user, off;
	bool ended;
};

struct model {
	struct model_exit exits[EVENTS];
	size_t nr;
	u64 guest;
	u64 untraced;
};

struct life {
	struct tally t;
	struct model m;
	u64 now;
	unsigned int nr_codes;	/* it exits for so many */
};

static struct model_exit *last(struct life *l)
{
	return &l->m.exits[l->m.nr - 1];
}

/* Mostly short, sometimes long, now and then longer than the histogram. */
static u64 pass(struct life *l)
{
	u64 cycles = 1 + below(below(4) ? 3000 : 3000000);

	if (!below(2000))
		cycles = TALLY_HUGE + below(1 << 20);
	l->now += cycles;
	return cycles;
}

static u64 random_key(const struct life *l)
{
	u64 key = below(l->nr_codes) * 3;

	if (!below(4))
		key |= (1 + below(3)) << TALLY_DETAIL_SHIFT;
	if (!below(6))
		key |= TALLY_L2;
	return key;
}

static void tell_exit(struct life *l, u64 key)
{
	if (tally_exit(&l->t, key, tally_slot(key), l->now))
		return;
	tally_exit_slow(&l->t, tally_cell(&l->t, key), l->now);
}

static bool tell_entry(struct life *l)
{
	return tally_entry(&l->t, l->now) || tally_entry_slow(&l->t, l->now);
}

/* Off the CPU for a while; how long. */
static u64 switched(struct life *l)
{
	u64 off;

	tally_out(&l->t, l->now);
	off = pass(l);
	tally_in(&l->t, l->now);
	return off;
}

static void in_guest(struct life *l)
{
	l->m.guest += pass(l);
}

/* The event comes at once, or after interrupts and the scheduler had their turn. */
static void leave_guest(struct life *l, bool may_be_late)
{
	struct model_exit e = { .key = random_key(l) };

	while (may_be_late && !below(5)) {
		e.off += switched(l);
		e.kernel += pass(l);
	}
	tell_exit(l, e.key);
	l->m.exits[l->m.nr++] = e;
}

static void to_userspace(struct life *l)
{
	if (below(2)) {
		u64 way;

		tally_leave(&l->t, l->now);
		way = pass(l);
		if (below(3)) {
			last(l)->kernel += way;
		} else {	/* switched out on the way: all of it is user time */
			last(l)->user += way + switched(l);
			last(l)->user += pass(l);
		}
		tally_left(&l->t, l->now);
	} else {	/* kvm_userspace_exit, or the switch before it, was not seen */
		tally_leave(&l->t, l->now);
	}
	last(l)->user += pass(l);
	if (below(8))	/* else noticed at the entry */
		tally_back(&l->t, l->now);
	else
		return;
	last(l)->kernel += pass(l);
}

static void in_kernel(struct life *l)
{
	last(l)->kernel += pass(l);
	while (!below(3)) {
		last(l)->off += switched(l);
		last(l)->kernel += pass(l);
	}
	if (!below(3))
		to_userspace(l);
}

static void enter(struct life *l)
{
	tell_entry(l);
	last(l)->ended = true;
}

/*
 * KVM goes back at once and tells nobody: all until the next exit is guest time.
 * Where it does so, events are never late.
 */
static void back_at_once(struct life *l)
{
	in_guest(l);
	leave_guest(l, false);
}

/* In the guest, out, and in again without an event. */
static void skip_exit(struct life *l)
{
	struct model_exit e = { .key = random_key(l) };

	l->m.guest += pass(l);
	if (!below(3)) {
		e.off = switched(l);
		e.kernel = pass(l);
	}
	if (!tell_entry(l)) {
		tally_skipped_at_entry(&l->t, e.key, l->now);
		l->m.untraced++;
		l->m.exits[l->m.nr++] = e;
	}
}

static void begin(struct life *l)
{
	memset(l, 0, sizeof(*l));
	l->now = 1 + below(1ULL << 40);
	l->nr_codes = 1 + below(below(3) ? 8 : CODES);
	tally_init(&l->t);
}

/* The first event is an entry; the end comes anywhere. */
static void live(struct life *l)
{
	begin(l);
	tell_entry(l);
	while (l->m.nr < EVENTS - 3) {
		in_guest(l);
		if (!below(12))
			skip_exit(l);
		if (below(6)) {
			leave_guest(l, true);
		} else {
			leave_guest(l, false);
			back_at_once(l);
		}
		if (!below(40))
			break;
		in_kernel(l);
		enter(l);
	}
}

/* What the model says of one key. */
static struct tally_cell expected(const struct model *m, u64 key)
{
	struct tally_cell cell = { .key = key, .min = UINT64_MAX };
	size_t i;

	for (i = 0; i < m->nr; i++) {
		const struct model_exit *e = &m->exits[i];

		if (e->key != key)
			continue;
		cell.exits++;
		cell.user_cycles += e->user;
		cell.offcpu_cycles += e->off;
		/* Of an untraced one the kernel time is known, but not to be its all. */
		if (e->ended || e->kernel)
			cell.kernel_cycles += e->kernel;
		if (!e->ended)
			continue;
		cell.squares += (__uint128_t)e->kernel * e->kernel;
		cell.min = e->kernel < cell.min ? e->kernel : cell.min;
		if (e->kernel >= TALLY_HUGE) {
			cell.huge = e->kernel > cell.huge ? e->kernel : cell.huge;
			cell.histogram[TALLY_BUCKETS - 1]++;
			continue;
		}
		cell.max = e->kernel > cell.max ? e->kernel : cell.max;
		cell.histogram[tally_bucket(e->kernel)]++;
	}
	return cell;
}

static bool same(const struct tally_cell *a, const struct tally_cell *b)
{
	return a->key == b->key && a->exits == b->exits && a->kernel_cycles == b->kernel_cycles &&
	       a->user_cycles == b->user_cycles && a->offcpu_cycles == b->offcpu_cycles &&
	       a->min == b->min && a->max == b->max && a->huge == b->huge &&
	       a->squares == b->squares &&
	       !memcmp(a->histogram, b->histogram, sizeof(a->histogram));
}

/* The last exit of a life may be open: its kernel time is nobody's yet. */
static void close_model(struct life *l)
{
	struct model_exit *e = last(l);

	if (!e->ended && l->t.state != TALLY_GUEST)
		e->kernel = 0;
}

static u64 wall_of(const struct tally *t)
{
	return tally_read(t, 0).wall;
}

static u64 sum_of_cells(const struct tally *t)
{
	u64 sum = t->other.kernel_cycles + t->other.user_cycles + t->other.offcpu_cycles;
	u32 i;

	for (i = 0; i < t->nr_cells; i++)
		sum += t->cells[i]->kernel_cycles + t->cells[i]->user_cycles +
		       t->cells[i]->offcpu_cycles;
	return sum;
}

static void free_cells(struct tally *t)
{
	u32 i;

	for (i = 0; i < t->nr_cells; i++)
		free(t->cells[i]);
}

static void lives_as_kvm_leads_them(unsigned int lives)
{
	unsigned int i, cells = 0, exits = 0, guest = 0, closure = 0, untraced = 0;
	static struct life l;
	u32 j;

	for (i = 0; i < lives; i++) {
		bool full;

		live(&l);
		close_model(&l);
		full = l.t.nr_cells == TALLY_CELLS;
		for (j = 0; j < l.t.nr_cells; j++) {
			struct tally_cell wanted = expected(&l.m, l.t.cells[j]->key);

			/* With more codes than cells some of its exits are in 'other'. */
			if (!full && !same(l.t.cells[j], &wanted))
				cells++;
		}
		cells += !full && l.t.other.exits;
		exits += tally_exits(&l.t) != l.m.nr;
		guest += l.t.guest_cycles != l.m.guest;
		untraced += l.t.untraced != l.m.untraced;
		closure += wall_of(&l.t) != l.t.guest_cycles + sum_of_cells(&l.t);
		free_cells(&l.t);
	}
	verdict(cells, "every cell is as the model says, its histogram, extremes and squares, too");
	verdict(exits, "each exit is counted once");
	verdict(guest, "guest time is as the model says");
	verdict(untraced, "so are the untraced exits");
	verdict(closure, "guest, kernel, user and off-CPU time add up to the wall clock, to the cycle");
}

static void any_event(struct life *l, u64 *exits)
{
	switch (below(10)) {
	case 0:
	case 1:
		tell_exit(l, random_key(l));
		++*exits;
		break;
	case 2:
	case 3:
		if (!tell_entry(l)) {
			tally_skipped_at_entry(&l->t, random_key(l), l->now);
			++*exits;
		}
		break;
	case 4:
		tally_leave(&l->t, l->now);
		break;
	case 5:
		*exits += tally_exit_due(&l->t);
		tally_skipped(&l->t, TALLY_NO_REASON, l->now);
		tally_left(&l->t, l->now);
		break;
	case 6:
		tally_back(&l->t, l->now);
		break;
	case 7:
		tally_out(&l->t, l->now);
		break;
	case 8:
		tally_in(&l->t, l->now);
		break;
	case 9:
		if (below(10))
			break;
		tally_restart(&l->t);
		*exits = 0;
		break;
	}
}

/* What is read at any time: never less than before, and all of it adds up. */
static bool reads_well(const struct life *l, u64 *before)
{
	struct tally_reading r = tally_read(&l->t, l->now);
	u64 open = r.user_cycles - r.open->user_cycles + r.offcpu_cycles - r.open->offcpu_cycles;
	bool well = r.wall >= *before && r.wall == l->t.guest_cycles + sum_of_cells(&l->t) + open;

	*before = r.wall;
	return well;
}

static void any_events_at_all(unsigned int lives)
{
	unsigned int i, j, wrong = 0, closure = 0, ahead = 0, badly = 0;
	static struct life l;

	for (i = 0; i < lives; i++) {
		u64 exits = 0, read = 0;

		begin(&l);
		for (j = 0; j < EVENTS; j++) {
			pass(&l);
			badly += !reads_well(&l, &read);
			any_event(&l, &exits);
			read = l.t.state == TALLY_UNKNOWN ? 0 : read;
			badly += !reads_well(&l, &read);
			wrong += tally_exits(&l.t) != exits;
			closure += wall_of(&l.t) != l.t.guest_cycles + sum_of_cells(&l.t);
			ahead += l.t.mark > l.now;
		}
		free_cells(&l.t);
	}
	verdict(wrong, "whatever comes, each exit is counted once");
	verdict(closure, "and no time is lost or made");
	verdict(ahead, "nor taken from the future");
	verdict(badly, "a reader finds all time up to now where the vCPU is away, and never less than before");
}

/* The TSCs of two CPUs differ a little: no sum may run away. */
static void clocks_that_disagree(unsigned int lives)
{
	static struct life l;
	unsigned int i, j, wrong = 0;

	for (i = 0; i < lives; i++) {
		u64 began, wall;

		begin(&l);
		began = l.now;
		for (j = 0; j < EVENTS; j++) {
			l.now += 200;
			tell_entry(&l);
			l.now += 100;
			if (below(2))
				tally_out(&l.t, l.now);
			if (l.t.state != TALLY_GUEST) {
				l.now += below(2) ? 60 : -60;	/* now on another CPU */
				tally_in(&l.t, l.now);
			}
			l.now += 100;
			tell_exit(&l, 0x72);
			l.now += 100;
			tally_out(&l.t, l.now);
			l.now += below(2) ? 60 : -60;
			tally_in(&l.t, l.now);
		}
		wall = l.t.guest_cycles + sum_of_cells(&l.t);
		/* At most 60 too many each time that the clock went back. */
		wrong += wall > l.now - began + 2 * 60 * EVENTS || tally_exits(&l.t) != EVENTS;
		free_cells(&l.t);
	}
	verdict(wrong, "clocks that disagree spoil at most what they disagree by");
}

int main(int argc, char **argv)
{
	unsigned int lives = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;

	srand(argc > 2 ? strtoul(argv[2], NULL, 10) : 1);
	lives_as_kvm_leads_them(lives);
	any_events_at_all(lives);
	clocks_that_disagree(lives);
	printf("1..%u\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
