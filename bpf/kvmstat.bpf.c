// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF collector: what happens at each event, and whose it is. The module's
 * probes.c for where no module may be loaded; what is unlike it is said here.
 *
 * An exit and an entry come by one of three ways, of which the user side attaches
 * one (collector.c):
 *
 *   …_btf      tp_btf: the vCPU is typed by the BTF of kvm
 *   …_raw      raw tracepoint: the same arguments, looked at through copies. For
 *              who may not have the BTF of modules (it takes CAP_SYS_ADMIN)
 *   …_classic  the trace event's record: it has the reason where the BTF of the
 *              vendor module, or even of kvm, is missing. It has no vCPU: that is
 *              the one that entered last on this CPU
 *
 * Without the BTF of kvm a vCPU is an address that tells nothing: then VMs are told
 * apart by their process, and a vCPU's events in userspace are not seen.
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "maps.h"
#include "reason.h"
#include "records.h"
#include "shared.h"
#include "tally.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline u64 now(void)
{
	return cycles_of_ns(bpf_ktime_get_ns(), settings.cycles_per_ns);
}

/* vCPU 0 is the sum of those that are gone: never one that runs. */
static __always_inline struct vcpu *in_run(void)
{
	struct cpu *cpu = this_cpu();

	return cpu ? vcpu_at(cpu->in_run) : 0;
}

static __always_inline void set_in_run(u32 index)
{
	struct cpu *cpu = this_cpu();

	if (cpu)
		cpu->in_run = index;
}

/* Other threads have a vCPU loaded, too, for an ioctl such as KVM_GET_REGS. */
static __always_inline bool runs(u64 task, const struct vcpu *v)
{
	return v->vcpu && v->runner == task;
}

/* What an exit told besides its code is known now: it is counted. */
__noinline int resolve(struct vcpu *v)
{
	bool l2;
	u32 code;

	if (!v || v->state != VCPU_KERNEL_PENDING)
		return 0;
	l2 = v->pending & KEY_L2;
	code = v->pending;
	open_cell(v, tally_cell(v, key_of(code, vmx_detail_read(v->vcpu, code, l2), l2)));
	return 0;
}

/*
 * Exits that KVM has counted and we have not. Between KVM_RUNs both counters stand
 * still. Fewer than ours: somebody cleared KVM's.
 */
static __always_inline void compare_with_kvm(struct vcpu *v)
{
	struct kvm_vcpu *vcpu = (void *)v->vcpu;
	u64 uncounted;
	s64 unseen;

	if (!known_kvm())
		return;
	uncounted = BPF_CORE_READ(vcpu, stat.exits) - v->exits;
	unseen = uncounted - v->uncounted;
	if (v->compared && !unseen)
		return;
	if (v->compared && unseen > 0)
		tally_unseen(v, unseen);
	else
		v->uncounted = uncounted;
	v->compared = true;
}

/* The VMM has closed it, and has had it until now. */
static __always_inline void last_look(struct vcpu *v)
{
	if (!v->vcpu)
		return;
	resolve(v);
	if (settings.end_seen)
		compare_with_kvm(v);
	tally_back(v, now());
}

static long vcpu_gone(u32 i, u32 *vm_place)
{
	struct vm *vm = vm_at(*vm_place);
	struct vcpu *v;
	u64 vcpu;

	if (!vm || i >= VM_VCPUS || i >= vm->nr_vcpus)
		return 1;
	v = vcpu_at(vm->vcpus[i]);
	if (!v || !vm->vcpus[i])
		return 0;
	last_look(v);
	vcpu = v->vcpu;
	bpf_map_delete_elem(&vcpu_index, &vcpu);
	if (!known_kvm()) {
		u64 runner = v->runner;

		bpf_map_delete_elem(&runner_index, &runner);
	}
	v->vcpu = 0;
	return 0;
}

/* No vCPU of it runs any more: others may get their addresses soon. */
__noinline int vm_gone(u64 key)
{
	u32 *known = bpf_map_lookup_elem(&vm_index, &key), place;
	struct vm *vm;

	if (!known)
		return 0;
	place = *known;
	vm = vm_at(place);
	if (!vm)
		return 0;
	bpf_map_delete_elem(&vm_index, &key);
	bpf_loop(VM_VCPUS, vcpu_gone, &place, 0);
	barrier();
	vm->key = 0;
	bpf_map_push_elem(&dead_vms, &place, 0);
	__sync_fetch_and_add(&all.nr_dead, 1);
	return 0;
}

static __always_inline u64 vm_key_of(u64 vcpu)
{
	if (known_kvm())
		return (u64)BPF_CORE_READ((struct kvm_vcpu *)vcpu, kvm);
	return bpf_get_current_pid_tgid() >> 32;
}

static __always_inline u32 id_of(u64 vcpu)
{
	return known_kvm() ? BPF_CORE_READ((struct kvm_vcpu *)vcpu, vcpu_id) : 0;
}

/* Its VM's end was not seen, and now a new vCPU has its address: KVM begins at 0. */
static __always_inline bool another(struct vcpu *v, u64 vcpu)
{
	struct vm *vm = v ? vm_at(v->vm) : 0;

	if (!vm || !known_kvm() || !v->exits || BPF_CORE_READ((struct kvm_vcpu *)vcpu, stat.exits))
		return false;
	vm_gone(vm->key);
	return true;
}

/* First of the vCPU on this CPU, in its thread. 0: there is no room. */
__noinline u32 begin(u64 vcpu)
{
	u64 task = bpf_get_current_task();
	u32 index = find_vcpu(vcpu);
	struct vcpu *v;

	set_in_run(0);
	if (index && !settings.end_seen && another(vcpu_at(index), vcpu))
		index = 0;
	if (!index)
		index = add_vcpu(vcpu, vm_key_of(vcpu), id_of(vcpu));
	v = vcpu_at(index);
	if (!index || !v)
		return 0;
	v->runner = task;
	set_in_run(index);
	if (known_kvm())
		all.kvm_ops = (u64)BPF_CORE_READ((struct kvm_vcpu *)vcpu, preempt_notifier.ops);
	else
		bpf_map_update_elem(&runner_index, &task, &index, BPF_ANY);
	return index;
}

static __always_inline struct vcpu *record_of(u64 vcpu)
{
	struct vcpu *v = in_run();
	u32 index;

	if (v && v->vcpu == vcpu)
		return v;
	index = begin(vcpu);
	return index ? vcpu_at(index) : 0;
}

/* SVM: the way of the fast path is open for exits from L1. */
static __always_inline bool learn_l1(struct vcpu *v, u64 vcpu, u32 isa)
{
	bool l2 = from_l2(vcpu, isa);

	v->isa = isa;
	all.isa = isa;
	if (!l2) {
		v->hflags = hflags_of(vcpu);
		v->vmcb = isa == KVMSTAT_ISA_SVM ? svm_vmcb(vcpu) : 0;
	}
	return l2;
}

/* Its key, but for the detail where that is known later: 'pending'. */
static __always_inline u64 read_key(u64 vcpu, u32 isa, bool l2, bool *pending)
{
	struct svm_exit exit = {};
	u32 code = 0;

	if (isa == KVMSTAT_ISA_SVM) {
		if (!svm_vmcb(vcpu) || !read_svm(svm_vmcb(vcpu), &exit))
			return KEY_NO_REASON;
		return key_of(exit.code, svm_detail(exit.code, exit.info_1), l2);
	}
	if (isa != KVMSTAT_ISA_VMX || !read_vmx(vcpu, &code))
		return KEY_NO_REASON;
	*pending = vmx_has_detail(code);
	return key_of(code, KVMSTAT_DETAIL_NONE, l2);
}

/* First of its vCPU or of its reason, from L2, or out of order. */
__noinline int exit_slow(u64 vcpu, u32 isa)
{
	struct vcpu *v = record_of(vcpu);
	bool pending = false;
	u64 key;

	if (!v) {
		__sync_fetch_and_add(&all.lost, 1);
		return 0;
	}
	resolve(v);
	key = read_key(vcpu, isa, learn_l1(v, vcpu, isa), &pending);
	if (pending)
		tally_exit_pending(v, key, now());
	else
		tally_exit_slow(v, key, now());
	return 0;
}

/* False: nothing was done. */
static __always_inline bool exit_in_cell(struct vcpu *v, u64 key, u8 slot)
{
	u32 index = v->slots[slot];
	struct cell *cell = cell_at(index);
	u64 time;

	if (!cell || unlikely(cell->key != key))
		return false;
	time = now();
	v->guest_cycles += time - v->mark;
	v->mark = time;
	v->exits++;
	v->open = index;
	v->state = VCPU_KERNEL;
	cell->exits++;
	return true;
}

static __always_inline bool exit_fast(u64 vcpu, u32 isa, u32 hflags)
{
	struct vcpu *v = in_run();
	struct svm_exit exit;
	u32 code;
	u64 key;

	if (!v || unlikely(v->vcpu != vcpu) || unlikely(v->state != VCPU_GUEST) ||
	    unlikely(v->hflags != hflags) || unlikely(v->isa != isa))
		return false;
	if (isa == KVMSTAT_ISA_SVM) {
		if (!read_svm(v->vmcb, &exit))
			return false;
		code = exit.code;
		if (code != SVM_NPF && code != SVM_MSR)
			return exit_in_cell(v, code, code);
		key = key_of(code, svm_detail(code, exit.info_1), false);
		return exit_in_cell(v, key, tally_slot(key));
	}
	/* Those with a detail have no cell without it. */
	return read_vmx(vcpu, &code) && exit_in_cell(v, code, code);
}

/* To the verifier a typed pointer is no number, until it comes back from a map. */
static __always_inline u64 untyped(struct kvm_vcpu *vcpu)
{
	struct cpu *cpu = this_cpu();

	if (!cpu)
		return 0;
	cpu->address = (u64)vcpu;
	barrier();
	return cpu->address;
}

SEC("tp_btf/kvm_exit")
int BPF_PROG(exit_btf, struct kvm_vcpu *vcpu, u32 isa)
{
	if (!vcpu)	/* which newer verifiers want to see */
		return 0;
	if (unlikely(!exit_fast((u64)vcpu, isa, vcpu->arch.hflags)))
		exit_slow(untyped(vcpu), isa);
	return 0;
}

SEC("raw_tp/kvm_exit")
int BPF_PROG(exit_raw, u64 vcpu, u32 isa)
{
	if (unlikely(!exit_fast(vcpu, isa, hflags_of(vcpu))))
		exit_slow(vcpu, isa);
	return 0;
}

static __always_inline u64 field(void *record, u32 offset, u32 size)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, size, record + offset);
	return value;
}

/* Which vCPU it is was told by the entry: before the first one nothing is counted. */
SEC("tp/kvm/kvm_exit")
int exit_classic(void *record)
{
	u32 code = field(record, settings.classic.exit_reason, sizeof(u32));
	u32 isa = field(record, settings.classic.isa, sizeof(u32));
	u64 info_1 = field(record, settings.classic.info1, sizeof(u64));
	u32 intr_info = field(record, settings.classic.intr_info, sizeof(u32));
	struct vcpu *v = in_run();
	u64 detail;

	if (!v || !runs(bpf_get_current_task(), v))
		return 0;
	if (!known_kvm())
		v->id = field(record, settings.classic.vcpu_id, sizeof(u32));
	v->isa = isa;
	all.isa = isa;
	detail = isa == KVMSTAT_ISA_SVM ? svm_detail(code, info_1) :
					  vmx_detail(code, info_1, intr_info);
	tally_exit_slow(v, key_of(code, detail, false), now());
	return 0;
}

/* The exit before this entry fired no event; where its reason is, it still is. */
static __always_inline void entry_again(struct vcpu *v, u64 vcpu, u64 time)
{
	u64 key = KEY_NO_REASON;
	bool pending = false;

	if (known_kvm() && v->isa)
		key = read_key(vcpu, v->isa, from_l2(vcpu, v->isa), &pending);
	if (pending)
		key |= vmx_detail_read(vcpu, KEY_CODE(key), key & KEY_L2) << KEY_DETAIL_SHIFT;
	tally_skipped_at_entry(v, key, time);
}

__noinline int entry_slow(u64 vcpu, u64 time)
{
	struct vcpu *v = record_of(vcpu);

	if (!v)
		return 0;
	resolve(v);
	if (!tally_entry_slow(v, time))
		entry_again(v, vcpu, time);
	return 0;
}

static __always_inline bool entry_fast(u64 vcpu, u64 time)
{
	struct vcpu *v = in_run();
	struct cell *open;
	u64 cycles;

	if (!v || unlikely(v->vcpu != vcpu) || unlikely(v->state != VCPU_KERNEL))
		return false;
	open = cell_at(v->open);
	if (!open)
		return false;
	cycles = time - v->mark;
	v->mark = time;
	v->state = VCPU_GUEST;
	tally_close(open, cycles);
	return true;
}

SEC("tp_btf/kvm_entry")
int BPF_PROG(entry_btf, struct kvm_vcpu *vcpu)
{
	u64 time = now();

	if (unlikely(!entry_fast((u64)vcpu, time)))
		entry_slow(untyped(vcpu), time);
	return 0;
}

SEC("raw_tp/kvm_entry")
int BPF_PROG(entry_raw, u64 vcpu)
{
	u64 time = now();

	if (unlikely(!entry_fast(vcpu, time)))
		entry_slow(vcpu, time);
	return 0;
}

/* The vCPU that a thread has loaded, by KVM's preempt notifier; 0: none. */
static __always_inline u64 vcpu_of(u64 notifier)
{
	if (!notifier || !known_kvm())
		return 0;
	return notifier - bpf_core_field_offset(struct kvm_vcpu, preempt_notifier) -
	       bpf_core_field_offset(struct preempt_notifier, link);
}

static __always_inline void back_in_kvm(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 vcpu = vcpu_of((u64)BPF_CORE_READ(task, preempt_notifiers.first));
	struct vcpu *v;
	u32 index;

	/* Some ioctls load the FPU, too; but only KVM_RUN makes a thread the vCPU's. */
	if (!vcpu || BPF_CORE_READ((struct kvm_vcpu *)vcpu, pid) != BPF_CORE_READ(task, thread_pid))
		return;
	index = begin(vcpu);
	v = vcpu_at(index);
	if (!index || !v)
		return;
	if (!v->compared)
		compare_with_kvm(v);
	tally_back(v, now());
}

/* What KVM tells userspace is all there is. */
static __always_inline void end_without_exit(struct vcpu *v, u64 time)
{
	struct kvm_vcpu *vcpu = (void *)v->vcpu;
	struct kvm_run *run = BPF_CORE_READ(vcpu, run);
	u64 key = KEY_NO_REASON;

	if (BPF_CORE_READ(run, exit_reason) == KVM_EXIT_FAIL_ENTRY)
		key = (u32)BPF_CORE_READ(run, fail_entry.hardware_entry_failure_reason);
	tally_skipped(v, key, time);
}

/* Within KVM_RUN just after it got hold of the vCPU (load) and just before it lets go. */
SEC("raw_tp/kvm_fpu")
int BPF_PROG(fpu, int load)
{
	struct vcpu *v;

	if (!known_kvm())
		return 0;
	if (load) {
		back_in_kvm();
		return 0;
	}
	v = in_run();
	if (!v || !runs(bpf_get_current_task(), v))
		return 0;
	resolve(v);
	if (tally_exit_due(v))
		end_without_exit(v, now());
	tally_leave(v, now());
	return 0;
}

SEC("raw_tp/kvm_userspace_exit")
int userspace_exit(void *ctx)
{
	struct vcpu *v = in_run();

	set_in_run(0);
	if (!v || !runs(bpf_get_current_task(), v))
		return 0;
	resolve(v);
	tally_left(v, now());
	compare_with_kvm(v);
	return 0;
}

static __always_inline void switch_out(u64 prev)
{
	struct vcpu *v = in_run();

	set_in_run(0);
	if (!v || !runs(prev, v))
		return;
	resolve(v);
	tally_out(v, now());
}

static __always_inline void switch_in(u32 index, u64 next)
{
	struct vcpu *v = vcpu_at(index);

	if (index && v && runs(next, v) && tally_in(v, now()))
		set_in_run(index);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct hlist_node *first = next->preempt_notifiers.first;
	struct cpu *cpu = this_cpu();
	u64 task = (u64)next;
	u32 *index;

	if (cpu && cpu->in_run)
		switch_out((u64)prev);
	if (likely(!first))
		return 0;
	if (known_kvm()) {
		switch_in(find_vcpu(vcpu_of((u64)first)), task);
	} else {
		index = bpf_map_lookup_elem(&runner_index, &task);
		if (index)
			switch_in(*index, task);
	}
	return 0;
}

SEC("kprobe/kvm_arch_pre_destroy_vm")
int BPF_KPROBE(destroy, u64 kvm)
{
	vm_gone(kvm);
	fold_dead();
	return 0;
}

static long end_vm_of(u32 i, u32 *tgid)
{
	struct vm *vm = vm_at(i);

	if (!vm || i >= all.vms.next)
		return 1;
	if (vm->id && vm->key && vm->pid == *tgid)
		vm_gone(vm->key);
	return 0;
}

/* The last thread of a process: where KVM cannot be seen to destroy a VM, its end. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	u32 tgid = task->tgid;

	if (!task->signal->live.counter)
		bpf_loop(settings.max_vms, end_vm_of, &tgid, 0);
	fold_dead();
	return 0;
}
