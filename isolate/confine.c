// SPDX-License-Identifier: GPL-2.0-or-later
/* What a VMM gives up once all that it needs is open: files and capabilities. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../user/message.h"
#include "jail.h"

static int empty_directory(void)
{
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int dir = -1;

	if (fs < 0)
		return -1;
	if (!fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		dir = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	close(fs);
	return dir;
}

/* As a mount of our own, in no namespace, so that none but us finds it read-only. */
static int mounted_again(int root, bool writable)
{
	struct mount_attr attr = { .attr_set = writable ? 0 : MOUNT_ATTR_RDONLY };
	int dir = open_tree(root, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE |
			    OPEN_TREE_CLOEXEC);

	if (dir < 0)
		return -1;
	if (!mount_setattr(dir, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) &&
	    dup3(dir, root, O_CLOEXEC) >= 0)
		return dir;
	close(dir);
	return -1;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = {};

	return syscall(SYS_capset, &header, none);
}

int jail_confine(int root, bool writable)
{
	int dir = root < 0 ? empty_directory() : mounted_again(root, writable);
	int err = dir < 0 || fchdir(dir) < 0 || chroot(".") < 0 || drop_capabilities() < 0;

	if (err)
		error("cannot make the guest's directory the only one: %s: enter the jail first",
		      strerror(errno));
	if (dir >= 0)
		close(dir);
	return err ? -1 : 0;
}
