/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF collector and the module's tally as twins: both are told of the same events,
 * and are to say the same.
 */
#ifndef COLLECTOR_TWIN_H
#define COLLECTOR_TWIN_H

#include "../../bpf/snapshot.h"
#include "../../module/tally.h"
#include "collector_user.h"

extern u64 now;			/* cycles, and nanoseconds: one of each */
extern bool steady;		/* it never goes back */
extern u32 cells_left;		/* that tally_cell_alloc() still gives */

/* One vCPU, and the module's tally of it. */
struct twin {
	struct fake_vcpu *f;
	struct tally t;
	u64 vm;
	u32 id;
	u32 nr_codes;
	struct fake_reason reason;	/* of the last exit */
	bool read;		/* KVM has read its qualification */
	u64 kvm_exits;
	u64 uncounted;
	bool compared;
	bool in_run;		/* the collector knows whose events these are */
	bool off;
	bool pending;
	bool isa_known;
	bool nested;		/* so far; 'may_nest': some time */
	bool may_nest;
	bool reason_known;	/* to the collector: where it is */
	bool wild;		/* its clock goes back anywhere */
};

/* TAP */
void verdict(unsigned int wrong, const char *name);
int done_testing(void);
u64 below(u64 n);

void twin_begin(struct twin *w, u64 vm, u32 id, u32 isa);
void twin_end(struct twin *w);
/* The collector has a record of it: there was room. */
bool known(const struct twin *w);

/* Some time. */
void pass(const struct twin *w);
/* Both are told. */
void tell_entry(struct twin *w);
void tell_out(struct twin *w);
void tell_gone(struct twin *w);
void any_event(struct twin *w);

/* What is to be the same after each event; a pending exit is in no cell yet. */
bool same_state(const struct twin *w);
bool same_cell(const struct cell *c, const struct tally_cell *m);
/* In the same order, too. */
bool same_cells(const struct twin *w);

/* What a reader gets, against tally_read(). */
struct snapshot look(void);
bool read_vcpu(const struct snapshot *s, u32 index, const struct tally *t, u64 time);
/* Of the only vCPU there is. */
bool same_reading(const struct twin *w);
/* To what a long double holds: a reader makes squares of cycles from those of ns. */
bool near(__uint128_t a, __uint128_t b);

#endif
