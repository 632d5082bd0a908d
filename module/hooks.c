// SPDX-License-Identifier: GPL-2.0-only
/*
 * The probes on KVM.
 *
 * Tracepoints are looked up by name while their module comes and goes, so
 * kvmstat loads before or after kvm, never pins it, and survives its reload.
 *
 * Everything here but the probes runs under the kernel's
 * tracepoint_module_list_mutex (the notifier) or in module init before the
 * notifier is registered, so 'hooked' needs no lock. Nested inside it:
 * tracepoints_mutex and kprobe_mutex.
 */
#define pr_fmt(fmt) "kvmstat: " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/tracepoint.h>
#include <asm/tsc.h>

#include "btf.h"
#include "compat.h"
#include "hooks.h"
#include "reason.h"
#include "registry.h"
#include "uapi/kvmstat.h"

#ifdef KVMSTAT_WRONG_PROTOTYPE	/* a test builds this, to see it refused */
#define EXIT_PROTOTYPE	"void (void *, int)"
#else
#define EXIT_PROTOTYPE	"void (void *, struct kvm_vcpu *, u32)"
#endif

#define PROTOTYPE_MAX	128

static bool check_prototypes = true;
module_param(check_prototypes, bool, 0444);
MODULE_PARM_DESC(check_prototypes,
		 "compare the probes with the kernel's BTF before attaching them (default Y)");

static u32 seen_isa;

static void probe_exit(void *data, struct kvm_vcpu *vcpu, u32 isa)
{
	struct vcpu_record *rec = registry_find(vcpu);
	u64 now = rdtsc();

	if (unlikely(!rec)) {
		rec = registry_add(vcpu);
		if (!rec) {
			registry_count_lost();
			return;
		}
	}
	if (unlikely(READ_ONCE(seen_isa) != isa))
		WRITE_ONCE(seen_isa, isa);
	tally_exit(&rec->tally, reason_read(vcpu, isa), now);
}

/* The exit before this entry fired no event; the hardware still has its reason. */
static noinline void count_untraced(struct vcpu_record *rec, struct kvm_vcpu *vcpu, u64 now)
{
	u32 isa = READ_ONCE(seen_isa);
	u64 code = isa == KVMSTAT_ISA_UNKNOWN ? TALLY_NO_REASON : reason_read(vcpu, isa);

	tally_untraced(&rec->tally, code, now);
}

static void probe_entry(void *data, struct kvm_vcpu *vcpu)
{
	struct vcpu_record *rec = registry_find(vcpu);
	u64 now;

	if (unlikely(!rec)) {
		rec = registry_add(vcpu);
		if (!rec)
			return;
	}
	now = rdtsc();
	if (unlikely(!tally_entry(&rec->tally, now)))
		count_untraced(rec, vcpu, now);
}

/* Kernels that say why they enter (6.10, and stable kernels that took it over). */
static void probe_entry_immediate(void *data, struct kvm_vcpu *vcpu, bool force_immediate_exit)
{
	probe_entry(data, vcpu);
}

/* In the order in which they are attached: an entry without its exit would count as untraced. */
enum { HOOK_EXIT, HOOK_ENTRY, NR_HOOKS };

static const char * const tracepoint_name[NR_HOOKS] = {
	[HOOK_EXIT] = "kvm_exit",
	[HOOK_ENTRY] = "kvm_entry",
};

/* The prototypes we know how to be called with; more than one where kernels differ. */
static const struct probe {
	int hook;
	const char *prototype;
	void *function;
} probes[] = {
	{ HOOK_EXIT, EXIT_PROTOTYPE, probe_exit },
	{ HOOK_ENTRY, "void (void *, struct kvm_vcpu *, bool)", probe_entry_immediate },
	{ HOOK_ENTRY, "void (void *, struct kvm_vcpu *)", probe_entry },
};

static struct {
	struct tracepoint *tp[NR_HOOKS];
	const struct probe *probe[NR_HOOKS];	/* NULL: not attached */
	bool death;
	bool refused;
	int error;		/* why not, for module init */
} hooked;

static int vm_gone(struct kprobe *kp, struct pt_regs *regs)
{
	registry_vm_gone((struct kvm *)regs_get_kernel_argument(regs, 0));
	return 0;
}

static struct kprobe death_probe;

static int attach_death(void)
{
	int err;

	death_probe = (struct kprobe) {
		.symbol_name = "kvm_arch_destroy_vm",
		.pre_handler = vm_gone,
	};
	err = register_kprobe(&death_probe);
	if (err)
		pr_err("no kprobe on %s (error %d), so a VM's end cannot be seen: is CONFIG_KPROBES on, and lockdown off?\n",
		       death_probe.symbol_name, err);
	hooked.death = !err;
	return err;
}

static void detach(void)
{
	int i;

	for (i = NR_HOOKS - 1; i >= 0; i--) {
		if (hooked.probe[i])
			tracepoint_probe_unregister(hooked.tp[i], hooked.probe[i]->function, NULL);
		hooked.probe[i] = NULL;
		hooked.tp[i] = NULL;
	}
	if (hooked.death)
		unregister_kprobe(&death_probe);
	hooked.death = false;
}

static const struct probe *probe_with(int hook, const char *prototype)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (probes[i].hook == hook &&
		    (!prototype || !strcmp(probes[i].prototype, prototype)))
			return &probes[i];
	return NULL;
}

static void refuse(int hook, const char *prototype)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (probes[i].hook == hook)
			pr_err("%s: this kernel calls probes as \"%s\", kvmstat expects \"%s\"\n",
			       tracepoint_name[hook], prototype, probes[i].prototype);
	pr_err("not attached to kvm: build kvmstat for this kernel, or report this line\n");
}

static int choose_probes(const struct btf_files *btf, const struct probe *chosen[])
{
	char prototype[PROTOTYPE_MAX];
	int i;

	for (i = 0; i < NR_HOOKS; i++) {
		if (btf_probe_prototype(btf, tracepoint_name[i], prototype, sizeof(prototype)))
			strscpy(prototype, "unknown", sizeof(prototype));
		chosen[i] = probe_with(i, prototype);
		if (!chosen[i]) {
			refuse(i, prototype);
			return -ENOEXEC;
		}
	}
	return 0;
}

static int check_and_choose(const char *owner, const struct probe *chosen[])
{
	struct btf_files btf;
	int i, err;

	if (!check_prototypes) {
		for (i = 0; i < NR_HOOKS; i++)
			chosen[i] = probe_with(i, NULL);
		return 0;
	}
	err = btf_open(&btf, owner);
	if (err)
		return err;
	err = choose_probes(&btf, chosen);
	btf_close(&btf);
	return err;
}

/* hooked.tp[] is filled in; 'owner' is where KVM lives: "kvm" or "vmlinux". */
static int attach(const char *owner)
{
	const struct probe *chosen[NR_HOOKS];
	int i, err;

	for (i = 0; i < NR_HOOKS; i++) {
		if (!hooked.tp[i]) {
			pr_err("%s has no tracepoint %s\n", owner, tracepoint_name[i]);
			return -ENOENT;
		}
	}
	err = check_and_choose(owner, chosen);
	if (err)
		return err;
	err = attach_death();
	for (i = 0; !err && i < NR_HOOKS; i++) {
		err = tracepoint_probe_register(hooked.tp[i], chosen[i]->function, NULL);
		if (err)
			pr_err("no probe on %s (error %d)\n", tracepoint_name[i], err);
		else
			hooked.probe[i] = chosen[i];
	}
	return err;
}

static void note_tracepoint(struct tracepoint *tp, void *unused)
{
	int i;

	for (i = 0; i < NR_HOOKS; i++)
		if (!strcmp(tp->name, tracepoint_name[i]))
			hooked.tp[i] = tp;
}

static void try_attach(const char *owner)
{
	hooked.error = attach(owner);
	hooked.refused = hooked.error;
	if (hooked.error)
		detach();
}

static void module_coming(struct module *mod)
{
	unsigned int i;

	for (i = 0; i < mod->num_tracepoints; i++)
		note_tracepoint(tracepoint_ptr_deref(&mod->tracepoints_ptrs[i]), NULL);
	try_attach(mod->name);
}

static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = ((struct tp_module *)data)->mod;

	if (strcmp(mod->name, "kvm"))
		return NOTIFY_OK;
	if (event == MODULE_STATE_COMING) {
		module_coming(mod);
	} else if (event == MODULE_STATE_GOING) {
		detach();
		hooked.refused = false;
	}
	return NOTIFY_OK;
}

static struct notifier_block module_notifier = { .notifier_call = module_event };

u32 hooks_isa(void)
{
	return READ_ONCE(seen_isa);
}

u32 hooks_state(void)
{
	return (READ_ONCE(hooked.probe[HOOK_EXIT]) ? KVMSTAT_HOOK_EXIT : 0) |
	       (READ_ONCE(hooked.probe[HOOK_ENTRY]) ? KVMSTAT_HOOK_ENTRY : 0) |
	       (READ_ONCE(hooked.death) ? KVMSTAT_HOOK_DEATH : 0) |
	       (READ_ONCE(hooked.refused) ? KVMSTAT_HOOK_REFUSED : 0);
}

static int attach_to_modules(void)
{
	/* Tells of the modules that are already there, too. */
	int err = register_tracepoint_module_notifier(&module_notifier);

	if (err)
		return err;
	if (hooked.error)
		unregister_tracepoint_module_notifier(&module_notifier);
	return hooked.error;
}

int hooks_init(void)
{
	int err;

	for_each_kernel_tracepoint(note_tracepoint, NULL);
	if (hooked.tp[HOOK_EXIT])
		try_attach("vmlinux");		/* KVM is built in */
	err = hooked.error;
	if (!err)
		err = attach_to_modules();
	if (err) {
		detach();
		tracepoint_synchronize_unregister();
	}
	return err;
}

void hooks_exit(void)
{
	unregister_tracepoint_module_notifier(&module_notifier);
	detach();
	tracepoint_synchronize_unregister();
}
