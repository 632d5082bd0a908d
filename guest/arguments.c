// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of kvmstat-guest's commands. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../user/message.h"
#include "arguments.h"
#include "vm.h"

int misuse(const char *what, const char *on)
{
	error("%s '%s': see kvmstat-guest --help", what, on);
	return EXIT_USAGE;
}

static int parse_number(const char *option, const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (!errno && !*end && *text >= '0' && *text <= '9' && *value && *value <= max)
		return 0;
	error("%s takes a number from 1 to %llu, not '%s': see kvmstat-guest --help", option,
	      (unsigned long long)max, text);
	return EXIT_USAGE;
}

static int parse_option(int c, struct arguments *to)
{
	uint64_t value;
	int err;

	switch (c) {
	case 'c':
		return parse_number("--count", optarg, UINT32_MAX, &to->count);
	case 'v':
		err = parse_number("--vcpus", optarg, VCPUS_MAX, &value);
		to->vcpus = value;
		return err;
	case 'm':
		to->mode = mode_find(optarg);
		return to->mode < NR_MODES ? 0 :
		       misuse("--mode takes real, protected, paged or long, not", optarg);
	case 'r':
		to->root = optarg;
		return 0;
	case 's':
		to->source = optarg;
		return !strcmp(optarg, "module") || !strcmp(optarg, "bpf") ? 0 :
		       misuse("--source takes module or bpf, not", optarg);
	case 'w':
		to->writable = true;
		return 0;
	case 'I':
		to->isolate = true;
		return 0;
	case 'H':
		to->hold = true;
		return 0;
	default:
		to->help = true;
		return 0;
	}
}

/* last: the argument that getopt_long() has been through, or is in the midst of. */
static int unknown_option(const char *last)
{
	const char letter[] = { '-', optopt, '\0' };

	return misuse("no option", optopt && !strchr(last, '=') ? letter : last);
}

static int not_taken(const char *name)
{
	error("this command does not take --%s: see kvmstat-guest --help", name);
	return EXIT_USAGE;
}

int arguments_parse(int argc, char **argv, const char *allowed, struct arguments *to)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'c' },
		{ "vcpus", required_argument, NULL, 'v' },
		{ "mode", required_argument, NULL, 'm' },
		{ "source", required_argument, NULL, 's' },
		{ "root", required_argument, NULL, 'r' },
		{ "writable", no_argument, NULL, 'w' },
		{ "isolate", no_argument, NULL, 'I' },
		{ "hold", no_argument, NULL, 'H' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c, which, err = 0;

	*to = (struct arguments) { .mode = NR_MODES };
	opterr = 0;
	while (!err && !to->help && (c = getopt_long(argc, argv, ":", options, &which)) != -1) {
		if (c == ':')
			err = misuse("a value is missing for", argv[optind - 1]);
		else if (c == '?')
			err = unknown_option(argv[optind - 1]);
		else if (c != 'h' && !strchr(allowed, c == 'w' ? 'r' : c))
			err = not_taken(options[which].name);
		else
			err = parse_option(c, to);
	}
	if (to->help)
		return 0;
	if (!err && to->writable && !to->root) {
		error("--writable says how the guest may use --root DIR, which is not given");
		err = EXIT_USAGE;
	}
	if (!err && to->isolate && to->hold) {
		error("--hold needs a process of its own, which --isolate forbids: choose one");
		err = EXIT_USAGE;
	}
	return err;
}
