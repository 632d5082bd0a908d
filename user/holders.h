/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes that have /dev/kvm or a VM open. */
#ifndef KVMSTAT_HOLDERS_H
#define KVMSTAT_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>

/* As "pid 812 (qemu-system-x86), pid 90 (libvirtd)"; empty for none. */
void holders_describe(char *buf, size_t size);
bool holders_any(void);

#endif
