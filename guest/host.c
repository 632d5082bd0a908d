// SPDX-License-Identifier: GPL-2.0-or-later
/* What the host does to a VM. */
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "host.h"
#include "vm.h"

/*
 * KVM before 5.19 has no such quirk and takes them for NOPs: as many exits. Later
 * ones write a warning into the kernel's log when they do so.
 */
void host_disable_quirks(struct vm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_DISABLE_QUIRKS2, .args = { KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS },
	};

	if (ioctl(vm->fd, KVM_CHECK_EXTENSION, cap.cap) & KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS)
		vm_ioctl(vm->fd, KVM_ENABLE_CAP, &cap, "KVM_ENABLE_CAP");
}
