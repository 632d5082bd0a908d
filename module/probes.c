// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens at each event: whose it is, and on with it to the tally.
 *
 * kvm_exit and kvm_entry name the vCPU. The others do not: KVM_RUN's vCPU is
 * known by KVM's preempt notifier, which its thread has while KVM has the vCPU
 * loaded; vcpu_in_run carries it over to where that is gone.
 */
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <asm/tsc.h>

#include "compat.h"
#include "probes.h"
#include "reason.h"
#include "registry.h"

/* KVM's; other hypervisors have preempt notifiers, too. */
static struct preempt_ops *kvm_ops;

/* First of the vCPU on this CPU. NULL: there is no memory. */
static noinline notrace struct vcpu_record *begin(struct kvm_vcpu *vcpu)
{
	struct vcpu_record *rec = registry_get(vcpu);

	this_cpu_write(vcpu_in_run, &nobody);
	if (!rec)
		return NULL;
	WRITE_ONCE(rec->runner, current);
	this_cpu_write(vcpu_in_run, rec);
	if (unlikely(READ_ONCE(kvm_ops) != vcpu->preempt_notifier.ops))
		WRITE_ONCE(kvm_ops, vcpu->preempt_notifier.ops);
	return rec;
}

/* In the vCPU's own thread. After this the fast paths find it. */
static notrace struct vcpu_record *record_of(struct kvm_vcpu *vcpu)
{
	struct vcpu_record *rec = this_cpu_read(vcpu_in_run);

	return likely(rec->match == vcpu) ? rec : begin(vcpu);
}

/* First of its vCPU or of its reason, or out of order. */
static noinline notrace void exit_slow(struct kvm_vcpu *vcpu, u32 isa)
{
	struct vcpu_record *rec = record_of(vcpu);
	struct tally_cell *cell;
	u32 code;

	lockdep_assert_preemption_disabled();
	if (!rec) {
		registry_count_lost();
		return;
	}
	code = reason_read(vcpu, isa, &rec->reason);
	if (unlikely(!rec->fast_match) && rec->reason.way == REASON_FAST)
		registry_trust(rec);
	cell = tally_cell(&rec->tally, reason_key(vcpu, code, isa));
	tally_exit_slow(&rec->tally, cell, rdtsc());
}

/* One that tells more than its code, most likely. */
static noinline notrace void exit_with_detail(struct kvm_vcpu *vcpu, u32 isa)
{
	struct vcpu_record *rec = this_cpu_read(vcpu_in_run);
	u64 key;

	if (unlikely(rec->fast_match != vcpu))
		goto slow;
	key = reason_key(vcpu, reason_read_fast(vcpu, isa), isa);
	if (likely(tally_exit(&rec->tally, key, tally_slot(key), rdtsc())))
		return;
slow:
	exit_slow(vcpu, isa);
}

static __always_inline bool exit_fast(struct kvm_vcpu *vcpu, u32 isa)
{
	struct vcpu_record *rec = this_cpu_read(vcpu_in_run);
	u64 code;

	if (unlikely(rec->fast_match != vcpu) || unlikely(reason_from_l2(vcpu)))
		return false;
	code = reason_read_fast(vcpu, isa);
	return tally_exit(&rec->tally, code, tally_slot_of_code(code), rdtsc());
}

notrace void probe_exit(void *data, struct kvm_vcpu *vcpu, u32 isa)
{
	if (unlikely(!exit_fast(vcpu, isa)))
		exit_with_detail(vcpu, isa);
}

/* The exit before this entry fired no event; the hardware still has its reason. */
static notrace void entry_again(struct vcpu_record *rec, struct kvm_vcpu *vcpu, u64 now)
{
	u32 isa = reason_isa();
	u64 key = TALLY_NO_REASON;

	if (isa != KVMSTAT_ISA_UNKNOWN)
		key = reason_key(vcpu, reason_read(vcpu, isa, &rec->reason), isa);
	tally_skipped_at_entry(&rec->tally, key, now);
}

static noinline notrace void entry_slow(struct kvm_vcpu *vcpu, u64 now)
{
	struct vcpu_record *rec = record_of(vcpu);

	if (rec && !tally_entry_slow(&rec->tally, now))
		entry_again(rec, vcpu, now);
}

static __always_inline void entry(struct kvm_vcpu *vcpu)
{
	u64 now = rdtsc();
	struct vcpu_record *rec = this_cpu_read(vcpu_in_run);

	if (unlikely(rec->match != vcpu) || unlikely(!tally_entry(&rec->tally, now)))
		entry_slow(vcpu, now);
}

notrace void probe_entry(void *data, struct kvm_vcpu *vcpu)
{
	entry(vcpu);
}

notrace void probe_entry_immediate(void *data, struct kvm_vcpu *vcpu, bool force_immediate_exit)
{
	entry(vcpu);
}

/*
 * Other threads have a vCPU loaded, too, for an ioctl such as KVM_GET_REGS, and
 * go on when its own is in KVM_RUN again. Nobody's record has no runner.
 */
static notrace bool runs(const struct task_struct *task, const struct vcpu_record *rec)
{
	return READ_ONCE(rec->runner) == task;
}

static notrace struct kvm_vcpu *vcpu_of(struct task_struct *task)
{
	struct hlist_node *first = READ_ONCE(task->preempt_notifiers.first);
	struct preempt_notifier *notifier;

	if (!first)
		return NULL;
	notifier = hlist_entry(first, struct preempt_notifier, link);
	if (unlikely(notifier->ops != READ_ONCE(kvm_ops)))
		return NULL;
	return container_of(notifier, struct kvm_vcpu, preempt_notifier);
}

/*
 * Exits that KVM has counted and we have not: of VMX while KVM emulates a guest
 * whose state the CPU would refuse, for one. Between KVM_RUNs both counters
 * stand still. Fewer than ours: somebody cleared KVM's.
 */
static notrace void compare_with_kvm(struct vcpu_record *rec)
{
	u64 uncounted = rec->vcpu->stat.exits - tally_exits(&rec->tally);
	s64 unseen = uncounted - rec->uncounted;

	if (likely(rec->compared && !unseen))
		return;
	if (rec->compared && unseen > 0)
		tally_unseen(&rec->tally, unseen);
	else
		rec->uncounted = uncounted;
	rec->compared = true;
}

static notrace void back_in_kvm(void)
{
	struct preempt_notifier *notifier;
	struct vcpu_record *rec;
	struct kvm_vcpu *vcpu;

	if (hlist_empty(&current->preempt_notifiers))
		return;
	/* KVM has just added its own, in front of all others. */
	notifier = hlist_entry(current->preempt_notifiers.first, struct preempt_notifier, link);
	vcpu = container_of(notifier, struct kvm_vcpu, preempt_notifier);
	/* Some ioctls load the FPU, too; but only KVM_RUN makes a thread the vCPU's. */
	if (vcpu_pid(vcpu) != task_pid(current))
		return;
	rec = begin(vcpu);
	if (!rec)
		return;
	if (unlikely(!rec->compared))
		compare_with_kvm(rec);
	tally_back(&rec->tally, rdtsc());
}

/* What KVM tells userspace is all there is: the VMCS is not at hand any more. */
static noinline notrace void end_without_exit(struct vcpu_record *rec, u64 now)
{
	const struct kvm_run *run = rec->vcpu->run;
	u64 key = TALLY_NO_REASON;

	if (READ_ONCE(run->exit_reason) == KVM_EXIT_FAIL_ENTRY)
		key = (u32)READ_ONCE(run->fail_entry.hardware_entry_failure_reason);
	tally_skipped(&rec->tally, key, now);
}

static notrace void fpu(int load)
{
	struct vcpu_record *rec;

	if (load) {
		back_in_kvm();
		return;
	}
	rec = this_cpu_read(vcpu_in_run);
	if (!runs(current, rec))
		return;
	if (unlikely(tally_exit_due(&rec->tally)))
		end_without_exit(rec, rdtsc());
	tally_leave(&rec->tally, rdtsc());
}

/* Where probes are called with preemption on, a switch is not to come between. */
notrace void probe_fpu(void *data, int load)
{
	preempt_disable_notrace();
	fpu(load);
	preempt_enable_notrace();
}

static notrace void userspace_exit(void)
{
	struct vcpu_record *rec = this_cpu_read(vcpu_in_run);

	this_cpu_write(vcpu_in_run, &nobody);
	if (!runs(current, rec))
		return;
	tally_left(&rec->tally, rdtsc());
	compare_with_kvm(rec);
}

notrace void probe_userspace_exit(void *data, u32 reason, int error)
{
	preempt_disable_notrace();
	userspace_exit();
	preempt_enable_notrace();
}

/* The VMM has closed it, and has had it until now. */
void probe_last_look(struct vcpu_record *rec)
{
	if (!READ_ONCE(rec->match))
		return;
	compare_with_kvm(rec);
	tally_back(&rec->tally, rdtsc());
}

static notrace void switch_out(struct vcpu_record *rec, struct task_struct *prev)
{
	this_cpu_write(vcpu_in_run, &nobody);
	if (runs(prev, rec))
		tally_out(&rec->tally, rdtsc());
}

static notrace void switch_in(struct kvm_vcpu *vcpu, struct task_struct *next)
{
	struct vcpu_record *rec = registry_find(vcpu);

	if (rec && runs(next, rec) && tally_in(&rec->tally, rdtsc()))
		this_cpu_write(vcpu_in_run, rec);
}

notrace void probe_switch(void *data, bool preempt, struct task_struct *prev,
			  struct task_struct *next, unsigned int prev_state)
{
	struct vcpu_record *rec = this_cpu_read(vcpu_in_run);
	struct kvm_vcpu *vcpu;

	if (unlikely(rec != &nobody))
		switch_out(rec, prev);
	vcpu = vcpu_of(next);
	if (unlikely(vcpu))
		switch_in(vcpu, next);
}
