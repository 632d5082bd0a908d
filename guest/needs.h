/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest needs of the host: each returns NULL, or what is missing. */
#ifndef KVMSTAT_GUEST_NEEDS_H
#define KVMSTAT_GUEST_NEEDS_H

#include "catalogue.h"

const char *needs_xsetbv_intercept(enum world world);
const char *needs_invd_intercept(enum world world);
const char *needs_monitor(enum world world);
const char *needs_huge_pages(enum world world);
const char *needs_swap(enum world world);
const char *needs_emulated_apic(enum world world);
const char *needs_write_protection(enum world world);

#endif
