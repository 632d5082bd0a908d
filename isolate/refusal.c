// SPDX-License-Identifier: GPL-2.0-or-later
/* Why there is no jail: the switches by which a system forbids namespaces. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../user/message.h"
#include "refusal.h"

/*
 * They hold for root, too: of the two user namespaces the second is made
 * without rights. A jail takes two user and two mount namespaces.
 */
static const struct {
	const char *sysctl;
	int least, most;	/* the values that allow it */
	const char *remedy;
} switches[] = {
	/* Debian and its descendants */
	{ "kernel/unprivileged_userns_clone", 1, INT_MAX,
	  "run \"sudo sysctl kernel.unprivileged_userns_clone=1\"" },
	/* Ubuntu 23.10 and later */
	{ "kernel/apparmor_restrict_unprivileged_userns", 0, 0,
	  "give this program an AppArmor profile with \"userns,\", or run \"sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0\"" },
	{ "user/max_user_namespaces", 2, INT_MAX,
	  "run \"sudo sysctl user.max_user_namespaces=10000\"" },
	{ "user/max_pid_namespaces", 1, INT_MAX,
	  "run \"sudo sysctl user.max_pid_namespaces=10000\"" },
	{ "user/max_mnt_namespaces", 2, INT_MAX,
	  "run \"sudo sysctl user.max_mnt_namespaces=10000\"" },
	{ "user/max_net_namespaces", 1, INT_MAX,
	  "run \"sudo sysctl user.max_net_namespaces=10000\"" },
	{ "user/max_uts_namespaces", 1, INT_MAX,
	  "run \"sudo sysctl user.max_uts_namespaces=10000\"" },
	{ "user/max_ipc_namespaces", 1, INT_MAX,
	  "run \"sudo sysctl user.max_ipc_namespaces=10000\"" },
};

/* Of the first switch that forbids a jail, or NULL. */
static const char *remedy_of_switch;

static bool forbids(size_t i)
{
	char path[128];
	FILE *file;
	int value;
	bool found;

	snprintf(path, sizeof(path), "/proc/sys/%s", switches[i].sysctl);
	file = fopen(path, "re");
	if (!file)
		return false;
	found = fscanf(file, "%d", &value) == 1 &&
		(value < switches[i].least || value > switches[i].most);
	fclose(file);
	return found;
}

void refusal_begin(void)
{
	size_t i;

	for (i = 0; i < sizeof(switches) / sizeof(switches[0]) && !remedy_of_switch; i++)
		if (forbids(i))
			remedy_of_switch = switches[i].remedy;
}

/* unshare(2), user_namespaces(7) */
static const char *remedy_of(int why)
{
	switch (why) {
	case EPERM:
	case EACCES:
		return "a chroot, or a container's filter of system calls, may forbid it: run it outside of that";
	case ENOSPC:
	case EUSERS:
		return "all that the sysctls user.max_*_namespaces allow are in use, or 32 are nested";
	case EROFS:
		return "this /proc is read-only, as in a jail in root's jail: run it outside of that";
	case EINVAL:
		return "the kernel needs CONFIG_USER_NS and the other namespaces";
	}
	return NULL;
}

int refusal(const char *what, int why)
{
	const char *remedy = remedy_of(why);

	if (remedy && remedy_of_switch)
		error("%s: this system forbids it: %s", what, remedy_of_switch);
	else if (remedy)
		error("%s: %s: %s", what, strerror(why), remedy);
	else
		error("%s: %s", what, strerror(why));
	return -1;
}

/* The kernel's mount_too_revealing(): a new /proc may not show more than the old one. */
int refusal_of_proc(int why)
{
	if (why != EPERM)
		return refusal("cannot mount the jail's /proc", why);
	error("cannot mount the jail's /proc: parts of this system's own are hidden, as containers do: run it outside of the container, or show it all (docker: --security-opt systempaths=unconfined)");
	return -1;
}

int refusal_of_no_proc(int why)
{
	error("cannot open /proc/self: %s: run \"mount -t proc none /proc\" first", strerror(why));
	return -1;
}
