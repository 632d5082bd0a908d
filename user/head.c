// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands above and below a table: whose numbers these are, and how far to trust them. */
#include <inttypes.h>
#include <string.h>

#include "head.h"
#include "terminal.h"
#include "text.h"

static const char *isa_title(uint32_t isa)
{
	switch (isa) {
	case KVMSTAT_ISA_VMX:
		return "Intel VMX";
	case KVMSTAT_ISA_SVM:
		return "AMD SVM";
	default:
		return "no exit seen";
	}
}

/* "Linux 6.1.0-49-amd64, AMD SVM, nested paging (npt)" */
void print_machine(FILE *out, const struct run *run)
{
	const char *paging = run->paging;

	fprintf(out, "Linux %s, %s, ", run->kernel, isa_title(run->isa));
	if (!strcmp(paging, "shadow"))
		fputs("shadow paging", out);
	else if (!strcmp(paging, "unknown"))
		fputs("paging mode unknown", out);
	else
		fprintf(out, "nested paging (%s)", paging);
}

static void print_window(FILE *out, const struct run *run)
{
	char time[TEXT_CELL];

	text_ns(time, run->window_ns);
	switch (run->window) {
	case WINDOW_SINCE_RESET:
		fprintf(out, "%s since %s", time, !strcmp(run->source, "bpf") ?
			"the collector was started" : "the module was loaded or reset");
		break;
	case WINDOW_INTERVAL:
		fprintf(out, "the last %s", time);
		break;
	case WINDOW_COMMAND:
		fprintf(out, "%s while the command ran", time);
		break;
	}
	if (run->runs > 1)
		fprintf(out, " (mean of %u runs)", run->runs);
}

static void print_vm_count(FILE *out, const struct run *run)
{
	size_t alive = 0, seen = 0, vcpus = 0, i;

	for (i = 0; i < run->nr_vms; i++) {
		if (run->vms[i].retired)
			continue;
		seen++;
		alive += run->vms[i].alive;
		vcpus += run->vms[i].nr_vcpus;
	}
	fprintf(out, "; VMs: %zu (%zu alive), vCPUs: %zu", seen, alive, vcpus);
}

void print_command(FILE *out, const struct run *run)
{
	const int width = (int)terminal_width(out) - (int)sizeof("Command: ");
	bool fits = (int)strlen(run->command) <= width;

	fprintf(out, "Command: %.*s%s\n", fits ? width : width - 3, run->command,
		fits ? "" : "...");
}

void print_source(FILE *out, const struct run *run)
{
	fprintf(out, "Source:  %s%s%s%s%s\n", run->source, run->selection[0] ? ", " : "",
		run->selection, run->file ? ", saved in " : "", run->file ?: "");
}

void print_head(FILE *out, const struct run *run)
{
	if (run->command[0])
		print_command(out, run);
	print_source(out, run);
	print_machine(out, run);
	fputc('\n', out);
	print_window(out, run);
	if (run->runs == 1)
		print_vm_count(out, run);
	fputc('\n', out);
}

void print_doubts(FILE *out, const struct run *run, const char *which)
{
	if (run->totals.untraced)
		fprintf(out, "untraced%s: %" PRIu64 " of these exits fired no kvm_exit event\n",
			which, run->totals.untraced);
	if (run->totals.lost)
		fprintf(out, "lost%s: %" PRIu64 " more exits could not be tallied, for want of memory\n",
			which, run->totals.lost);
}

void print_left_out(FILE *out, size_t left_out)
{
	if (left_out)
		fprintf(out, "(%zu more not shown: --top)\n", left_out);
}
