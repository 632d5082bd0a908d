/* SPDX-License-Identifier: GPL-2.0-only */
/* Which exit codes there are, and which of them KVM handles. */
#ifndef KVMSTAT_EXIT_CODES_H
#define KVMSTAT_EXIT_CODES_H

#include <linux/types.h>

enum exit_code_state {
	EXIT_CODE_UNDEFINED,
	EXIT_CODE_NOT_HANDLED,	/* KVM has no handler, and does not ask the CPU for it */
	EXIT_CODE_HANDLED,
};

/* 'isa' is KVMSTAT_ISA_*; VMX: the basic reason; SVM: EXITCODE's low half. */
enum exit_code_state exit_code_state(u32 isa, u32 code);

#endif
