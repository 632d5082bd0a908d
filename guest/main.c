// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-guest: tiny guests whose exits are known in advance. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../isolate/jail.h"
#include "../module/uapi/kvmstat.h"
#include "../user/message.h"
#include "../user/reasons.h"
#include "../user/version.h"
#include "arguments.h"
#include "bench.h"
#include "catalogue.h"
#include "cpu.h"
#include "image.h"
#include "layout.h"
#include "verify.h"
#include "vm.h"

static int cmd_list(int nr, char **names, const struct arguments *given);
static int cmd_run(int nr, char **names, const struct arguments *given);
static int cmd_verify(int nr, char **names, const struct arguments *given);
static int cmd_layout(int nr, char **names, const struct arguments *given);
static int cmd_bench(int nr, char **names, const struct arguments *given);

static const struct {
	const char *name;
	int (*run)(int nr, char **names, const struct arguments *given);
	const char *options;	/* that it takes: see arguments.h */
	const char *arguments;
	const char *description;
} commands[] = {
	{ "list", cmd_list, "", "", "the guests and the exits that each must cause" },
	{ "run", cmd_run, "mvcHrI", "[OPTIONS] GUEST", "run a guest; its output goes to stdout" },
	{ "verify", cmd_verify, "mvcs", "[OPTIONS] [GUEST...]",
	  "run guests (all of them), and compare what was counted; prints TAP" },
	{ "layout", cmd_layout, "mvc", "[OPTIONS] GUEST",
	  "run a guest, then show its memory and page tables" },
	{ "bench", cmd_bench, "c", "[--count N]", "what hypercalls, traps and interrupts cost: a table" },
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
		"\nGUEST is one of the list, or for run and layout a file of your own: a static ELF\n"
		"executable (64 bit: long mode, 32 bit: protected mode), or a flat image for real\n"
		"mode. It is at its end when it halts, or when its first function returns.\n\n"
		"--count N:   how often the guest does what it does (1 to 4294967295, less where\n"
		"             memory bounds it: see list)\n"
		"--mode MODE: real, protected, paged (32 bit) or long: the guest's form for that\n"
		"             mode of the CPU, where it has one (run: long; verify: all it has)\n"
		"--vcpus N:   so many vCPUs (1 to %d) run it at once, each in a part of the memory\n"
		"             of its own\n"
		"--source S:  verify: whose counts: module (the default where it is loaded), or bpf\n"
		"--root DIR:  run gives the guest the files below DIR, to read (hypercalls.h says\n"
		"             how); with --writable to change, and to create, too\n"
		"--isolate:   run does it in namespaces of its own (see isolate), with a filter\n"
		"             that lets no system call through but those it takes\n"
		"--hold:      run leaves the VM standing, stopped, until its standard input ends\n"
		"             (KVM forgets its own counters of a VM with the VM)\n"
		"bench:       SEEN is what the guest measures by its TSC, its own loop included; the\n"
		"             module counts from kvm_exit to kvm_entry (KERNEL, USER, OFFCPU, and\n"
		"             TOTAL, their sum), so not the way from the guest to KVM and back;\n"
		"             RATIO is SEEN, against the hypercall's\n"
		"Exit status: 0 done, 1 the guest or the comparison failed, 2 wrong usage\n", VCPUS_MAX);
}

static bool has_room(const struct guest *guest, uint64_t count)
{
	if (!guest->count_max || count <= guest->count_max)
		return true;
	error("--count %llu: guest %s does it %u time%s at most", (unsigned long long)count,
	      guest->name, guest->count_max, guest->count_max == 1 ? "" : "s");
	return false;
}

/* A flat image takes its addresses from the first vCPU's part on, whatever vCPU it runs on. */
static bool takes_vcpus(const struct guest *guest, unsigned int vcpus)
{
	unsigned int can = guest->image && guest->mode == MODE_REAL ? 1 : vm_vcpus(guest, vcpus);

	if (!vcpus || can == vcpus)
		return true;
	error("--vcpus %u: guest %s runs on %u%s", vcpus, guest->name,
	      guest->vcpus ? guest->vcpus : 1,
	      guest->alone || guest->image ? " and no more" : ", or a multiple");
	return false;
}

static bool is_known(const char *name)
{
	size_t i;

	for (i = 0; i < catalogue_size; i++)
		if (!strcmp(catalogue[i].name, name))
			return true;
	return false;
}

static int unknown_guest(const char *name, const char *or_what)
{
	size_t i;

	fprintf(stderr, "kvmstat: no guest '%s': there are", name);
	for (i = 0; i < catalogue_size; i++)
		if (!i || strcmp(catalogue[i].name, catalogue[i - 1].name))
			fprintf(stderr, " %s", catalogue[i].name);
	fprintf(stderr, "%s\n", or_what);
	return EXIT_USAGE;
}

/* The one that the arguments name; NULL and an exit status after a message. */
static const struct guest *choose(int nr, char **names, const struct arguments *given, int *status)
{
	enum mode mode = given->mode < NR_MODES ? given->mode : MODE_LONG;
	const struct guest *guest;

	*status = EXIT_USAGE;
	if (nr != 1) {
		error("one GUEST is wanted: see kvmstat-guest list");
		return NULL;
	}
	if (strchr(names[0], '/')) {
		guest = image_open(names[0], given->mode);
		if (!guest)
			*status = EXIT_FAILED;
		return guest && takes_vcpus(guest, given->vcpus) ? guest : NULL;
	}
	guest = catalogue_find(names[0], mode);
	if (!guest && is_known(names[0]))
		error("guest %s has no form for %s mode: see kvmstat-guest list", names[0],
		      modes[mode].name);
	else if (!guest)
		*status = unknown_guest(names[0], ", or a file's name with a / in it");
	return guest && has_room(guest, given->count) && takes_vcpus(guest, given->vcpus) ?
	       guest : NULL;
}

static void list_expected(uint32_t isa, const struct expected *expect)
{
	char name[REASON_NAME_MAX];
	size_t i;

	for (i = 0; i < EXPECT_MAX && expected_listed(&expect[i]); i++) {
		printf("%s%s", i ? ", " : "", reason_name(isa, expect[i].code, name));
		if (expect[i].per_op)
			printf(" %ux", expect[i].per_op);
		if (expect[i].once)
			printf(" +%u", expect[i].once);
		if (expect[i].every)
			printf(" (at most one more in %u)", expect[i].every);
		if (expect[i].interrupts)
			printf(" (at most one more for each interrupt of the host)");
		if (expect[i].of != ALL_VCPUS)
			printf(expect[i].of == FIRST_VCPU ? " (of the first vCPU)" : " (of the others)");
	}
	putchar('\n');
}

static int cmd_list(int nr, char **names, const struct arguments *given)
{
	size_t i;
	int w;

	(void)given;
	if (nr)
		return misuse("list takes no argument, not", names[0]);
	printf("Exits: N x the count, and +N besides (of a measured guest, +1 is its end mark).\n");
	for (i = 0; i < catalogue_size; i++) {
		const struct guest *guest = &catalogue[i];

		printf("\n%-12s %s\n", guest->name, guest->description);
		printf("  %-26s %s\n", "mode", modes[guest->mode].name);
		printf("  %-26s %u", "count", guest->count);
		if (guest->count_max)
			printf(" (at most %u)", guest->count_max);
		putchar('\n');
		if (guest->vcpus || guest->alone)
			printf("  %-26s %u%s\n", "vCPUs", guest->vcpus ? guest->vcpus : 1,
			       guest->alone ? "" : ", or a multiple");
		for (w = 0; w < NR_WORLDS; w++) {
			printf("  %-26s ", world_name(w));
			list_expected(world_isa(w), guest->expect[w]);
		}
	}
	return EXIT_DONE;
}

static void wait_for_end_of_input(void)
{
	ssize_t got;
	char c;

	do {
		got = read(STDIN_FILENO, &c, 1);
	} while (got > 0 || (got < 0 && errno == EINTR));
}

/*
 * Whoever has a VM's file open keeps the VM: a process that does nothing else,
 * and stands in nobody's way who waits for our output to end. A terminal's input is
 * the foreground's, so there we wait ourselves.
 */
static int hold_vm(void)
{
	pid_t pid;

	if (flush_output() < 0)
		return -1;
	if (isatty(STDIN_FILENO)) {
		wait_for_end_of_input();
		return 0;
	}
	pid = fork();
	if (pid < 0)
		error("cannot fork to hold the VM: %s", strerror(errno));
	if (pid)
		return pid < 0 ? -1 : 0;
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	wait_for_end_of_input();
	_exit(EXIT_DONE);
}

static struct vm_options options_for(const struct guest *guest, const struct arguments *given)
{
	return (struct vm_options) {
		.vcpus = given->vcpus,
		.count = given->count ? given->count : guest->count,
	};
}

/* From the first entry on, nothing but what running a guest takes. */
static int filter(struct vm *vm)
{
	/* The last two for what the host does to some guests. */
	static const unsigned int requests[] = {
		KVM_GET_REGS, KVM_GET_SREGS, KVM_SET_USER_MEMORY_REGION, KVM_GET_DIRTY_LOG
	};
	const struct files_root *root = vm->vcpus[0].calls.files.root;
	const struct jail_kvm kvm = {
		.requests = requests, .nr_requests = vm->guest->host ? 4 : 2,
		.root = root ? root->dir : -1,
	};

	return jail_seccomp_kvm(&kvm);
}

static int run_guest(const struct guest *guest, const struct arguments *given,
		     const struct files_root *root)
{
	struct vm_options options = options_for(guest, given);
	struct vm *vm;
	int err;

	options.root = root;
	vm = vm_create(guest, &options);
	vm->before = given->isolate ? filter : NULL;
	if (given->isolate && jail_confine(root ? root->dir : -1, given->writable))
		return EXIT_FAILED;
	err = vm_run(vm);
	if (!err && given->hold)
		err = hold_vm();
	vm_destroy(vm);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int cmd_run(int nr, char **names, const struct arguments *given)
{
	const struct jail_options jail = { .veth = false };
	const struct guest *guest;
	struct files_root root;
	int status;

	guest = choose(nr, names, given, &status);
	if (!guest)
		return status;
	/* A file that grows too large for the caller's limits is the guest's error: EFBIG. */
	signal(SIGXFSZ, SIG_IGN);
	if (given->isolate) {
		if (jail_enter(&jail))
			return EXIT_FAILED;
		/* Of what our caller left open nothing is the guest's business. */
		close_range(STDERR_FILENO + 1, ~0U, 0);
	}
	if (!given->root)
		return run_guest(guest, given, NULL);
	if (files_root_open(&root, given->root, given->writable))
		return EXIT_FAILED;
	status = run_guest(guest, given, &root);
	files_root_close(&root);
	return status;
}

static int cmd_layout(int nr, char **names, const struct arguments *given)
{
	const struct guest *guest;
	struct vm_options options;
	struct vm *vm;
	int status, err;

	guest = choose(nr, names, given, &status);
	if (!guest)
		return status;
	options = options_for(guest, given);
	options.quiet = true;
	vm = vm_create(guest, &options);
	err = vm_run(vm) | layout_print(vm);
	vm_destroy(vm);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int cmd_bench(int nr, char **names, const struct arguments *given)
{
	return nr ? misuse("bench takes no guest, not", names[0]) : bench(given->count);
}

/* A guest that is named stands for its form in each mode, or in the one asked for. */
static bool is_wanted(const struct guest *guest, int nr, char **names, enum mode mode)
{
	int i;

	if (mode < NR_MODES && guest->mode != mode)
		return false;
	for (i = 0; i < nr; i++)
		if (!strcmp(guest->name, names[i]))
			return true;
	return !nr;
}

static int cmd_verify(int nr, char **names, const struct arguments *given)
{
	const struct verify_options options = {
		.count = given->count, .vcpus = given->vcpus, .source = given->source,
	};
	const struct guest **guests;
	size_t i, wanted = 0;
	int status;

	for (i = 0; i < (size_t)nr; i++)
		if (!is_known(names[i]))
			return unknown_guest(names[i], "");
	guests = calloc(catalogue_size, sizeof(*guests));
	if (!guests) {
		error("no memory for a list of guests");
		return EXIT_FAILED;
	}
	for (i = 0; i < catalogue_size; i++) {
		if (!is_wanted(&catalogue[i], nr, names, given->mode))
			continue;
		guests[wanted++] = &catalogue[i];
		if (nr && !has_room(&catalogue[i], given->count)) {
			free(guests);
			return EXIT_USAGE;
		}
	}
	status = wanted ? verify(guests, wanted, &options) :
		 misuse("none of these guests has a form for --mode", modes[given->mode].name);
	free(guests);
	return status;
}

static int command(size_t which, int argc, char **argv)
{
	struct arguments given;
	int err = arguments_parse(argc, argv, commands[which].options, &given);

	if (err)
		return err;
	if (given.help) {
		usage(stdout);
		return EXIT_DONE;
	}
	return commands[which].run(argc - optind, argv + optind, &given);
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
			return finish_output(command(i, argc - 1, argv + 1));
	return misuse("no command", argv[1]);
}
