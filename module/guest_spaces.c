// SPDX-License-Identifier: GPL-2.0-only
/*
 * The address spaces of guests, by the CR3 that they enter with.
 *
 * A probe of its own on kvm_entry, so that counting exits costs the same whether
 * there is one or not. It is called after the one of probes.c, which is attached
 * first, and finds the vCPU's record where that has left it; with interrupts off,
 * like that one.
 *
 * Without nested paging a guest's load of CR3 exits (SVM: svm_set_intercept() of
 * INTERCEPT_CR3_WRITE in init_vmcb(); VMX: "CR3-load exiting", which KVM leaves on
 * without EPT), and arch.cr3 is what the guest believes to be there. With nested
 * paging the CPU's own CR3 is the guest's, and where KVM has set it, KVM has
 * written it to the VMCB or VMCS before the entry: svm_load_mmu_pgd(),
 * vmx_load_mmu_pgd().
 */
#define pr_fmt(fmt) "kvmstat: " fmt

#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/tracepoint.h>
#include <asm/cpufeature.h>
#include <asm/tsc.h>

#include "compat.h"
#include "guest_spaces.h"
#include "reason.h"
#include "registry.h"
#include "spaces.h"
#include "uapi/kvmstat.h"

/* PCIDs of page table isolation: the user's half is told by this bit. */
#define PCID_USER	BIT_ULL(11)

/*
 * Protects all of these but 'epoch', which changes under registry_mutex as well.
 * Nests in tracepoint_module_list_mutex (kvm comes or goes), or in the lock of our
 * parameters and registry_mutex; tracepoints_mutex nests inside.
 */
static DEFINE_MUTEX(spaces_mutex);
static bool switched_on;
static struct tracepoint *entry_event;	/* NULL: KVM is not here */
static void *probe;
static bool attached;

/* Counts how often it was switched on; what is of an earlier time does not count. */
static u32 epoch;

enum paging { PAGING_UNREADABLE, PAGING_SHADOW, PAGING_NESTED };

/* No VMCS is without controls: where it reads as 0, it is not the one that is used. */
static notrace enum paging paging_of(struct kvm_vcpu *vcpu)
{
	if (boot_cpu_has(X86_FEATURE_SVM))
		return vmcb_nested_paging(reason_vmcb(vcpu)) ? PAGING_NESTED : PAGING_SHADOW;
	if (!reason_vmread(CPU_BASED_VM_EXEC_CONTROL))
		return PAGING_UNREADABLE;
	return reason_vmread(SECONDARY_VM_EXEC_CONTROL) & SECONDARY_EXEC_ENABLE_EPT ?
	       PAGING_NESTED : PAGING_SHADOW;
}

/* What this entry runs with: as the guest has loaded it. */
static notrace u64 guest_cr3(struct kvm_vcpu *vcpu, bool nested)
{
	if (!nested)
		return vcpu->arch.cr3;
	if (boot_cpu_has(X86_FEATURE_SVM))
		return reason_vmcb(vcpu)->save.cr3;
	return reason_vmread(GUEST_CR3);
}

/*
 * The address in it: without PCID or PWT and PCD, linear address masking and bit 63
 * (SDM vol. 3, 4.5; APM vol. 2, 5.3.2 and, of PAE paging, 5.2.2). KVM never leaves
 * CR4.PAE, CR4.PCIDE or EFER.LMA to the guest.
 */
static notrace u64 address_in(struct kvm_vcpu *vcpu, u64 cr3)
{
	if (vcpu->arch.efer & EFER_LMA)
		return cr3 & GENMASK_ULL(51, 12);
	return cr3 & (vcpu->arch.cr4 & X86_CR4_PAE ? GENMASK_ULL(31, 5) : GENMASK_ULL(31, 12));
}

static notrace u32 pcid_flag(struct kvm_vcpu *vcpu, u64 cr3)
{
	if (!(vcpu->arch.cr4 & X86_CR4_PCIDE))
		return 0;
	return cr3 & PCID_USER ? KVMSTAT_SPACE_PCID_HIGH : KVMSTAT_SPACE_PCID_LOW;
}

/* First entry of this vCPU since it was switched on. */
static noinline notrace void begin(struct spaces *s, struct kvm_vcpu *vcpu, u32 now)
{
	s->nested = paging_of(vcpu) == PAGING_NESTED;
	spaces_restart(s, now);
}

/*
 * Another hypervisor below may keep the VMCS in memory of its own: then the exit
 * reason, which is read first, was not there either.
 */
static notrace bool readable(const struct vcpu_record *rec, struct kvm_vcpu *vcpu)
{
	return rec->reason.way == REASON_FAST ||
	       (rec->reason.way == REASON_CHECKING && paging_of(vcpu) != PAGING_UNREADABLE);
}

static __always_inline void entry(struct kvm_vcpu *vcpu)
{
	struct vcpu_record *rec = this_cpu_read(vcpu_in_run);
	u32 now = READ_ONCE(epoch);
	struct spaces *s;
	u64 cr3;

	if (reason_from_l2(vcpu) || vcpu->arch.guest_state_protected ||
	    !(vcpu->arch.cr0 & X86_CR0_PG))
		return;
	/* A reset has just come, or there is no memory for the vCPU's record at all. */
	if (unlikely(rec->match != vcpu))
		return;
	s = &rec->spaces;
	if (unlikely(s->epoch != now))
		begin(s, vcpu, now);
	if (unlikely(!readable(rec, vcpu))) {
		s->unread++;
		return;
	}
	cr3 = guest_cr3(vcpu, s->nested);
	spaces_entry(s, address_in(vcpu, cr3), pcid_flag(vcpu, cr3), rdtsc());
}

static notrace void probe_spaces(void *data, struct kvm_vcpu *vcpu)
{
	entry(vcpu);
}

static notrace void probe_spaces_immediate(void *data, struct kvm_vcpu *vcpu,
					   bool force_immediate_exit)
{
	entry(vcpu);
}

static int attach(void)
{
	int err = tracepoint_probe_register(entry_event, probe, NULL);

	if (err)
		pr_err("no probe on %s for guest_spaces, which stays off (error %d)\n",
		       entry_event->name, err);
	attached = !err;
	return err;
}

static void detach(void)
{
	if (attached)
		tracepoint_probe_unregister(entry_event, probe, NULL);
	attached = false;
}

void guest_spaces_kvm_here(struct tracepoint *event, bool immediate)
{
	mutex_lock(&spaces_mutex);
	entry_event = event;
	probe = immediate ? (void *)probe_spaces_immediate : (void *)probe_spaces;
	if (switched_on)
		switched_on = !attach();
	mutex_unlock(&spaces_mutex);
}

void guest_spaces_kvm_gone(void)
{
	mutex_lock(&spaces_mutex);
	detach();
	entry_event = NULL;
	mutex_unlock(&spaces_mutex);
}

bool guest_spaces_current(const struct spaces *s)
{
	/* Pairs with spaces_restart(): they were cleared before. */
	return smp_load_acquire(&s->epoch) == epoch;
}

u32 guest_spaces_epoch(void)
{
	return READ_ONCE(switched_on) ? epoch : 0;
}

bool guest_spaces_attached(void)
{
	return READ_ONCE(attached);
}

/* Where KVM is not there, now or yet, it is a wish. */
static int switch_spaces(bool on)
{
	int err = 0;

	mutex_lock(&registry_mutex);
	mutex_lock(&spaces_mutex);
	if (!on) {
		detach();
	} else if (!switched_on) {
		WRITE_ONCE(epoch, epoch + 1);
		err = entry_event ? attach() : 0;
	}
	if (!err)
		switched_on = on;
	mutex_unlock(&spaces_mutex);
	mutex_unlock(&registry_mutex);
	return err;
}

static int set_guest_spaces(const char *value, const struct kernel_param *kp)
{
	bool on;

	if (value && kstrtobool(value, &on)) {
		pr_err("guest_spaces is 0 or 1: not changed\n");
		return -EINVAL;
	}
	return switch_spaces(value ? on : true);
}

static const struct kernel_param_ops guest_spaces_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_guest_spaces,
	.get = param_get_bool,
};
module_param_cb(guest_spaces, &guest_spaces_ops, &switched_on, 0644);
__MODULE_PARM_TYPE(guest_spaces, "bool");
MODULE_PARM_DESC(guest_spaces, "the address spaces of guests are told apart by CR3 (default N)");
