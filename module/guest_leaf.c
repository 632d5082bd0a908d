// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest asks for its own exits, by CPUID or hypercall.
 *
 * kvm_cpuid() gets the four registers by pointers, and serves both CPUID's own
 * exit and KVM's emulator. Where the leaf is ours, a kprobe on its first
 * instruction answers in its place, and goes on at its return. Nothing can be
 * missed so, as a kretprobe can when it is out of instances; KVM's own kvm_cpuid
 * event does not fire for these leaves.
 *
 * kvm_emulate_hypercall() has to check the CPL first and to move on RIP last, so
 * a kretprobe replaces what it answered to a number that it does not know. A
 * call with any other number needs no instance.
 */
#define pr_fmt(fmt) "kvmstat: " fmt

#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/kvm_para.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include "btf.h"
#include "exit_codes.h"
#include "guest_leaf.h"
#include "reason.h"
#include "registry.h"
#include "uapi/kvmstat.h"

#ifdef KVMSTAT_WRONG_FUNCTION	/* a test builds this, to see it refused */
#define CPUID_PROTOTYPE	"bool (struct kvm_vcpu *)"
#else
#define CPUID_PROTOTYPE	"bool (struct kvm_vcpu *, u32 *, u32 *, u32 *, u32 *, bool)"
#endif

#define PROTOTYPE_MAX	128

/* Our hypercalls under way at once: vCPU threads preempted amid one, at most. */
#define HYPERCALLS_MAX	1024

enum { PROBE_CPUID, PROBE_HYPERCALL, NR_PROBES };

static const struct {
	const char *function;
	const char *prototype;
} probed[NR_PROBES] = {
	[PROBE_CPUID] = { "kvm_cpuid", CPUID_PROTOTYPE },
	[PROBE_HYPERCALL] = { "kvm_emulate_hypercall", "int (struct kvm_vcpu *)" },
};

/*
 * Protects all of these, and makes switching on and off one step. Nests in
 * tracepoint_module_list_mutex (kvm comes or goes) or in the lock of our
 * parameters; kprobe_mutex nests inside.
 */
static DEFINE_MUTEX(leaf_mutex);
static bool switched_on;
static bool kvm_here;
static bool attached;
static char found[NR_PROBES][PROTOTYPE_MAX];	/* in KVM's BTF */
static struct kprobe cpuid_probe;
static struct kretprobe hypercall_probe;

/* Read without a lock: an answer is of the scope before or after. */
static bool host_scope;

static struct registry_sum sum_of(struct kvm_vcpu *vcpu, u64 mask, u64 value)
{
	return READ_ONCE(host_scope) ? registry_sum_of_all(mask, value) :
				       registry_sum_of_vm(vcpu, mask, value);
}

static struct registry_sum total(struct kvm_vcpu *vcpu)
{
	return sum_of(vcpu, 0, 0);
}

/* All details of a reason together, and of VMX's the flags above the basic reason. */
static enum exit_code_state of_reason(struct kvm_vcpu *vcpu, u32 reason, struct registry_sum *sum)
{
	u32 isa = reason_isa();
	u64 code_mask = isa == KVMSTAT_ISA_SVM ? U32_MAX : U16_MAX;
	enum exit_code_state state = exit_code_state(isa, reason);

	memset(sum, 0, sizeof(*sum));
	if (state == EXIT_CODE_HANDLED)
		*sum = sum_of(vcpu, code_mask | TALLY_NO_REASON | TALLY_OTHER, reason);
	return state;
}

struct cpuid_regs_out {
	u32 eax, ebx, ecx, edx;
};

static struct cpuid_regs_out leaf_total(struct kvm_vcpu *vcpu)
{
	struct registry_sum sum = total(vcpu);

	return (struct cpuid_regs_out){
		.eax = lower_32_bits(sum.exits), .edx = upper_32_bits(sum.exits),
		.ecx = lower_32_bits(sum.kernel_cycles), .ebx = upper_32_bits(sum.kernel_cycles),
	};
}

static struct cpuid_regs_out leaf_of_reason(struct kvm_vcpu *vcpu, u32 leaf, u32 reason)
{
	struct registry_sum sum;
	enum exit_code_state state = of_reason(vcpu, reason, &sum);

	if (state == EXIT_CODE_UNDEFINED)
		return (struct cpuid_regs_out){ .edx = U32_MAX };
	if (leaf == KVMSTAT_LEAF_REASON_EXITS)
		return (struct cpuid_regs_out){
			.eax = lower_32_bits(sum.exits), .ebx = state == EXIT_CODE_HANDLED,
		};
	return (struct cpuid_regs_out){
		.ecx = lower_32_bits(sum.kernel_cycles), .ebx = upper_32_bits(sum.kernel_cycles),
	};
}

/* In place of kvm_cpuid(vcpu, &eax, &ebx, &ecx, &edx, exact_only). */
static int cpuid_asked(struct kprobe *kp, struct pt_regs *regs)
{
	struct kvm_vcpu *vcpu = (struct kvm_vcpu *)regs_get_kernel_argument(regs, 0);
	u32 *eax = (u32 *)regs_get_kernel_argument(regs, 1);
	u32 *ecx = (u32 *)regs_get_kernel_argument(regs, 3);
	struct cpuid_regs_out out;

	if (likely(*eax < KVMSTAT_LEAF_REASON_CYCLES || *eax > KVMSTAT_LEAF_TOTAL))
		return 0;
	out = *eax == KVMSTAT_LEAF_TOTAL ? leaf_total(vcpu) : leaf_of_reason(vcpu, *eax, *ecx);
	*eax = out.eax;
	*(u32 *)regs_get_kernel_argument(regs, 2) = out.ebx;
	*ecx = out.ecx;
	*(u32 *)regs_get_kernel_argument(regs, 4) = out.edx;
	/*
	 * Goes on in a function of the kernel itself that returns at once to
	 * kvm_cpuid()'s caller ("no entry of that leaf"): one of ours could
	 * vanish under a thread that is preempted in it.
	 */
	instruction_pointer_set(regs, (unsigned long)__static_call_return0);
	return 1;
}

static u64 hypercall(struct kvm_vcpu *vcpu, u64 operation, u32 reason)
{
	struct registry_sum sum;

	switch (operation) {
	case KVMSTAT_HC_EXITS:
		return total(vcpu).exits;
	case KVMSTAT_HC_CYCLES:
		return total(vcpu).kernel_cycles;
	case KVMSTAT_HC_REASON_EXITS:
	case KVMSTAT_HC_REASON_CYCLES:
		if (of_reason(vcpu, reason, &sum) == EXIT_CODE_UNDEFINED)
			return -KVM_EINVAL;
		return operation == KVMSTAT_HC_REASON_EXITS ? sum.exits : sum.kernel_cycles;
	default:
		return -KVM_EINVAL;
	}
}

/* A hypercall that is under way. */
struct asked {
	struct kvm_vcpu *vcpu;
	u64 number;
};

static int hypercall_entered(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct asked *asked = (struct asked *)instance->data;

	asked->vcpu = (struct kvm_vcpu *)regs_get_kernel_argument(regs, 0);
	asked->number = asked->vcpu->arch.regs[VCPU_REGS_RAX];
	return lower_32_bits(asked->number) != KVMSTAT_HYPERCALL;
}

/* Outside 64-bit mode KVM takes and gives the low halves of registers. */
static int hypercall_answered(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct asked *asked = (const struct asked *)instance->data;
	unsigned long *gpr = asked->vcpu->arch.regs;
	u64 width;

	switch (gpr[VCPU_REGS_RAX]) {
	case -KVM_ENOSYS:
		width = U64_MAX;
		break;
	case (u32)-KVM_ENOSYS:
		width = U32_MAX;
		break;
	default:
		return 0;
	}
	if ((asked->number & width) == KVMSTAT_HYPERCALL)
		gpr[VCPU_REGS_RAX] = hypercall(asked->vcpu, gpr[VCPU_REGS_RBX] & width,
					       gpr[VCPU_REGS_RCX]) & width;
	return 0;
}

static int check_found(void)
{
	int i;

	for (i = 0; i < NR_PROBES; i++) {
		if (!found[i][0] || !strcmp(found[i], probed[i].prototype))
			continue;
		pr_err("%s: in this kernel it is \"%s\", kvmstat expects \"%s\": guest_leaf stays off; build kvmstat for this kernel, or report this line\n",
		       probed[i].function, found[i], probed[i].prototype);
		return -ENOEXEC;
	}
	return 0;
}

/*
 * Only where kvm_cpuid() starts with ftrace's call can its kprobe go on somewhere
 * else: one that was optimised to a jump cannot.
 */
static int attach_cpuid(void)
{
	int err;

	cpuid_probe = (struct kprobe) {
		.symbol_name = probed[PROBE_CPUID].function,
		.pre_handler = cpuid_asked,
	};
	err = register_kprobe(&cpuid_probe);
	if (!err && !kprobe_ftrace(&cpuid_probe)) {
		unregister_kprobe(&cpuid_probe);
		err = -EOPNOTSUPP;
	}
	return err;
}

static int attach_hypercall(void)
{
	hypercall_probe = (struct kretprobe) {
		.kp.symbol_name = probed[PROBE_HYPERCALL].function,
		.entry_handler = hypercall_entered,
		.handler = hypercall_answered,
		.data_size = sizeof(struct asked),
		.maxactive = HYPERCALLS_MAX,
	};
	return register_kretprobe(&hypercall_probe);
}

static void say_no_probe(int probe, int err)
{
	pr_err("no kprobe on %s (error %d), so guest_leaf stays off: are CONFIG_KPROBES_ON_FTRACE and CONFIG_KRETPROBES on, and lockdown off?\n",
	       probed[probe].function, err);
}

static int attach(void)
{
	int err = check_found();

	if (err)
		return err;
	err = attach_cpuid();
	if (err) {
		say_no_probe(PROBE_CPUID, err);
		return err;
	}
	err = attach_hypercall();
	if (err) {
		say_no_probe(PROBE_HYPERCALL, err);
		unregister_kprobe(&cpuid_probe);
	}
	attached = !err;
	return err;
}

static void detach(void)
{
	if (!attached)
		return;
	unregister_kretprobe(&hypercall_probe);
	unregister_kprobe(&cpuid_probe);
	attached = false;
}

void guest_leaf_prototypes(const struct btf_files *kvm)
{
	int i;

	mutex_lock(&leaf_mutex);
	for (i = 0; i < NR_PROBES; i++) {
		found[i][0] = '\0';
		if (kvm && btf_function_prototype(kvm, probed[i].function, found[i], PROTOTYPE_MAX))
			strscpy(found[i], "unknown", PROTOTYPE_MAX);
	}
	mutex_unlock(&leaf_mutex);
}

void guest_leaf_kvm_here(void)
{
	mutex_lock(&leaf_mutex);
	kvm_here = true;
	if (switched_on)
		switched_on = !attach();
	mutex_unlock(&leaf_mutex);
}

void guest_leaf_kvm_gone(void)
{
	mutex_lock(&leaf_mutex);
	detach();
	kvm_here = false;
	mutex_unlock(&leaf_mutex);
}

/* Where KVM is not there, now or yet, it is a wish. */
static int switch_leaf(bool on)
{
	int err = 0;

	mutex_lock(&leaf_mutex);
	if (!on)
		detach();
	else if (kvm_here && !attached)
		err = attach();
	if (!err)
		switched_on = on;
	mutex_unlock(&leaf_mutex);
	return err;
}

static int set_guest_leaf(const char *value, const struct kernel_param *kp)
{
	bool on;

	if (value && kstrtobool(value, &on)) {
		pr_err("guest_leaf is 0 or 1: not changed\n");
		return -EINVAL;
	}
	return switch_leaf(value ? on : true);
}

static const struct kernel_param_ops guest_leaf_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_guest_leaf,
	.get = param_get_bool,
};
module_param_cb(guest_leaf, &guest_leaf_ops, &switched_on, 0644);
__MODULE_PARM_TYPE(guest_leaf, "bool");
MODULE_PARM_DESC(guest_leaf, "guests may ask for their own exits by CPUID and hypercall (default N)");

static int set_scope(const char *value, const struct kernel_param *kp)
{
	bool host = sysfs_streq(value, "host");

	if (!host && !sysfs_streq(value, "vm")) {
		pr_err("guest_leaf_scope is \"vm\" or \"host\": not changed\n");
		return -EINVAL;
	}
	WRITE_ONCE(host_scope, host);
	return 0;
}

static int get_scope(char *buffer, const struct kernel_param *kp)
{
	return scnprintf(buffer, PAGE_SIZE, "%s\n", host_scope ? "host" : "vm");
}

static const struct kernel_param_ops scope_ops = { .set = set_scope, .get = get_scope };
module_param_cb(guest_leaf_scope, &scope_ops, NULL, 0644);
__MODULE_PARM_TYPE(guest_leaf_scope, "string");
MODULE_PARM_DESC(guest_leaf_scope, "whose exits a guest is told: its own VM's (vm, the default) or all VMs' (host)");
