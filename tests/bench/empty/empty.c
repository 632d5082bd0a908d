// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floor: probes on kvm_exit and kvm_entry that do nothing, attached in the
 * way of module/hooks.c. For the bench alone.
 */
#include <linux/module.h>
#include <linux/tracepoint.h>

struct kvm_vcpu;

static void empty_exit(void *data, struct kvm_vcpu *vcpu, u32 isa)
{
}

/*
 * Of the two prototypes of kvm_entry this is the longer one; the other lacks
 * 'immediate'. An argument in a register that nobody reads makes no difference.
 */
static void empty_entry(void *data, struct kvm_vcpu *vcpu, bool immediate)
{
}

static struct {
	const char *name;
	void *probe;
	struct tracepoint *tp;		/* attached to */
} hooks[] = {
	{ .name = "kvm_exit", .probe = empty_exit },
	{ .name = "kvm_entry", .probe = empty_entry },
};

static void detach(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (hooks[i].tp)
			tracepoint_probe_unregister(hooks[i].tp, hooks[i].probe, NULL);
		hooks[i].tp = NULL;
	}
}

static void attach_if_wanted(struct tracepoint *tp, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (!strcmp(tp->name, hooks[i].name) &&
		    !tracepoint_probe_register(tp, hooks[i].probe, NULL))
			hooks[i].tp = tp;
}

static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = ((struct tp_module *)data)->mod;
	unsigned int i;

	if (strcmp(mod->name, "kvm"))
		return NOTIFY_OK;
	if (event == MODULE_STATE_GOING)
		detach();
	if (event != MODULE_STATE_COMING)
		return NOTIFY_OK;
	for (i = 0; i < mod->num_tracepoints; i++)
		attach_if_wanted(tracepoint_ptr_deref(&mod->tracepoints_ptrs[i]), NULL);
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = module_event };

static void empty_unload(void)
{
	unregister_tracepoint_module_notifier(&notifier);
	detach();
	tracepoint_synchronize_unregister();
}

/* Unlike kvmstat it is of no use without its probes: then it does not load. */
static int __init empty_init(void)
{
	int err;

	for_each_kernel_tracepoint(attach_if_wanted, NULL);
	/* Tells of the modules that are already there, too. */
	err = register_tracepoint_module_notifier(&notifier);
	if (err) {
		detach();
		tracepoint_synchronize_unregister();
		return err;
	}
	if (hooks[0].tp && hooks[1].tp)
		return 0;
	empty_unload();
	return -ENOENT;
}

static void __exit empty_exit_module(void)
{
	empty_unload();
}

module_init(empty_init);
module_exit(empty_exit_module);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Empty probes on KVM's kvm_exit and kvm_entry");
