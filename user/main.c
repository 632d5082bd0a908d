// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-report: a table of commands that dispatches and makes the usage. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "commands.h"
#include "memory.h"
#include "message.h"
#include "version.h"

struct command {
	const char *name;
	int (*run)(const struct options *options);
	unsigned int who;		/* FOR_… */
	const char *operands;
	int min_operands, max_operands;	/* max -1: COMMAND and its arguments */
	const char *help;
	const char *more;
};

static const struct command commands[] = {
	{
		"show", cmd_show, FOR_SHOW, "", 0, 0,
		"what was counted since counting began, or was reset",
		"KERNEL is the time that KVM took from exits to the next entries of their\n"
		"vCPUs; USER what the VMM took meanwhile; OFFCPU is sleep in HLT, and\n"
		"preemption. SHARE is of the column before it. MEAN, P99 and MAX are of the\n"
		"kernel time of single exits, \"<\" the bound of a MAX that is not known.\n"
		"What does not fit into the terminal is left out; JSON has everything.\n"
		"Rows by detail tell RDMSR from WRMSR, first touch from MMIO, and so on;\n"
		"(L2) are exits of nested guests.\n",
	},
	{
		"top", cmd_top, FOR_TOP, "", 0, 0,
		"the same, live: a screen to sort, to filter, and to go into",
		"From VM to vCPU to reason with Enter, back with Backspace; \"?\" lists the keys.\n"
		"EXITS and the histogram (h) are since counting began, or was reset; all\n"
		"else is of the last interval. A saved run (--source FILE) stands still.\n"
		"Without a terminal, use \"show -i 1\".\n",
	},
	{
		"stat", cmd_stat, FOR_STAT, "-- COMMAND...", 1, -1,
		"what was counted, on the whole machine, while COMMAND ran",
		"COMMAND's output passes through; the report follows. With -r, the report\n"
		"is of the mean run: rounded counts, \"+-\" the standard deviation, and\n"
		"in JSON a \"per_run\" of mean and sd. The exit status is COMMAND's (128 + N\n"
		"after signal N), or 1 where it could not be started, measured or reported.\n",
	},
	{
		"paging", cmd_paging, FOR_PAGING, "-- COMMAND...", 1, -1,
		"the same COMMAND under nested and under shadow paging",
		"Reloads KVM's vendor module twice, so no VM may run; puts it back as it\n"
		"was on every way out. Where COMMAND fails nothing is reported. With -r,\n"
		"counts are those of the mean run, and * marks real differences.\n",
	},
	{
		"diff", cmd_diff, FOR_DIFF, "BEFORE AFTER | COMPARISON", 1, 2,
		"two saved reports side by side, or a saved comparison",
		"Kernel time is compared, without the VMM's and without sleep. Reports of an\n"
		"AMD and an Intel machine are compared by class.\n",
	},
	{
		"spaces", cmd_spaces, FOR_SPACES, "", 0, 0,
		"the address spaces that guests were seen in: their processes",
		"While the module's parameter guest_spaces is 1. A SWITCH is an entry in\n"
		"another space than the vCPU's last one; FIRST and LAST are times since the\n"
		"VM's first entry with paging on. Where a guest has two page tables for each\n"
		"process (page table isolation), --pairs auto sees it and makes them one.\n"
		"Under nested paging it is a sample, and --pairs auto a guess.\n",
	},
	{
		"reasons", cmd_reasons, FOR_REASONS, "[NUMBER|NAME]", 0, 1,
		"what each exit reason is, and what causes it",
		"KVM is whether this kernel's KVM has a handler for it, \"?\" where only a later\n"
		"release of Linux is known to have one. PAGING tells where its number depends\n"
		"on the paging mode: it is seen with nested or with shadow paging only, or more\n"
		"or less often with shadow paging; then a sentence says why.\n"
		"NAME is the kernel's trace name, in capitals or not; SVM's -1 is \"-- -1\".\n",
	},
	{
		"caps", cmd_caps, FOR_CAPS, "", 0, 0,
		"what the CPU offers to KVM, and what KVM uses of it",
		"VMX from its MSRs, which takes root and the module msr; SVM from CPUID. SET and\n"
		"CLEAR tell whether a control may be 1, and 0. KVM is \"varies\" where it uses a\n"
		"control for some guests, or at times, \"-\" where that cannot be told.\n",
	},
	{
		"textfile", cmd_textfile, FOR_TEXTFILE, "DIR", 1, 1,
		"writes DIR/kvmstat.prom, for node_exporter's textfile collector",
		"The file is replaced as a whole, and readable for all. With --by vm there is\n"
		"a series for each VM and reason, with --by vcpu one for each vCPU and reason.\n"
		"Where it fails an older file stays: node_textfile_mtime_seconds tells its age.\n",
	},
	{
		"bpf", cmd_bpf, FOR_BPF, "start|stop|status", 1, 1,
		"a BPF collector that counts on, where no module may be loaded",
		"It counts from start to stop, whoever reads it, and needs no process; its\n"
		"programs are pinned at /sys/fs/bpf/kvmstat. Commands that measure (stat,\n"
		"paging, top, show -i) do without: they load one for as long as they run.\n",
	},
	{
		"reset", cmd_reset, FOR_RESET, "", 0, 0,
		"counting starts again from zero",
		"Windows that others are measuring end with an error. Of a BPF collector,\n"
		"\"bpf stop\" and \"bpf start\" do the same.\n",
	},
};
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(void)
{
	size_t i;

	printf("Usage: kvmstat-report [COMMAND] [OPTIONS]\n"
	       "Counts and times every VM exit that KVM takes, by reason.\n\n"
	       "Commands (\"show\" where none is given):\n");
	for (i = 0; i < NR_COMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].help);
	printf("\n\"kvmstat-report COMMAND --help\" lists a command's options. Others:\n"
	       "  --help     this text\n"
	       "  --version  the version of this program\n\n"
	       "Exit status: 0 done, 1 the thing asked for failed, 2 wrong usage.\n");
}

static void print_command_usage(const struct command *command)
{
	printf("Usage: kvmstat-report %s [OPTIONS]%s%s\n%s: %s.\n\n%s\nOptions:\n", command->name,
	       *command->operands ? " " : "", command->operands, command->name, command->help,
	       command->more);
	options_print(stdout, command->who);
}

static int check_operands(const struct command *command, const struct options *options)
{
	if (options->nr_operands < command->min_operands) {
		error("%s: nothing to work on: want \"kvmstat-report %s [OPTIONS] %s\"",
		      command->name, command->name, command->operands);
		return -1;
	}
	if (command->max_operands >= 0 && options->nr_operands > command->max_operands) {
		error("%s: one argument too many: '%s': see \"kvmstat-report %s --help\"",
		      command->name, options->operands[command->max_operands], command->name);
		return -1;
	}
	return 0;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct options options;

	if (options_parse(&options, command->who, command->max_operands < 0, argc, argv) < 0)
		return EXIT_USAGE;
	if (options.help) {
		print_command_usage(command);
		return EXIT_DONE;
	}
	if (check_operands(command, &options) < 0)
		return EXIT_USAGE;
	return command->run(&options);
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		print_usage();
		return EXIT_DONE;
	}
	if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))) {
		puts("kvmstat-report " KVMSTAT_VERSION);
		return EXIT_DONE;
	}
	if (argc < 2 || argv[1][0] == '-') {
		argv[0] = "show";
		return run_command(&commands[0], argc, argv);
	}
	command = find_command(argv[1]);
	if (command)
		return run_command(command, argc - 1, argv + 1);
	error("no command '%s': see \"kvmstat-report --help\"", argv[1]);
	return EXIT_USAGE;
}

static void *json_memory(size_t size)
{
	return xcalloc(1, size);
}

/*
 * What is opened later must not become a standard stream that was closed: results
 * and COMMAND's output would go there. Writing to these fails, as to a closed one.
 */
static void hold_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

int main(int argc, char **argv)
{
	hold_standard_streams();
	/* A closed pipe is a failed write, to be told of. */
	signal(SIGPIPE, SIG_IGN);
	json_set_alloc_funcs(json_memory, free);
	return finish_output(dispatch(argc, argv));
}
