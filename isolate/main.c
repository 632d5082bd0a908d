// SPDX-License-Identifier: GPL-2.0-or-later
/* isolate: a program in namespaces of its own. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../user/message.h"
#include "../user/version.h"
#include "jail.h"

/* As shells have it. */
#define EXIT_CANNOT_RUN	126
#define EXIT_NOT_FOUND	127

static int usage(void)
{
	printf("usage: isolate [--no-veth] PROGRAM [ARGS...]\n"
	       "Runs PROGRAM in user, UTS, IPC, network, PID and mount namespaces of its own.\n"
	       "No rights are needed. Inside, PROGRAM is root: it has all rights over what is\n"
	       "in the jail, and those of its caller, none more, over the files outside, which\n"
	       "it sees as they are. The hostname is \"isolated\", /proc shows the jail's own\n"
	       "processes, loopback is up.\n\n"
	       "  --no-veth  no connection to the host. Else, for callers with CAP_NET_ADMIN\n"
	       "             (root), a veth pair: eth0 with fe80::2 inside, isolatePID with\n"
	       "             fe80::1 outside\n"
	       "  --help     this text\n"
	       "  --version  the version of this program\n\n"
	       "Signals to isolate, but KILL and STOP, reach PROGRAM, and when either ends nothing\n"
	       "is left.\n"
	       "Exit status: PROGRAM's; 128 + N when signal N ended it; 126 it cannot be run,\n"
	       "127 there is no such program; 1 no jail could be made, 2 wrong usage.\n");
	return finish_output(EXIT_DONE);
}

static int version(void)
{
	puts("isolate " KVMSTAT_VERSION);
	return finish_output(EXIT_DONE);
}

/* As execvp() looks for it. */
static bool is_in_path(const char *name)
{
	const char *dir = getenv("PATH");
	char file[PATH_MAX];

	if (!dir)
		dir = "/bin:/usr/bin";
	for (;; dir++) {
		int length = strcspn(dir, ":");

		/* an empty one is the current directory */
		snprintf(file, sizeof(file), "%.*s%s%s", length, dir, length ? "/" : "", name);
		if (!access(file, F_OK))
			return true;
		dir += length;
		if (!*dir)
			return false;
	}
}

static int run(char **argv, const struct jail_options *options)
{
	int why;

	if (jail_enter(options) < 0)
		return EXIT_FAILED;
	execvp(argv[0], argv);
	why = errno;
	/* A directory of PATH that may not be searched is no reason. */
	if (why == EACCES && !strchr(argv[0], '/') && !is_in_path(argv[0]))
		why = ENOENT;
	error("cannot run '%s': %s", argv[0], strerror(why));
	return why == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/* No letters, so that optopt is one where a letter is wrong. */
enum { NO_VETH = 256, HELP, VERSION };

static int no_option(char **argv)
{
	const char letter[] = { '-', optopt, '\0' };

	error("no option '%s': see isolate --help",
	      optopt > 0 && optopt < NO_VETH ? letter : argv[optind - 1]);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "no-veth", no_argument, NULL, NO_VETH },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{ }
	};
	struct jail_options jail = { .veth = true };
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		switch (c) {
		case NO_VETH:
			jail.veth = false;
			break;
		case 'h':
		case HELP:
			return usage();
		case 'V':
		case VERSION:
			return version();
		default:
			return no_option(argv);
		}
	}
	if (optind < argc)
		return run(argv + optind, &jail);
	error("no program to run: want \"isolate PROGRAM [ARGS...]\": see isolate --help");
	return EXIT_USAGE;
}
