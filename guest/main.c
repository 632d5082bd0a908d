// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-guest: tiny guests whose exits are known in advance. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../module/uapi/kvmstat.h"
#include "../user/message.h"
#include "../user/reasons.h"
#include "../user/version.h"
#include "catalogue.h"
#include "cpu.h"
#include "verify.h"
#include "vm.h"

static int cmd_list(int argc, char **argv);
static int cmd_run(int argc, char **argv);
static int cmd_verify(int argc, char **argv);

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *arguments;
	const char *description;
} commands[] = {
	{ "list", cmd_list, "", "the guests and the exits that each must cause" },
	{ "run", cmd_run, "[OPTIONS] GUEST", "run a guest; its output goes to stdout" },
	{ "verify", cmd_verify, "[--count N] [GUEST…]",
	  "run guests (all of them) against the loaded module; prints TAP" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	size_t i;

	fprintf(to, "usage: kvmstat-guest COMMAND\n");
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  %-7s %-21s %s\n", commands[i].name, commands[i].arguments,
			commands[i].description);
	fprintf(to,
		"\n--count N: how often the guest does what it does (1 to 4294967295, less where\n"
		"           memory bounds it: see list)\n"
		"--hold:    run leaves the VM standing, stopped, until its standard input ends\n"
		"           (KVM forgets its own counters of a VM with the VM)\n"
		"Exit status: 0 done, 1 the guest or the comparison failed, 2 wrong usage\n");
}

static int misuse(const char *what, const char *on)
{
	error("%s '%s': see kvmstat-guest --help", what, on);
	return EXIT_USAGE;
}

static int parse_count(const char *text, uint64_t *count)
{
	char *end;

	errno = 0;
	*count = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || !*count || *count > UINT32_MAX)
		return misuse("--count takes a number from 1 to 4294967295, not", text);
	return 0;
}

struct arguments {
	uint64_t count;		/* 0: not given */
	bool hold;
};

/* Leaves optind at the first argument that is no option. */
static int parse_options(int argc, char **argv, struct arguments *to)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'c' },
		{ "hold", no_argument, NULL, 'H' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c, err = 0;

	memset(to, 0, sizeof(*to));
	opterr = 0;
	while (!err && (c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (c == 'c')
			err = parse_count(optarg, &to->count);
		else if (c == 'H')
			to->hold = true;
		else if (c == 'h')
			usage(stdout), exit(finish_output(EXIT_DONE));
		else if (c == ':')
			err = misuse("a value is missing for", argv[optind - 1]);
		else
			err = misuse("no option", argv[optind - 1]);
	}
	return err;
}

static const struct guest *find_guest(const char *name, uint64_t count)
{
	const struct guest *guest = catalogue_find(name);
	size_t i;

	if (!guest) {
		fprintf(stderr, "kvmstat: no guest '%s': there are", name);
		for (i = 0; i < catalogue_size; i++)
			fprintf(stderr, " %s", catalogue[i].name);
		fputc('\n', stderr);
		return NULL;
	}
	if (guest->count_max && count > guest->count_max) {
		error("--count %llu: guest %s has room for %u", (unsigned long long)count,
		      name, guest->count_max);
		return NULL;
	}
	return guest;
}

static void list_expected(uint32_t isa, const struct expected *expect)
{
	char name[REASON_NAME_MAX];
	size_t i;

	for (i = 0; i < EXPECT_MAX && (expect[i].per_op || expect[i].once); i++) {
		printf("%s%s", i ? ", " : "", reason_name(isa, expect[i].code, name));
		if (expect[i].per_op)
			printf(" %ux", expect[i].per_op);
		if (expect[i].once)
			printf(" +%u", expect[i].once);
	}
	putchar('\n');
}

static int cmd_list(int argc, char **argv)
{
	struct arguments given;
	size_t i;
	int w, err;

	err = parse_options(argc, argv, &given);
	if (err)
		return err;
	if (optind < argc || given.count || given.hold)
		return misuse("list takes no argument, not", argv[argc - 1]);
	printf("Exits: N x the count, and +N besides (of a measured guest, +1 is its end mark).\n");
	for (i = 0; i < catalogue_size; i++) {
		const struct guest *guest = &catalogue[i];

		printf("\n%-12s %s\n", guest->name, guest->description);
		printf("  %-26s %u%s", "count", guest->count, guest->count_max ? "" : "\n");
		if (guest->count_max)
			printf(" (at most %u)\n", guest->count_max);
		for (w = 0; w < NR_WORLDS; w++) {
			printf("  %-26s ", world_name(w));
			list_expected(w < VMX_NESTED ? KVMSTAT_ISA_SVM : KVMSTAT_ISA_VMX,
				      guest->expect[w]);
		}
	}
	return EXIT_DONE;
}

/*
 * Whoever has a VM's file open keeps the VM: a process that does nothing else,
 * and stands in nobody's way who waits for our output to end.
 */
static int hold_vm(void)
{
	pid_t pid;
	char c;

	if (flush_output() < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		error("cannot fork to hold the VM: %s", strerror(errno));
	if (pid)
		return pid < 0 ? -1 : 0;
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	_exit(EXIT_DONE);
}

static int cmd_run(int argc, char **argv)
{
	struct arguments given;
	const struct guest *guest;
	struct vm *vm;
	int err;

	err = parse_options(argc, argv, &given);
	if (err)
		return err;
	if (optind != argc - 1) {
		error("run takes one GUEST: see kvmstat-guest list");
		return EXIT_USAGE;
	}
	guest = find_guest(argv[optind], given.count);
	if (!guest)
		return EXIT_USAGE;
	vm = vm_create();
	vm_load(vm, guest, given.count ? given.count : guest->count);
	err = vm_run(vm, guest);
	if (!err && given.hold)
		err = hold_vm();
	vm_destroy(vm);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int cmd_verify(int argc, char **argv)
{
	const struct guest **guests;
	struct arguments given;
	size_t i, nr;
	int err;

	err = parse_options(argc, argv, &given);
	if (err)
		return err;
	if (given.hold)
		return misuse("verify does not take", "--hold");
	nr = optind < argc ? (size_t)(argc - optind) : catalogue_size;
	guests = calloc(nr, sizeof(*guests));
	if (!guests)
		return EXIT_FAILED;
	for (i = 0; i < nr && !err; i++) {
		guests[i] = optind < argc ? find_guest(argv[optind + i], given.count) :
			    find_guest(catalogue[i].name, 0);
		if (!guests[i])
			err = EXIT_USAGE;
	}
	if (!err)
		err = verify(guests, nr, given.count);
	free(guests);
	return err;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return finish_output(EXIT_DONE);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("kvmstat-guest " KVMSTAT_VERSION);
		return finish_output(EXIT_DONE);
	}
	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, argv[1]))
			return finish_output(commands[i].run(argc - 1, argv + 1));
	return misuse("no command", argv[1]);
}
