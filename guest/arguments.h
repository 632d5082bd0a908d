/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of kvmstat-guest's commands. */
#ifndef KVMSTAT_GUEST_ARGUMENTS_H
#define KVMSTAT_GUEST_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "modes.h"

struct arguments {
	enum mode mode;		/* NR_MODES: not given */
	unsigned int vcpus;	/* 0: not given */
	uint64_t count;		/* 0: not given */
	const char *root;	/* NULL: not given */
	const char *source;	/* NULL: not given */
	bool writable;
	bool isolate;
	bool hold;
	bool help;		/* nothing else counts then */
};

/*
 * 'allowed' has the letters of the options that the command takes: m(ode),
 * v(cpus), c(ount), s(ource), H(old), r(oot and --writable), I(solate). Leaves optind at the
 * first argument that is no option. 0, or EXIT_USAGE after a message.
 */
int arguments_parse(int argc, char **argv, const char *allowed, struct arguments *to);

/* A message; returns EXIT_USAGE. */
int misuse(const char *what, const char *on);

#endif
