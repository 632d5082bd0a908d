/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/kvmstat: the ioctls of uapi/kvmstat.h. */
#ifndef KVMSTAT_CHARDEV_H
#define KVMSTAT_CHARDEV_H

int chardev_init(void);
void chardev_exit(void);

#endif
