// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads the module again and again while the first, second, third… allocation
 * fails, until there is none left to fail: insmod_nth MODULE.ko PARAMETERS
 * With a third argument, STEP, only some are made to fail, further and further
 * apart: each time the STEPth part of the way so far.
 *
 * Whatever fails, nothing of the module may be left. Prints TAP. Wants a kernel
 * with FAILSLAB and Documentation/fault-injection's fail-nth.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* More than any load takes: no end in sight is a failure, too. */
#define MAX_N	20000

static int fail_nth;
static int nr_tests;

static void verdict(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++nr_tests, name);
}

static void die(const char *what)
{
	printf("# insmod_nth: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *read_whole(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *image;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	image = malloc(st.st_size);
	if (!image || read(fd, image, st.st_size) != st.st_size)
		die(path);
	close(fd);
	*size = st.st_size;
	return image;
}

static void arm(unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fail_nth, text, length, 0) != length)
		die("fail-nth");
}

/* Disarms; true when the failure had been used up. */
static bool disarm(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		die("fail-nth");
	arm(0);
	return !strtoul(text, NULL, 10);
}

static bool anything_left(void)
{
	return !access("/sys/module/kvmstat", F_OK) || !access("/dev/kvmstat", F_OK) ||
	       !access("/sys/kernel/debug/kvmstat", F_OK);
}

int main(int argc, char **argv)
{
	unsigned int n, refused = 0, strange = 0, left = 0;
	bool used = true;
	unsigned int step, tried = 0;
	size_t size;
	void *image;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: insmod_nth MODULE.ko PARAMETERS [STEP]\n");
		return 2;
	}
	step = argc > 3 ? atoi(argv[3]) : MAX_N + 1;
	if (!step)
		step = 1;
	image = read_whole(argv[1], &size);
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	if (fail_nth < 0)
		die("fail-nth");
	for (n = 1; used && n <= MAX_N; n += 1 + n / step) {
		long err;

		tried++;
		arm(n);
		err = syscall(SYS_init_module, image, size, argv[2]) ? errno : 0;
		used = disarm();
		if (!err && syscall(SYS_delete_module, "kvmstat", O_NONBLOCK))
			die("delete_module");
		if (err) {
			refused++;
			if (err != ENOMEM && strange++ < 10)
				printf("# allocation %u: %s\n", n, strerror(err));
		}
		if (anything_left() && left++ < 10)
			printf("# allocation %u: something is left\n", n);
	}
	printf("# %u of the allocations failed, one by one; with %u of them there is no load\n",
	       tried - 1, refused);
	verdict(!used, "insmod while its allocations fail one by one, and at last with none");
	verdict(refused > 0, "some of them it cannot do without");
	verdict(!left, "nothing is left behind");
	printf("1..%d\n", nr_tests);
	return used || !refused || left;
}
