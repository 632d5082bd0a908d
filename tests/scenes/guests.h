/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guests.S: the code of all, from guest_code to guest_end, and where each begins. */
#ifndef SCENES_GUESTS_H
#define SCENES_GUESTS_H

#include <stdint.h>

extern const uint8_t guest_code[], guest_cpuid[], guest_think[], guest_compute[],
		     guest_halt[], guest_timer[], guest_end[];

#endif
