/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's settings in /proc and /sys ask who owns them, not for a
 * capability, and root does, in whichever user namespace. So a jail that root
 * starts has them read-only. Both functions do nothing for others.
 */
#ifndef KVMSTAT_ISOLATE_SETTINGS_H
#define KVMSTAT_ISOLATE_SETTINGS_H

/*
 * Every /proc and /sys there is, and cgroups; in the outer namespaces, before the
 * jail's own /proc is mounted.
 */
int settings_lock_host(void);

/* Those in the jail's /proc, the rest of which stays writable. */
int settings_lock_own(void);

#endif
