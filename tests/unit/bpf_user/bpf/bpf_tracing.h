/* SPDX-License-Identifier: GPL-2.0-only */
/* What bpf/ takes from libbpf's header of this name: a program is a function. */
#ifndef BPF_USER_TRACING_H
#define BPF_USER_TRACING_H

#define BPF_PROG(name, ...) name(__VA_ARGS__)
#define BPF_KPROBE(name, ...) name(__VA_ARGS__)

#endif
