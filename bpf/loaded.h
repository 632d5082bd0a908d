/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A collector: its programs, where this process loaded them, and its maps. */
#ifndef KVMSTAT_BPF_LOADED_H
#define KVMSTAT_BPF_LOADED_H

#include <sys/types.h>

#include "shared.h"
#include "programs.skel.h"
#include "tables.h"

#define LINKS_MAX 16

struct collector {
	struct programs *programs;	/* NULL of a pinned one */
	struct bpf_link *links[LINKS_MAX];
	size_t nr_links;
	ino_t pinned;		/* of a pinned one's settings; else 0 */
	int btf;		/* merged_btf.c's file, or -1 */
	int settings_fd, memory_fd;	/* maps of 'programs' */
	struct tables tables;
};

#endif
