/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the fields of the trace event kvm_exit are in its record. */
#ifndef KVMSTAT_BPF_RECORD_FORMAT_H
#define KVMSTAT_BPF_RECORD_FORMAT_H

#include "shared.h"

/* 0, or -1 after an error message. */
int record_format_read(struct settings *settings);

#endif
