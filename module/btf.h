/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the running kernel says a tracepoint's probe is called with.
 *
 * Registering a probe takes a void *, and version numbers do not tell which
 * prototype a distribution's kernel has. Its BTF does: the typedef
 * btf_trace_NAME, in the BTF of the module that defines the tracepoint.
 */
#ifndef KVMSTAT_BTF_H
#define KVMSTAT_BTF_H

#include <linux/types.h>

struct btf_image {
	void *data;
	size_t size;
	u32 first_id;		/* of its first type: ids go on where the base's end */
	u32 first_string;	/* likewise */
};

struct btf_files {
	struct btf_image base;		/* vmlinux */
	struct btf_image split;		/* the module's own, none if KVM is built in */
};

/* 0 or an error after a message; 'module' may be "vmlinux". */
int btf_open(struct btf_files *btf, const char *module);
void btf_close(struct btf_files *btf);

/* The part of it that is the kernel's own; not to be closed. */
static inline struct btf_files btf_kernel(const struct btf_files *btf)
{
	return (struct btf_files){ .base = btf->base };
}

/*
 * Writes the prototype of a tracepoint's probes as C, for example
 * "void (void *, struct kvm_vcpu *, u32)". -ENOENT if there is none.
 */
int btf_probe_prototype(const struct btf_files *btf, const char *tracepoint,
			char *out, size_t size);

/* The same for a function of the module's. */
int btf_function_prototype(const struct btf_files *btf, const char *function,
			   char *out, size_t size);

#endif
