// SPDX-License-Identifier: GPL-2.0-or-later
/* What a vCPU prints. */
#define _GNU_SOURCE	/* fopencookie() */
#include "../user/message.h"
#include "console.h"

static void print_line(struct console *console)
{
	flockfile(stdout);
	if (console->vcpu >= 0)
		printf("vCPU %d: ", console->vcpu);
	fwrite(console->line, 1, console->length, stdout);
	if (console->vcpu >= 0 && console->line[console->length - 1] != '\n')
		putchar('\n');
	flush_output();
	funlockfile(stdout);
	console->length = 0;
}

static ssize_t take(void *cookie, const char *bytes, size_t size)
{
	struct console *console = cookie;
	size_t i;

	for (i = 0; i < size; i++) {
		console->line[console->length++] = bytes[i];
		if (bytes[i] == '\n' || console->length == CONSOLE_LINE)
			print_line(console);
	}
	return ferror(stdout) ? 0 : size;
}

int console_open(struct console *console, int vcpu)
{
	const cookie_io_functions_t functions = { .write = take };

	console->vcpu = vcpu;
	console->length = 0;
	console->stream = fopencookie(console, "w", functions);
	return console->stream && !setvbuf(console->stream, NULL, _IONBF, 0) ? 0 : -1;
}

void console_end(struct console *console)
{
	if (console->length)
		print_line(console);
}

void console_close(struct console *console)
{
	fclose(console->stream);
}
