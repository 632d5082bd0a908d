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
 * guest_leaf.c's and guest_spaces.c's mutex, tracepoints_mutex and kprobe_mutex.
 */
#define pr_fmt(fmt) "kvmstat: " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/tracepoint.h>

#include "btf.h"
#include "compat.h"
#include "guest_leaf.h"
#include "guest_spaces.h"
#include "hooks.h"
#include "probes.h"
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

/*
 * In the order in which they are attached: whoever brings time to an exit comes
 * before it, and the entry last, for an entry without its exit would count as
 * untraced.
 */
enum { HOOK_SWITCH, HOOK_USERSPACE_EXIT, HOOK_FPU, HOOK_EXIT, HOOK_ENTRY, NR_HOOKS };

static const struct hook {
	const char *tracepoint;
	bool of_kvm;		/* else of the kernel itself */
} hooks[NR_HOOKS] = {
	[HOOK_SWITCH] = { "sched_switch", false },
	[HOOK_USERSPACE_EXIT] = { "kvm_userspace_exit", true },
	[HOOK_FPU] = { "kvm_fpu", true },
	[HOOK_EXIT] = { "kvm_exit", true },
	[HOOK_ENTRY] = { "kvm_entry", true },
};

/* The prototypes we know how to be called with; more than one where kernels differ. */
static const struct probe {
	int hook;
	const char *prototype;
	void *function;
} probes[] = {
	{ HOOK_SWITCH, "void (void *, bool, struct task_struct *, struct task_struct *, unsigned int)",
	  probe_switch },
	{ HOOK_USERSPACE_EXIT, "void (void *, __u32, int)", probe_userspace_exit },
	{ HOOK_FPU, "void (void *, int)", probe_fpu },
	{ HOOK_EXIT, EXIT_PROTOTYPE, probe_exit },
	/* Since 6.10, and stable kernels that took it over, it says why. */
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
	registry_vm_gone((struct kvm *)regs_get_kernel_argument(regs, 0), probe_last_look);
	return 0;
}

/* The first before KVM waits for what is still going on elsewhere; older kernels lack it. */
static const char * const death_symbols[] = { "kvm_arch_pre_destroy_vm", "kvm_arch_destroy_vm" };

static struct kprobe death_probe;

static int attach_death(void)
{
	int err = -ENOENT;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(death_symbols) && err; i++) {
		death_probe = (struct kprobe) {
			.symbol_name = death_symbols[i],
			.pre_handler = vm_gone,
		};
		err = register_kprobe(&death_probe);
	}
	if (err)
		pr_err("no kprobe on %s (error %d), so a VM's end cannot be seen: is CONFIG_KPROBES on, and lockdown off?\n",
		       death_probe.symbol_name, err);
	hooked.death = !err;
	return err;
}

static void detach(void)
{
	int i;

	guest_spaces_kvm_gone();
	guest_leaf_kvm_gone();
	for (i = NR_HOOKS - 1; i >= 0; i--) {
		if (hooked.probe[i])
			tracepoint_probe_unregister(hooked.tp[i], hooked.probe[i]->function, NULL);
		hooked.probe[i] = NULL;
		if (hooks[i].of_kvm)
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
			       hooks[hook].tracepoint, prototype, probes[i].prototype);
	pr_err("not attached to kvm: build kvmstat for this kernel, or report this line\n");
}

static int choose_probes(const struct btf_files *kvm, const struct btf_files *kernel,
			 const struct probe *chosen[])
{
	char prototype[PROTOTYPE_MAX];
	int i;

	for (i = 0; i < NR_HOOKS; i++) {
		if (btf_probe_prototype(hooks[i].of_kvm ? kvm : kernel, hooks[i].tracepoint,
					prototype, sizeof(prototype)))
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
	struct btf_files kvm, kernel;
	int i, err;

	if (!check_prototypes) {
		for (i = 0; i < NR_HOOKS; i++)
			chosen[i] = probe_with(i, NULL);
		guest_leaf_prototypes(NULL);
		return 0;
	}
	err = btf_open(&kvm, owner);
	if (err)
		return err;
	kernel = btf_kernel(&kvm);
	err = choose_probes(&kvm, &kernel, chosen);
	guest_leaf_prototypes(&kvm);
	btf_close(&kvm);
	return err;
}

/* hooked.tp[] is filled in; 'owner' is where KVM lives: "kvm" or "vmlinux". */
static int attach(const char *owner)
{
	const struct probe *chosen[NR_HOOKS];
	int i, err;

	for (i = 0; i < NR_HOOKS; i++) {
		if (!hooked.tp[i]) {
			pr_err("%s has no tracepoint %s\n", hooks[i].of_kvm ? owner : "the kernel",
			       hooks[i].tracepoint);
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
			pr_err("no probe on %s (error %d)\n", hooks[i].tracepoint, err);
		else
			hooked.probe[i] = chosen[i];
	}
	return err;
}

static void note_tracepoint(struct tracepoint *tp, void *unused)
{
	int i;

	for (i = 0; i < NR_HOOKS; i++)
		if (!strcmp(tp->name, hooks[i].tracepoint))
			hooked.tp[i] = tp;
}

static void try_attach(const char *owner)
{
	hooked.error = attach(owner);
	hooked.refused = hooked.error;
	if (hooked.error) {
		detach();
		return;
	}
	guest_leaf_kvm_here();
	guest_spaces_kvm_here(hooked.tp[HOOK_ENTRY],
			      hooked.probe[HOOK_ENTRY]->function == probe_entry_immediate);
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

u32 hooks_state(void)
{
	return (READ_ONCE(hooked.probe[HOOK_EXIT]) ? KVMSTAT_HOOK_EXIT : 0) |
	       (READ_ONCE(hooked.probe[HOOK_ENTRY]) ? KVMSTAT_HOOK_ENTRY : 0) |
	       (READ_ONCE(hooked.probe[HOOK_SWITCH]) ? KVMSTAT_HOOK_SPLIT : 0) |
	       (READ_ONCE(hooked.death) ? KVMSTAT_HOOK_DEATH : 0) |
	       (reason_by_accessor() ? KVMSTAT_HOOK_ACCESSOR : 0) |
	       (guest_spaces_attached() ? KVMSTAT_HOOK_SPACES : 0) |
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
