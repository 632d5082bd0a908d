/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A veth pair between host and jail: isolatePID with fe80::1 outside, PID being
 * the warden's, eth0 with fe80::2 inside. Link-local addresses belong to their
 * link: they clash neither with the host's networks nor with other jails.
 */
#ifndef KVMSTAT_ISOLATE_VETH_H
#define KVMSTAT_ISOLATE_VETH_H

#include <sys/types.h>

struct veth {
	pid_t helper;		/* who keeps the caller's rights outside */
	int go;			/* closed: the jail's network namespace is there */
};

/* Outside, before any namespace is entered. */
void veth_begin(struct veth *veth);

/*
 * In the jail's network namespace. The index of the interface in it, or 0 where
 * there is no pair: quietly where the caller has no right to make one, else with
 * a warning.
 */
int veth_connect(struct veth *veth);

/* At once, where the end of the namespace would take it down some time later. */
void veth_remove(int index);

#endif
