/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine that this runs on. */
#ifndef KVMSTAT_MACHINE_H
#define KVMSTAT_MACHINE_H

#include <stdint.h>

/* KVMSTAT_ISA_*: what the CPU says that it has. */
uint32_t machine_cpu(void);
/* The same, but where KVM's vendor module is loaded, of that one. */
uint32_t machine_isa(void);
/* "6.1.0-56-amd64"; where it cannot be read an empty text. */
void machine_release(char *buf, int size);

#endif
