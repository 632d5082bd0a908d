// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole userspace of an L1 guest: loads the modules that lie in /modules, in
 * the order of their names, runs /guest (a hypervisor) with the arguments that
 * the kernel's command line has behind "--", says how it ended, and switches off.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void load(const char *name)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/modules/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
		perror(path);
	close(fd);
}

static void load_modules(void)
{
	struct dirent **names;
	int i, n = scandir("/modules", &names, NULL, alphasort);

	for (i = 0; i < n; i++)
		if (names[i]->d_name[0] != '.')
			load(names[i]->d_name);
}

int main(int argc, char **argv)
{
	int status = -1;
	pid_t child;

	(void)argc;
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	load_modules();
	child = fork();
	if (!child) {
		argv[0] = "/guest";
		execv(argv[0], argv);
		_exit(127);
	}
	waitpid(child, &status, 0);
	printf("nested: status %d\n", status);
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return EXIT_FAILURE;
}
