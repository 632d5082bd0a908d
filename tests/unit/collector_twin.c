// SPDX-License-Identifier: GPL-2.0-only
/*
 * See collector_twin.h. What the collector's programs make of an event before it is a
 * tally's (whose it is, what the reason was) is modelled here.
 */
#include <stdio.h>
#include <stdlib.h>

#include "collector_twin.h"

#define SVM_MSR 0x7c
#define SVM_NPF 0x400
#define SVM_VMRUN 0x80
#define VMX_EXCEPTION 0
#define VMX_CR 28
#define VMX_EPT 48
#define VMX_VMLAUNCH 20		/* VMRESUME is 24 */

static unsigned int tests, failures;
u64 now;
bool steady;
u32 cells_left;

struct tally_cell *tally_cell_alloc(void)
{
	if (!cells_left)
		return NULL;
	cells_left--;
	return calloc(1, sizeof(struct tally_cell));
}

void verdict(unsigned int wrong, const char *name)
{
	printf("%sok %u - %s\n", wrong ? "not " : "", ++tests, name);
	failures += wrong > 0;
	if (wrong)
		printf("# %u times\n", wrong);
}

int done_testing(void)
{
	printf("1..%u\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

u64 below(u64 n)
{
	return ((u64)rand() << 31 ^ rand()) % n;
}

/* Mostly short; now and then beyond 32 bits, or longer than the histogram. */
static u64 some_time(void)
{
	switch (below(1000)) {
	case 0:
		return TALLY_HUGE + below(1 << 20);
	case 1:
		return below(1ULL << 44);
	case 2:
	case 3:
		return (1ULL << 32) + below(1ULL << 34);
	default:
		return 1 + below(below(4) ? 3000 : 3000000);
	}
}

void twin_begin(struct twin *w, u64 vm, u32 id, u32 isa)
{
	memset(w, 0, sizeof(*w));
	tally_init(&w->t);
	w->f = fake_vcpu(vm, id);
	w->vm = vm;
	w->id = id;
	w->reason.isa = isa;
	w->nr_codes = 1 + below(below(3) ? 8 : 60);
	w->may_nest = !below(3);
	w->kvm_exits = below(1000);
	fake_counter(w->f, w->kvm_exits);
}

void twin_end(struct twin *w)
{
	u32 i;

	for (i = 0; i < w->t.nr_cells; i++)
		free(w->t.cells[i]);
	fake_free(w->f);
}

static bool vmx_detailed(const struct fake_reason *r)
{
	return r->isa == KVMSTAT_ISA_VMX &&
	       (r->code == VMX_EXCEPTION || r->code == VMX_CR || r->code == VMX_EPT);
}

static u32 detail_of(const struct twin *w)
{
	const struct fake_reason *r = &w->reason;

	if (r->isa == KVMSTAT_ISA_SVM) {
		if (r->code == SVM_MSR)
			return r->info & 1 ? KVMSTAT_DETAIL_WRITE : KVMSTAT_DETAIL_READ;
		if (r->code != SVM_NPF)
			return 0;
		if (r->info & 8)
			return KVMSTAT_DETAIL_MMIO;
		return r->info & 1 ? KVMSTAT_DETAIL_PROTECT : KVMSTAT_DETAIL_TOUCH;
	}
	if (!vmx_detailed(r) || (!w->read && !r->l2))
		return 0;
	if (r->code == VMX_EXCEPTION)
		return KVMSTAT_DETAIL_VECTOR + r->intr_info % 256;
	if (r->code == VMX_CR)
		return KVMSTAT_DETAIL_CR + r->info % 64;
	return r->info & 0x38 ? KVMSTAT_DETAIL_PROTECT : KVMSTAT_DETAIL_TOUCH;
}

static u64 key_of(const struct twin *w)
{
	return w->reason.code | (u64)detail_of(w) << TALLY_DETAIL_SHIFT |
	       (w->reason.l2 ? TALLY_L2 : 0);
}

/* An exit as far as KVM has got when it tells of it. */
static void kvm_exits(struct twin *w)
{
	static const u32 special[2][4] = {
		{ SVM_MSR, SVM_NPF, 0xffffffff, 0x72 },
		{ VMX_EXCEPTION, VMX_CR, VMX_EPT, 0x80000021 },
	};
	struct fake_reason *r = &w->reason;

	r->code = below(3) ? below(w->nr_codes) * 3 : special[r->isa == KVMSTAT_ISA_VMX][below(4)];
	r->info = below(8) | below(8) << 3 | below(1 << 20) << 32;
	r->intr_info = 0x80000b00 + below(4);
	r->l2 = w->nested && !below(3);
	if (w->may_nest && !r->l2 && !below(20))
		r->code = r->isa == KVMSTAT_ISA_SVM ? SVM_VMRUN : VMX_VMLAUNCH + below(2) * 4;
	w->read = below(8);
	w->kvm_exits++;
	fake_exit(w->f, r);
	fake_counter(w->f, w->kvm_exits);
}

static void kvm_handles(struct twin *w)
{
	if (w->read)
		fake_kvm_reads(w->f);
}

/* What the collector has learnt where it looked closely. */
static void learn(struct twin *w)
{
	const struct fake_reason *r = &w->reason;

	if (r->l2 || (r->isa == KVMSTAT_ISA_SVM ? r->code == SVM_VMRUN :
		      r->code == VMX_VMLAUNCH || r->code == VMX_VMLAUNCH + 4))
		w->nested = true;
	w->reason_known = !w->nested;
}

static bool detailed(const struct fake_reason *r)
{
	return vmx_detailed(r) ||
	       (r->isa == KVMSTAT_ISA_SVM && (r->code == SVM_MSR || r->code == SVM_NPF));
}

/* The two take their fast paths at the same events, so that a clock that goes back does the same. */
static void tell_exit(struct twin *w)
{
	bool fast = (w->in_run || collector_at_home(w->f)) && w->reason_known &&
		    !detailed(&w->reason);
	u64 key = key_of(w);

	event_exit(w->f, w->reason.isa);
	if (!fast || !tally_exit(&w->t, key, tally_slot(key), now)) {
		tally_exit_slow(&w->t, tally_cell(&w->t, key), now);
		w->in_run = true;
		w->isa_known = true;
		learn(w);
	}
	w->pending = vmx_detailed(&w->reason);
	kvm_handles(w);
}

void tell_entry(struct twin *w)
{
	bool fast = (w->in_run || collector_at_home(w->f)) && !w->pending;

	event_entry(w->f);
	w->pending = false;
	/* A clock that goes back is no time to the collector, whichever way it takes. */
	if (fast && w->t.state == TALLY_KERNEL && now < w->t.mark) {
		tally_entry_slow(&w->t, now);
		return;
	}
	if (fast && tally_entry(&w->t, now))
		return;
	w->in_run = true;
	if (tally_entry_slow(&w->t, now))
		return;
	tally_skipped_at_entry(&w->t, w->isa_known ? key_of(w) : TALLY_NO_REASON, now);
	if (w->isa_known)
		learn(w);
}

static void compare(struct twin *w)
{
	u64 uncounted = w->kvm_exits - tally_exits(&w->t);
	int64_t unseen = uncounted - w->uncounted;

	if (w->compared && unseen > 0)
		tally_unseen(&w->t, unseen);
	else
		w->uncounted = uncounted;
	w->compared = true;
}

static void tell_leave(struct twin *w)
{
	bool failed = !below(3);
	u32 code = below(2) ? 0x80000021 : 0xffffffff;

	fake_run_ends(w->f, failed, code);
	event_fpu(w->f, 0);
	if (!w->in_run)
		return;
	w->pending = false;
	if (tally_exit_due(&w->t))
		tally_skipped(&w->t, failed ? code : TALLY_NO_REASON, now);
	tally_leave(&w->t, now);
}

static void tell_back(struct twin *w)
{
	event_fpu(w->f, 1);
	w->in_run = true;
	if (!w->compared)
		compare(w);
	tally_back(&w->t, now);
}

static void tell_left(struct twin *w)
{
	event_userspace_exit(w->f);
	if (!w->in_run)
		return;
	w->in_run = false;
	w->pending = false;
	tally_left(&w->t, now);
	compare(w);
}

void tell_out(struct twin *w)
{
	event_out(w->f);
	w->off = true;
	if (!w->in_run)
		return;
	w->in_run = false;
	tally_out(&w->t, now);
}

static void tell_in(struct twin *w)
{
	event_in(w->f);
	w->off = false;
	w->in_run |= tally_in(&w->t, now);
}

void tell_gone(struct twin *w)
{
	w->pending = false;
	compare(w);
	tally_back(&w->t, now);
}

bool known(const struct twin *w)
{
	return collector_find(w->f);
}

static bool away(const struct tally *t)
{
	return t->state == TALLY_USER || t->state == TALLY_OFF || t->state == TALLY_LATE_OFF;
}

/* The TSCs of two CPUs differ a little. */
void pass(const struct twin *w)
{
	if (!steady && !below(20) && (w->wild || away(&w->t)))
		now -= below(100);
	else
		now += some_time();
	fake_time(now);
}

void any_event(struct twin *w)
{
	pass(w);
	if (w->off && below(5)) {
		tell_in(w);
		return;
	}
	w->off = false;
	switch (below(12)) {
	case 0 ... 2:
		if (w->pending)	/* these KVM does not answer by going back at once */
			tell_entry(w);
		kvm_exits(w);
		tell_exit(w);
		break;
	case 3 ... 5:
		tell_entry(w);
		break;
	case 6:
		tell_leave(w);
		break;
	case 7:
		/*
		 * As KVM does it; else the collector does not know any more whose events
		 * these are until an exit or entry is none of the fast ones.
		 */
		if (steady)
			tell_leave(w);
		tell_left(w);
		break;
	case 8:
		tell_back(w);
		break;
	case 9:
		tell_out(w);
		break;
	case 10:	/* fires no event */
		if (!tally_exit_due(&w->t))
			break;
		kvm_exits(w);
		kvm_handles(w);
		break;
	case 11:
		w->kvm_exits += below(3);
		fake_counter(w->f, w->kvm_exits);
		break;
	}
}

static u32 state_of(const struct twin *w)
{
	static const u32 states[] = {
		[TALLY_UNKNOWN] = VCPU_UNKNOWN,
		[TALLY_GUEST] = VCPU_GUEST,
		[TALLY_KERNEL] = VCPU_KERNEL,
		[TALLY_LEAVING] = VCPU_LEAVING,
		[TALLY_USER] = VCPU_USER,
		[TALLY_OFF] = VCPU_OFF,
		[TALLY_LATE_OFF] = VCPU_LATE_OFF,
		[TALLY_LATE] = VCPU_LATE,
	};

	if (w->t.state == TALLY_GUEST && !w->reason_known)
		return VCPU_GUEST_SLOW;
	if (w->pending)
		return w->t.state == TALLY_OFF ? VCPU_PENDING_OFF : VCPU_KERNEL_PENDING;
	return states[w->t.state];
}

bool same_state(const struct twin *w)
{
	const struct vcpu *v = collector_vcpu(collector_find(w->f));

	if (!v->vcpu)
		return tally_exits(&w->t) == 0;
	return v->state == state_of(w) && v->mark == w->t.mark && v->first == w->t.first &&
	       v->guest_ns == w->t.guest_cycles && v->untraced == w->t.untraced &&
	       collector_exits(collector_find(w->f)) == tally_exits(&w->t) && v->away == w->t.away &&
	       (w->pending || v->late_off == w->t.late_off) && !(v->changes & 1);
}

bool same_cell(const struct cell *c, const struct tally_cell *m)
{
	return c->key == m->key && c->exits == m->exits && c->kernel_ns == m->kernel_cycles &&
	       c->user_ns == m->user_cycles && c->offcpu_ns == m->offcpu_cycles &&
	       c->min == m->min && c->max == (m->huge ?: m->max) &&
	       ((__uint128_t)c->squares_high << 64 | c->squares_low) == m->squares &&
	       !memcmp(c->histogram, m->histogram, sizeof(m->histogram));
}

bool same_cells(const struct twin *w)
{
	const struct vcpu *v = collector_vcpu(collector_find(w->f));
	u32 i;

	if (v->nr_cells != w->t.nr_cells || !same_cell(collector_cell(v->other), &w->t.other))
		return false;
	for (i = 0; i < v->nr_cells; i++)
		if (!same_cell(collector_cell(v->cells[i]), w->t.cells[i]))
			return false;
	return collector_cell(v->open)->key == w->t.open->key;
}

static u64 abi_code(u64 key)
{
	if (key & TALLY_OTHER)
		return KVMSTAT_CODE_OTHER;
	if (key & TALLY_NO_REASON)
		return KVMSTAT_CODE_UNTRACED;
	return TALLY_CODE(key) == 0xffffffff ? ~0ULL : TALLY_CODE(key);
}

bool near(__uint128_t a, __uint128_t b)
{
	return (a > b ? a - b : b - a) <= b >> 61;
}

static bool read_histogram(const struct snapshot *s, const struct kvmstat_cell *c,
			   const struct tally_cell *m)
{
	u64 buckets[TALLY_BUCKETS] = { 0 };
	bool any = m->huge || m->min <= m->max;
	u32 i;

	for (i = 0; i < c->nr_buckets; i++)
		buckets[c->histogram_first + i] = *snapshot_bucket(s, c->first_bucket + i);
	return !memcmp(buckets, m->histogram, sizeof(buckets)) && c->min == (any ? m->min : 0) &&
	       c->max == (m->huge ?: m->max);
}

static bool read_cell(const struct snapshot *s, u32 index, const struct tally_cell *m,
		      const struct tally_reading *r)
{
	const struct kvmstat_cell *c = snapshot_cell(s, index);
	bool open = m == r->open;

	return c->code == abi_code(m->key) && c->detail == TALLY_DETAIL(m->key) &&
	       !(c->flags & KVMSTAT_CELL_L2) == !(m->key & TALLY_L2) &&
	       c->exits == m->exits && c->kernel_cycles == m->kernel_cycles &&
	       c->user_cycles == (open ? r->user_cycles : m->user_cycles) &&
	       c->offcpu_cycles == (open ? r->offcpu_cycles : m->offcpu_cycles) &&
	       near((__uint128_t)c->squares_high << 64 | c->squares_low, m->squares) &&
	       read_histogram(s, c, m);
}

bool read_vcpu(const struct snapshot *s, u32 index, const struct tally *t, u64 time)
{
	const struct kvmstat_vcpu *v = snapshot_vcpu(s, index);
	struct tally_reading r = tally_read(t, time);
	u32 i, cell = v->first_cell;

	if (v->guest_cycles != t->guest_cycles || v->untraced != t->untraced ||
	    v->wall_cycles != r.wall)
		return false;
	if (t->other.exits || t->other.kernel_cycles)
		if (!read_cell(s, cell++, &t->other, &r))
			return false;
	for (i = 0; i < t->nr_cells; i++)
		if (!read_cell(s, cell++, t->cells[i], &r))
			return false;
	return cell == v->first_cell + v->nr_cells;
}

struct snapshot look(void)
{
	struct snapshot s = { 0 };
	struct tables tables;

	collector_tables(&tables);
	snapshot_of_tables(&s, &tables);
	return s;
}

bool same_reading(const struct twin *w)
{
	struct snapshot s = look();
	bool same = s.header->nr_vms == 1 && s.header->nr_vcpus == 1 &&
		    snapshot_vm(&s, 0)->flags == KVMSTAT_VM_ALIVE &&
		    snapshot_vcpu(&s, 0)->id == w->id && read_vcpu(&s, 0, &w->t, now);

	snapshot_free(&s);
	return same;
}
