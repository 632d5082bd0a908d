/* SPDX-License-Identifier: GPL-2.0-only */
/* What bpf/ takes from libbpf's header of this name, for a program (collector_user.c). */
#ifndef BPF_USER_HELPERS_H
#define BPF_USER_HELPERS_H

#include <linux/types.h>
#include <sys/cdefs.h>	/* __always_inline */

#define SEC(name)
#define __uint(name, value) int (*name)[value]
#define __type(name, value) struct { value it; } *name

void *bpf_map_lookup_elem(void *map, const void *key);
long bpf_map_update_elem(void *map, const void *key, const void *value, __u64 flags);
long bpf_map_delete_elem(void *map, const void *key);
long bpf_map_push_elem(void *map, const void *value, __u64 flags);
long bpf_map_pop_elem(void *map, void *value);
long bpf_loop(__u32 nr, void *function, void *context, __u64 flags);
long bpf_probe_read_kernel(void *to, __u32 size, const void *from);
__u64 bpf_ktime_get_ns(void);
__u64 bpf_get_current_task(void);
__u64 bpf_get_current_pid_tgid(void);
__u32 bpf_get_smp_processor_id(void);

#endif
