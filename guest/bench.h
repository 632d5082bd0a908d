/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an operation costs: as the guest sees it, and as the module does. */
#ifndef KVMSTAT_GUEST_BENCH_H
#define KVMSTAT_GUEST_BENCH_H

#include <stdint.h>

/*
 * Prints a table. count: operations of each guest, as far as it goes; 0: 1000.
 * Without the module it has the guest's view alone. Returns an exit status.
 */
int bench(uint64_t count);

#endif
