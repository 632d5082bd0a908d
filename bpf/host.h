/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this kernel, and whoever runs this, have for the BPF collector. */
#ifndef KVMSTAT_BPF_HOST_H
#define KVMSTAT_BPF_HOST_H

#include <stdbool.h>
#include <stdint.h>

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"

struct host {
	bool kvm_built_in;	/* KVM's tracepoints are in vmlinux */
	bool kvm_btf;		/* the types of kvm are known, there or of the module */
	const char *vendor;	/* "kvm_amd" or "kvm_intel" if its types are known, else NULL */
	bool vendor_built_in;
	bool kprobes;
	bool module_btf;	/* the kernel lets us use the BTF of modules: CAP_SYS_ADMIN */
};

/* 0, or -1 after an error message: nothing can be counted here, or not by us. */
int host_look(struct host *host);
/* Why the programs could not be loaded, as far as it can be told. */
void host_explain_load(int err, const char *libbpf_said);

/*
 * For who may not have the BTF of modules: that of vmlinux and of the vendor module
 * as one file, of which only the descriptor is left; libbpf takes a path such as
 * /proc/self/fd/N. -1 after an error message.
 */
int host_merged_btf(const char *vendor);

#endif
