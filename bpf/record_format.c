// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the fields of the trace event kvm_exit are in its record. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../user/message.h"
#include "record_format.h"

#define FORMAT "events/kvm/kvm_exit/format"

static FILE *open_format(void)
{
	FILE *file = fopen("/sys/kernel/tracing/" FORMAT, "re");

	if (file || errno != ENOENT)
		return file;
	return fopen("/sys/kernel/debug/tracing/" FORMAT, "re");
}

/* "	field:u64 info1;	offset:32;	size:8;	signed:0;" */
static void read_line(const char *line, struct settings *s)
{
	const struct {
		const char *name;
		__u32 *offset;
	} fields[] = {
		{ " exit_reason;", &s->classic.exit_reason },
		{ " isa;", &s->classic.isa },
		{ " info1;", &s->classic.info1 },
		{ " intr_info;", &s->classic.intr_info },
		{ " vcpu_id;", &s->classic.vcpu_id },
	};
	const char *offset = strstr(line, "offset:");
	size_t i;

	for (i = 0; offset && i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strstr(line, fields[i].name))
			sscanf(offset, "offset:%u;", fields[i].offset);
}

static void explain(int why)
{
	if (why == EACCES)
		error("BPF: /sys/kernel/tracing/" FORMAT " may not be read: run with sudo, or with CAP_DAC_READ_SEARCH, too");
	else
		error("BPF: /sys/kernel/tracing/" FORMAT ": %s: mount tracefs (mount -t tracefs none /sys/kernel/tracing)",
		      strerror(why));
}

int record_format_read(struct settings *s)
{
	FILE *file = open_format();
	char line[200];

	if (!file) {
		explain(errno);
		return -1;
	}
	while (fgets(line, sizeof(line), file))
		read_line(line, s);
	fclose(file);
	if (s->classic.exit_reason && s->classic.isa && s->classic.info1)
		return 0;
	error("BPF: the trace event kvm_exit has not the fields that are looked for: report its format file");
	return -1;
}
