/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of what bpftool makes of bpf/kvmstat.bpf.c: the memory that a reader maps. */
#ifndef BPF_USER_PROGRAMS_SKEL_H
#define BPF_USER_PROGRAMS_SKEL_H

struct programs__bss {
	struct totals_of_all all;
	struct vcpu vcpus[MAX_VCPUS];
	struct vm vms[MAX_VMS];
	struct cell cells[MAX_CELLS];
};

#endif
