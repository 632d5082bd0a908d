// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What it costs to switch from one thread to another, in the clock of the lab,
 * which counts instructions: switches N
 *
 * Two processes on one CPU hand a byte to and fro through pipes, N times: each
 * time two switches. Prints the cost of one, with the system calls that it takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

static void hand_over(int from, int to)
{
	char byte = 0;

	if ((from >= 0 && read(from, &byte, 1) != 1) || (to >= 0 && write(to, &byte, 1) != 1)) {
		perror("switches: pipe");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	unsigned long n = argc == 2 ? strtoul(argv[1], NULL, 10) : 0, i;
	unsigned long long start, took;
	int there[2], back[2];
	pid_t child;

	if (!n) {
		fputs("usage: switches N\n", stderr);
		return 2;
	}
	if (pipe(there) || pipe(back)) {
		perror("switches: pipe");
		return 1;
	}
	child = fork();
	if (child < 0) {
		perror("switches: fork");
		return 1;
	}
	if (!child) {
		for (i = 0; i <= n; i++)
			hand_over(there[0], back[1]);
		return 0;
	}
	hand_over(-1, there[1]);	/* both run, their pages are there */
	hand_over(back[0], -1);
	start = __rdtsc();
	for (i = 0; i < n; i++) {
		hand_over(-1, there[1]);
		hand_over(back[0], -1);
	}
	took = __rdtsc() - start;
	waitpid(child, NULL, 0);
	printf("switch %.1f\n", (double)took / (2.0 * n));
	return fflush(stdout) ? 1 : 0;
}
