/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of all commands: one table makes the parser and the usage. */
#ifndef KVMSTAT_OPTIONS_H
#define KVMSTAT_OPTIONS_H

#include <stdio.h>

#include "format.h"
#include "select.h"
#include "spaces.h"
#include "top_model.h"

/* Who takes an option. */
#define FOR_SHOW	(1U << 0)
#define FOR_STAT	(1U << 1)
#define FOR_PAGING	(1U << 2)
#define FOR_DIFF	(1U << 3)
#define FOR_RESET	(1U << 4)
#define FOR_SPACES	(1U << 5)
#define FOR_REASONS	(1U << 6)
#define FOR_CAPS	(1U << 7)
#define FOR_TEXTFILE	(1U << 8)
#define FOR_TOP		(1U << 9)
#define FOR_BPF		(1U << 10)

enum spaces_format { SPACES_TABLE, SPACES_CSV, SPACES_JSON };

struct options {
	struct view view;
	const char *source;		/* NULL: not given */
	double interval;		/* seconds; 0: not given */
	uint64_t count;			/* 0: without end */
	unsigned int runs;
	bool own;			/* only VMs that COMMAND made */
	const char *output;		/* NULL: standard output */
	const char *html;		/* NULL: no page */
	const struct format *format;	/* chosen, or the default of where it goes */
	enum top_column column;		/* that top sorts by */
	enum pairs pairs;
	enum spaces_format spaces_format;
	uint32_t isa;			/* KVMSTAT_ISA_*; unknown: not given */
	bool as_json;			/* of reasons and caps */
	const char *msrs;		/* NULL: this machine's */
	char **operands;		/* up to a NULL */
	int nr_operands;
	bool help;
};

/*
 * What follows the command's name: argv[0] is that name. Where 'takes_command'
 * options end at the first operand, which is COMMAND. 0, or -1 after an error
 * message: wrong usage.
 */
int options_parse(struct options *options, unsigned int who, bool takes_command, int argc,
		  char **argv);
void options_print(FILE *out, unsigned int who);

#endif
