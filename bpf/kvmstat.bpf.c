// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF collector: what happens at each event, and whose it is. Each takes the time
 * first: what it then does is KVM's kernel time, as it is with the module. The module's
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
	return bpf_ktime_get_ns();
}

/* vCPU 0 is the sum of those that are gone: never one that runs. */
static __always_inline struct vcpu *in_run(void)
{
	struct cpu *cpu = this_cpu();

	return vcpu_at(cpu ? cpu->in_run : 0);
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

/*
 * Where an exit's detail could not be read its key is its code alone, which is what
 * the fast path looks for: it would take the next ones of that code for the same.
 */
static __always_inline void hide_from_fast_path(struct vcpu *v, u64 key)
{
	if (!KEY_DETAIL(key))
		v->slots[tally_slot(key)] = 0;
}

/* What an exit told besides its code is known now: it is counted. */
__noinline int resolve(struct vcpu *v)
{
	u32 code, state;
	bool l2;
	u64 key;

	if (!v)
		return 0;
	state = v->state;
	if (state != VCPU_KERNEL_PENDING && state != VCPU_PENDING_OFF)
		return 0;
	l2 = v->pending & KEY_L2;
	code = v->pending;
	key = key_of(code, vmx_detail_read(v->vcpu, code, l2), l2);
	open_cell(v, tally_cell(v, key));
	if (state == VCPU_PENDING_OFF)
		v->state = VCPU_OFF;	/* its end was missed */
	hide_from_fast_path(v, key);
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

	/* Before all is attached, exits go unseen as they should. */
	if (!known_kvm() || !all.attached)
		return;
	uncounted = BPF_CORE_READ(vcpu, stat.exits) - tally_exits(v);
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
	u64 time = now();

	if (!v->vcpu)
		return;
	resolve(v);
	if (settings.end_seen)
		compare_with_kvm(v);
	tally_back(v, time);
}

static long vcpu_gone(u32 i, u32 *vm_place)
{
	struct vm *vm = vm_at(*vm_place);
	struct vcpu *v;
	u64 vcpu;

	if (i >= VM_VCPUS || i >= vm->nr_vcpus)
		return 1;
	if (!vm->vcpus[i])
		return 0;
	v = vcpu_at(vm->vcpus[i]);
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
	/* Its vCPUs may find that out on several CPUs at once: see another(). */
	if (bpf_map_delete_elem(&vm_index, &key))
		return 0;
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

/*
 * Where a vCPU's element is, unless another one was there before. To the verifier an
 * address that has a type is no number to calculate with, but the difference of two
 * such is; so it is that wherever this is asked.
 */
static __always_inline u32 home_at(u64 distance)
{
	return (u32)(distance >> 6) * 0x9e3779b1 >> (32 - VCPUS_BITS);
}

static __always_inline u32 home_of_typed(struct kvm_vcpu *vcpu)
{
	return home_at((u64)vcpu - (u64)&all);
}

static __always_inline u32 home_of(u64 vcpu)
{
	if (unlikely(!all.self))
		all.self = (u64)&all;
	barrier();
	return home_at(vcpu - all.self);
}

static __always_inline u32 id_of(u64 vcpu)
{
	return known_kvm() ? BPF_CORE_READ((struct kvm_vcpu *)vcpu, vcpu_id) : 0;
}

/* Its VM's end was not seen, and now a new vCPU has its address: KVM begins at 0. */
static __always_inline bool another(const struct vcpu *v, u64 vcpu)
{
	if (!known_kvm() || !tally_exits(v) || BPF_CORE_READ((struct kvm_vcpu *)vcpu, stat.exits))
		return false;
	vm_gone(vm_at(v->vm)->key);
	return true;
}

/* From here on each exit is looked at more closely. */
static __always_inline void has_nested(struct vcpu *v)
{
	v->nested = true;
	v->guest_state = VCPU_GUEST_SLOW;
}

/* First of the vCPU on this CPU, in its thread. 0: there is no room. */
__noinline u32 begin(u64 vcpu, u32 home)
{
	u64 task = bpf_get_current_task();
	u32 index = find_vcpu(vcpu);
	struct vcpu *v;

	set_in_run(0);
	if (index && !settings.end_seen && another(vcpu_at(index), vcpu))
		index = 0;
	if (!index)
		index = add_vcpu(vcpu, vm_key_of(vcpu), id_of(vcpu), home);
	if (!index)
		return 0;
	v = vcpu_at(index);
	v->runner = task;
	set_in_run(index);
	/* KVM_SET_NESTED_STATE may have put it into L2. */
	if (!v->nested && v->isa && from_l2(vcpu, v->isa))
		has_nested(v);
	if (!known_kvm())
		bpf_map_update_elem(&runner_index, &task, &index, BPF_ANY);
	return index;
}

/* The index of a vCPU in its own thread. */
static __always_inline u32 index_of(u64 vcpu, u32 home)
{
	struct cpu *cpu = this_cpu();
	u32 index = cpu ? cpu->in_run : 0;

	return vcpu_at(index)->vcpu == vcpu ? index : begin(vcpu, home);
}

static __always_inline bool count_lost(void)
{
	__sync_fetch_and_add(&all.lost, 1);
	return 0;
}

static __always_inline void trust(struct vcpu *v, u64 reason_address)
{
	v->reason = reason_address;
	v->guest_state = VCPU_GUEST;
}

/* Its key, but for the detail where that is known later: 'pending'. */
static __always_inline u64 read_key(struct vcpu *v, u64 vcpu, u32 isa, bool *pending)
{
	u64 address = reason_address(vcpu, isa), info_1 = 0;
	bool l2 = from_l2(vcpu, isa);
	u32 code;

	if (!address || bpf_probe_read_kernel(&code, sizeof(code), (void *)address))
		return KEY_NO_REASON;
	if (l2 || enters_nested(isa, code))
		has_nested(v);
	else if (!v->nested)
		trust(v, address);
	if (isa == KVMSTAT_ISA_VMX) {
		*pending = vmx_has_detail(code);
		return key_of(code, KVMSTAT_DETAIL_NONE, l2);
	}
	bpf_probe_read_kernel(&info_1, sizeof(info_1),
			      (void *)(address - VMCB_EXITCODE + VMCB_EXITINFO1));
	return key_of(code, svm_detail(code, info_1), l2);
}

/* Not written where it is so already: others read this line of the cache. */
static __always_inline void note_isa(struct vcpu *v, u32 isa)
{
	v->isa = isa;
	if (unlikely(all.isa != isa))
		all.isa = isa;
}

/* First of its vCPU or of its reason, one with a detail, from L2, or out of order. */
static __always_inline int exit_slow(u64 vcpu, u32 isa, u64 time, u32 home)
{
	u32 index = index_of(vcpu, home);
	struct vcpu *v = vcpu_at(index);
	bool pending = false;
	u64 key;

	if (!index)
		return count_lost();
	resolve(v);
	note_isa(v, isa);
	key = read_key(v, vcpu, isa, &pending);
	if (pending)
		tally_exit_pending(v, key, time);
	else
		tally_exit_slow(v, key, time);
	return 0;
}

/* The vCPU entered the guest, and its exit is the next. */
static __always_inline bool in_guest(const struct vcpu *v, u64 vcpu)
{
	return likely(v->vcpu == vcpu) && likely(v->state == VCPU_GUEST);
}

/* An exit of L1 that tells no more than its code, which had one before. Else false. */
static __always_inline bool exit_fast(struct vcpu *v, u64 time)
{
	struct cell *cell;
	u32 code, index;

	/* It cannot fail: the vCPU has just been there. */
	bpf_probe_read_kernel(&code, sizeof(code), (void *)v->reason);
	index = v->slots[code & (COLLECTOR_SLOTS - 1)];
	cell = cell_at(index);
	if (unlikely(cell->key != code))
		return false;
	tally_exit(v, index, cell, time);
	return true;
}

/* Not at home, or not by the fast way. */
__noinline int exit_else(u64 vcpu, u32 isa, u64 time, u32 home)
{
	struct vcpu *v = in_run();

	if (!in_guest(v, vcpu) || !exit_fast(v, time))
		exit_slow(vcpu, isa, time, home);
	return 0;
}

/* Of kvm_exit, and the first one of kvm_entry. */
struct kvm_exit_args {
	struct kvm_vcpu *vcpu;
	u64 isa;
};

#define again(args) ((volatile struct kvm_exit_args *)(args))

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

/*
 * The arguments of these two are taken from 'args' when they are needed, and its
 * address is all that has to be kept meanwhile.
 */
SEC("tp_btf/kvm_exit")
int exit_btf(struct kvm_exit_args *args)
{
	u64 time = now();
	struct kvm_vcpu *vcpu = args->vcpu;
	struct vcpu *v;

	if (!vcpu)	/* which newer verifiers want to see */
		return 0;
	v = vcpu_at(home_of_typed(vcpu));
	hide(v);
	if (unlikely(!in_guest(v, (u64)vcpu)) || unlikely(!exit_fast(v, time))) {
		vcpu = again(args)->vcpu;
		if (vcpu)
			exit_else(untyped(vcpu), again(args)->isa, time, home_of_typed(vcpu));
	}
	return 0;
}

SEC("raw_tp/kvm_exit")
int BPF_PROG(exit_raw, u64 vcpu, u32 isa)
{
	u64 time = now();
	struct vcpu *v = vcpu_at(home_of(vcpu));

	if (unlikely(!in_guest(v, vcpu)) || unlikely(!exit_fast(v, time)))
		exit_else(vcpu, isa, time, home_of(vcpu));
	return 0;
}

static __always_inline u64 field(void *record, u32 offset, u32 size)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, size, record + offset);
	return value;
}

/*
 * Which vCPU it is was told by the entry: before the first one nothing is counted, and
 * where that found no room, it has counted this exit as lost.
 */
SEC("tp/kvm/kvm_exit")
int exit_classic(void *record)
{
	u64 time = now();
	u32 code = field(record, settings.classic.exit_reason, sizeof(u32));
	u32 isa = field(record, settings.classic.isa, sizeof(u32));
	u64 info_1 = field(record, settings.classic.info1, sizeof(u64));
	u32 intr_info = field(record, settings.classic.intr_info, sizeof(u32));
	struct vcpu *v = in_run();
	u64 detail;

	if (!runs(bpf_get_current_task(), v))
		return 0;
	if (!known_kvm())
		v->id = field(record, settings.classic.vcpu_id, sizeof(u32));
	note_isa(v, isa);
	detail = isa == KVMSTAT_ISA_SVM ? svm_detail(code, info_1) :
					  vmx_detail(code, info_1, intr_info);
	tally_exit_slow(v, key_of(code, detail, false), time);
	return 0;
}

/* The exit before this entry fired no event; where its reason is, it still is. */
static __always_inline void entry_again(struct vcpu *v, u64 vcpu, u64 time)
{
	u64 key = KEY_NO_REASON;
	bool pending = false;

	if (known_kvm() && v->isa)
		key = read_key(v, vcpu, v->isa, &pending);
	if (pending)
		key |= vmx_detail_read(vcpu, KEY_CODE(key), key & KEY_L2) << KEY_DETAIL_SHIFT;
	tally_skipped_at_entry(v, key, time);
	if (pending)
		hide_from_fast_path(v, key);
}

static __always_inline int entry_slow(u64 vcpu, u64 time, u32 home)
{
	u32 index = index_of(vcpu, home);
	struct vcpu *v = vcpu_at(index);

	if (!index) {
		/* Its exit will not tell whose it is. */
		if (settings.classic.exit_reason)
			count_lost();
		return 0;
	}
	resolve(v);
	if (!tally_entry_slow(v, time))
		entry_again(v, vcpu, time);
	return 0;
}

/* After an exit that is over. */
static __always_inline bool in_kernel(const struct vcpu *v, u64 vcpu)
{
	return likely(v->vcpu == vcpu) && likely(v->state == VCPU_KERNEL);
}

/* Not at home, or not by the fast way. */
__noinline int entry_else(u64 vcpu, u64 time, u32 home)
{
	struct vcpu *v = in_run();

	if (in_kernel(v, vcpu))
		tally_entry(v, time);
	else
		entry_slow(vcpu, time, home);
	return 0;
}

SEC("tp_btf/kvm_entry")
int entry_btf(struct kvm_exit_args *args)
{
	u64 time = now();
	struct kvm_vcpu *vcpu = args->vcpu;
	struct vcpu *v;

	if (!vcpu)
		return 0;
	v = vcpu_at(home_of_typed(vcpu));
	hide(v);
	if (likely(in_kernel(v, (u64)vcpu))) {
		tally_entry(v, time);
		return 0;
	}
	vcpu = again(args)->vcpu;
	if (vcpu)
		entry_else(untyped(vcpu), time, home_of_typed(vcpu));
	return 0;
}

SEC("raw_tp/kvm_entry")
int BPF_PROG(entry_raw, u64 vcpu)
{
	u64 time = now();
	struct vcpu *v = vcpu_at(home_of(vcpu));

	if (likely(in_kernel(v, vcpu)))
		tally_entry(v, time);
	else
		entry_else(vcpu, time, home_of(vcpu));
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

static __always_inline void back_in_kvm(u64 time)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 vcpu = vcpu_of((u64)BPF_CORE_READ(task, preempt_notifiers.first));
	struct vcpu *v;
	u32 index;

	/* Some ioctls load the FPU, too; but only KVM_RUN makes a thread the vCPU's. */
	if (!vcpu || BPF_CORE_READ((struct kvm_vcpu *)vcpu, pid) != BPF_CORE_READ(task, thread_pid))
		return;
	index = begin(vcpu, home_of(vcpu));
	if (!index)
		return;
	v = vcpu_at(index);
	if (!v->compared)
		compare_with_kvm(v);
	tally_back(v, time);
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

/*
 * Within KVM_RUN just after it got hold of the vCPU (load) and just before it lets go.
 * A kernel may leave preemption on here. A switch in the midst of this makes time that
 * is off-CPU time count as user time, too, and the exit has so much less of its own, 0
 * at the least.
 */
SEC("raw_tp/kvm_fpu")
int BPF_PROG(fpu, int load)
{
	u64 time = now();
	struct vcpu *v;

	if (!known_kvm())
		return 0;
	if (load) {
		back_in_kvm(time);
		return 0;
	}
	v = in_run();
	if (!runs(bpf_get_current_task(), v))
		return 0;
	resolve(v);
	if (tally_exit_due(v))
		end_without_exit(v, time);
	tally_leave(v, time);
	return 0;
}

SEC("raw_tp/kvm_userspace_exit")
int userspace_exit(void *ctx)
{
	u64 time = now();
	struct vcpu *v = in_run();

	set_in_run(0);
	if (!runs(bpf_get_current_task(), v))
		return 0;
	resolve(v);
	tally_left(v, time);
	compare_with_kvm(v);
	return 0;
}

static __always_inline void switch_out(u64 prev)
{
	struct vcpu *v = in_run();

	set_in_run(0);
	if (runs(prev, v))
		tally_out(v, now());
}

static __always_inline void switch_in(u32 index, u64 next)
{
	struct vcpu *v = vcpu_at(index);

	if (index && runs(next, v) && tally_in(v, now()))
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

	if (i >= all.vms.next)
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
		bpf_loop(MAX_VMS, end_vm_of, &tgid, 0);
	fold_dead();
	return 0;
}
