// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole userspace of the workload's guest: says that it is there, lets
 * processes come and go and touch memory, and switches the machine off. What
 * a real system does most when it starts, in about a second.
 *
 * With the argument "leaf" it asks kvmstat's CPUID leaf how many exits its VM has
 * had, once a second for some seconds, while the host asks the same.
 */
#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../module/uapi/kvmstat.h"

#define PROCESSES	50
#define TOUCH_BYTES	(1 << 20)
#define LOOKS		8

static void touch_memory(void)
{
	char *p = mmap(NULL, TOUCH_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	memset(p, 1, TOUCH_BYTES);
	munmap(p, TOUCH_BYTES);
}

static void read_leaf(void)
{
	unsigned int eax, ebx, ecx, edx;

	__cpuid(KVMSTAT_LEAF_TOTAL, eax, ebx, ecx, edx);
	printf("leaf: exits %llu cycles %llu\n", (unsigned long long)edx << 32 | eax,
	       (unsigned long long)ebx << 32 | ecx);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int i;

	puts("workload: userspace reached");
	fflush(stdout);
	if (argc > 1 && !strcmp(argv[1], "leaf")) {
		for (i = 0; i < LOOKS; i++) {
			read_leaf();
			sleep(1);
		}
	}
	for (i = 0; i < PROCESSES; i++) {
		pid_t child = fork();

		if (!child) {
			touch_memory();
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
	puts("workload: done");
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return EXIT_FAILURE;
}
