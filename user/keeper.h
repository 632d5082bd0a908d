/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper: a process of our own that alone changes the paging mode, and
 * puts it back on every way out. It sits in a session of its own with all
 * signals blocked and learns of our end, by whatever cause (SIGKILL
 * included), from the end of file on its socket. It then kills what is left
 * of COMMAND, waits for the vendor module to be free, and restores it.
 */
#ifndef KVMSTAT_KEEPER_H
#define KVMSTAT_KEEPER_H

#include <sys/types.h>

#include "vendor.h"

struct keeper {
	const struct vendor *vendor;
	pid_t pid;
	int socket;
};

/* 0, or -1 after an error message. Nothing is changed yet. */
int keeper_start(struct keeper *keeper, const struct vendor *vendor);
/* Reloads the vendor module with that paging; 0, or -1 after an error message. */
int keeper_set_paging(struct keeper *keeper, enum paging paging);
/* COMMAND's process group is the keeper's to kill; 0: it is gone. */
void keeper_watch(struct keeper *keeper, pid_t group);
/*
 * Has everything restored and makes sure of it, by itself if the keeper was
 * killed. 0, or -1 after an error message.
 */
int keeper_finish(struct keeper *keeper);

#endif
