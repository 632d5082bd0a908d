/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The version of the tools; dkms.conf has it, too. */
#ifndef KVMSTAT_VERSION_H
#define KVMSTAT_VERSION_H

#define KVMSTAT_VERSION "0.1"

#endif
