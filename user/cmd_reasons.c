// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-report reasons: what each exit reason is, and what causes it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "explain.h"
#include "json.h"
#include "machine.h"
#include "message.h"
#include "run.h"
#include "text.h"

#define INDENT 4

struct report {
	const char *wanted;		/* NULL: all */
	bool is_number;
	uint64_t number;
	char release[80];		/* of the kernel */
	json_t *list;			/* NULL: a table is printed */
	size_t nr;			/* found so far */
};

/* Codes from first to last, which have the same to tell. */
struct reasons_row {
	uint32_t isa;
	uint64_t first, last;
	const struct explanation *explanation;
};

/* "48", "0x400", "-1": VMX counts in decimal, SVM in hexadecimal. */
static int code_text(char *buf, size_t size, uint32_t isa, uint64_t code)
{
	if (isa == KVMSTAT_ISA_VMX || (int64_t)code < 0)
		return snprintf(buf, size, "%" PRId64, (int64_t)code);
	return snprintf(buf, size, "0x%03" PRIx64, code);
}

/* Does the kernel give the code a name, or do we? */
static bool has_name(uint32_t isa, uint64_t code)
{
	char name[REASON_NAME_MAX];

	return strncmp(reason_name(isa, code, name), "0x", 2);
}

static void print_row(const struct report *r, const struct reasons_row *row)
{
	const struct explanation *e = row->explanation;
	static const char * const handled_names[] = {
		[NOT_HANDLED] = "no", [HANDLED] = "yes", [HANDLED_UNKNOWN] = "?",
	};
	char codes[48], name[REASON_NAME_MAX] = "-", text[400], since[12];
	enum handled handled = reason_handled(row->isa, row->first, r->release, since);
	int used = code_text(codes, sizeof(codes), row->isa, row->first);

	if (row->last > row->first) {
		codes[used++] = '-';
		code_text(codes + used, sizeof(codes) - used, row->isa, row->last);
	} else if (has_name(row->isa, row->first)) {
		reason_name(row->isa, row->first, name);
	}
	printf("%-11s  %-26s  %-17s  %-3s  %s\n", codes, name, reason_class(row->isa, row->first),
	       handled_names[handled], by_paging_name(e->paging));
	snprintf(text, sizeof(text), "%s (%s, %s)", e->cause, explanations_of(row->isa)->manual,
		 e->section);
	text_wrap(stdout, INDENT, text);
	if (e->why)
		text_wrap(stdout, INDENT, e->why);
	if (handled != HANDLED_UNKNOWN)
		return;
	snprintf(text, sizeof(text),
		 "KVM of Linux %s handles it. An older one may have been given that, too.", since);
	text_wrap(stdout, INDENT, text);
}

/* null: not known */
static json_t *json_handled(const struct report *r, uint32_t isa, uint64_t code)
{
	char since[12];
	enum handled handled = reason_handled(isa, code, r->release, since);

	return handled == HANDLED_UNKNOWN ? json_null() : json_boolean(handled == HANDLED);
}

static void add_json(struct report *r, const struct reasons_row *row, uint64_t code)
{
	const struct explanation *e = row->explanation;
	char name[REASON_NAME_MAX];

	json_array_append_new(r->list, json_pack(
		"{s:s,s:I,s:s,s:s,s:o,s:s,s:s,s:s,s:s,s:s?}",
		"isa", isa_name(row->isa), "code", (json_int_t)code,
		"name", reason_name(row->isa, code, name), "class", reason_class(row->isa, code),
		"handled", json_handled(r, row->isa, code),
		"cause", e->cause, "manual", explanations_of(row->isa)->manual,
		"section", e->section, "paging", by_paging_name(e->paging), "why", e->why));
}

static void report_row(struct report *r, const struct reasons_row *row)
{
	uint64_t code = row->first;

	if (!r->list && !r->nr)
		printf("%-11s  %-26s  %-17s  %-3s  %s\n", "CODE", "NAME", "CLASS", "KVM", "PAGING");
	r->nr++;
	if (!r->list)
		print_row(r, row);
	else
		do
			add_json(r, row, code);
		while (code++ < row->last);
}

static bool is_wanted(const struct report *r, uint32_t isa, uint64_t code)
{
	char name[REASON_NAME_MAX];

	if (!r->wanted)
		return true;
	if (r->is_number)
		return reason_is_code(isa, r->number) && code == reason_basic(isa, r->number);
	return !strcasecmp(reason_name(isa, code, name), r->wanted);
}

/* Neighbours without a name share a row of the whole list. */
static uint64_t last_of_row(const struct report *r, uint32_t isa, uint64_t first, uint64_t last)
{
	uint64_t code = first;

	if (r->wanted || has_name(isa, first))
		return first;
	while (code < last && !has_name(isa, code + 1))
		code++;
	return code;
}

static void report_entry(struct report *r, uint32_t isa, const struct explanation *e)
{
	struct reasons_row row = { .isa = isa, .first = e->first, .explanation = e };

	for (;;) {
		row.last = last_of_row(r, isa, row.first, e->last);
		if (is_wanted(r, isa, row.first))
			report_row(r, &row);
		/* Not "<=": the last code of all is the greatest number. */
		if (row.last == e->last)
			break;
		row.first = row.last + 1;
	}
}

static void report_isa(struct report *r, uint32_t isa)
{
	const struct explanations *of = explanations_of(isa);
	size_t i;

	for (i = 0; i < of->nr; i++)
		report_entry(r, isa, &of->list[i]);
}

static uint32_t other_isa(uint32_t isa)
{
	return isa == KVMSTAT_ISA_VMX ? KVMSTAT_ISA_SVM : KVMSTAT_ISA_VMX;
}

static bool isa_has(const struct report *r, uint32_t isa)
{
	struct report quiet = *r;

	quiet.list = json_array();
	report_isa(&quiet, isa);
	json_decref(quiet.list);
	return quiet.nr;
}

static void explain_missing(const struct report *r, uint32_t isa)
{
	if (isa == KVMSTAT_ISA_UNKNOWN)
		error("reasons: no exit reason '%s': \"kvmstat-report reasons\" lists them all",
		      r->wanted);
	else if (isa_has(r, other_isa(isa)))
		error("reasons: no exit reason '%s' of %s, but of %s: give --isa %s", r->wanted,
		      isa_name(isa), isa_name(other_isa(isa)), isa_name(other_isa(isa)));
	else
		error("reasons: no exit reason '%s': \"kvmstat-report reasons --isa %s\" lists them all",
		      r->wanted, isa_name(isa));
}

static void read_wanted(struct report *r, const char *wanted)
{
	char *end;

	r->wanted = wanted;
	if (!wanted)
		return;
	errno = 0;
	r->number = strtoull(wanted, &end, 0);
	r->is_number = end != wanted && !*end && !errno;
}

static void dump(struct report *r)
{
	json_t *object = json_pack("{s:s,s:s,s:o}", "schema", REASONS_SCHEMA,
				   "kernel", r->release, "reasons", r->list);

	json_dumpf(object, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(object);
}

int cmd_reasons(const struct options *options)
{
	uint32_t isa = options->isa != KVMSTAT_ISA_UNKNOWN ? options->isa : machine_isa();
	struct report report = { .list = options->as_json ? json_array() : NULL };

	read_wanted(&report, options->operands[0]);
	machine_release(report.release, sizeof(report.release));
	if (isa != KVMSTAT_ISA_SVM)
		report_isa(&report, KVMSTAT_ISA_VMX);
	if (isa != KVMSTAT_ISA_VMX)
		report_isa(&report, KVMSTAT_ISA_SVM);
	if (!report.nr) {
		json_decref(report.list);
		explain_missing(&report, isa);
		return EXIT_FAILED;
	}
	if (report.list)
		dump(&report);
	return EXIT_DONE;
}
