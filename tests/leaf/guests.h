/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guests.S: the code of all, from guest_code to guest_end, and where each begins. */
#ifndef LEAF_GUESTS_H
#define LEAF_GUESTS_H

#include <stdint.h>

extern const uint8_t guest_code[], guest_end[];

#define GUEST(name) extern const uint8_t name##_real[], name##_long[], name##_user[]
GUEST(cpuid);
GUEST(out);
GUEST(leaf);
GUEST(vmcall);
GUEST(vmmcall);
GUEST(ask_vmcall);
GUEST(ask_vmmcall);
#undef GUEST

#endif
