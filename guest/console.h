/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vCPU prints: to stdout, line by line, so that nothing is held back that a
 * guest which never ends has printed. Where there are several vCPUs a line is all
 * of one of them; one that is longer than CONSOLE_LINE is cut into several.
 */
#ifndef KVMSTAT_GUEST_CONSOLE_H
#define KVMSTAT_GUEST_CONSOLE_H

#include <stddef.h>
#include <stdio.h>

#define CONSOLE_LINE	4096

struct console {
	int vcpu;		/* its number is put before each line; -1: no need */
	FILE *stream;		/* takes the bytes; its error is stdout's */
	char line[CONSOLE_LINE];	/* what came since the last newline */
	size_t length;
};

/* 0, or -1: no memory. */
int console_open(struct console *console, int vcpu);
/* What is left of a line is printed. */
void console_end(struct console *console);
void console_close(struct console *console);

#endif
