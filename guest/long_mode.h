/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 64-bit mode: register state and page tables (SDM vol. 3, 4.5; APM vol. 2, 5.3). */
#ifndef KVMSTAT_GUEST_LONG_MODE_H
#define KVMSTAT_GUEST_LONG_MODE_H

#include <linux/kvm.h>
#include <stdint.h>

/* Changes what differs from the state that KVM_GET_SREGS gave. */
void long_mode_sregs(struct kvm_sregs *sregs);
void long_mode_page_tables(uint8_t *memory);

#endif
