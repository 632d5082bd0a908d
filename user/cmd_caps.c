// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-report caps: what the CPU offers to KVM, and what KVM uses of it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "caps.h"
#include "commands.h"
#include "json.h"
#include "machine.h"
#include "memory.h"
#include "message.h"
#include "run.h"
#include "table.h"
#include "text.h"

static const struct column control_columns[] = {
	{ .title = "BIT" }, { .title = "CONTROL", .left = true },
	{ .title = "SET", .left = true }, { .title = "CLEAR", .left = true },
	{ .title = "KVM", .left = true },
};

static const struct column feature_columns[] = {
	{ .title = "BIT" }, { .title = "FEATURE", .left = true },
	{ .title = "CPU", .left = true }, { .title = "KVM", .left = true },
	{ .title = "", .left = true },
};

static const char *yes(bool is)
{
	return is ? "yes" : "no";
}

static void print_group(const struct caps_group *group)
{
	struct table table;
	char bit[TEXT_CELL];
	size_t i;

	printf("\n%s\n%s (0x%" PRIx32 ") = 0x%0*" PRIx64 "\n", group->title, group->where,
	       group->address, group->value >> 32 ? 16 : 8, group->value);
	table_start(&table, group->controls ? control_columns : feature_columns, 5);
	for (i = 0; i < group->nr; i++) {
		const struct caps_row *row = &group->rows[i];

		table_row(&table);
		table_cell(&table, text_count(bit, row->bit));
		table_cell(&table, row->name ?: "(no name known)");
		table_cell(&table, yes(row->can_set));
		if (group->controls)
			table_cell(&table, yes(row->can_clear));
		table_cell(&table, row->in_use);
		if (!group->controls)
			table_cell(&table, row->meaning ?: "");
	}
	table_print(&table, stdout, 0);
}

static void print_caps(const struct caps *caps)
{
	size_t i;

	printf("%s, from %s\n", caps->about, caps->source);
	for (i = 0; i < caps->nr; i++)
		print_group(&caps->groups[i]);
}

static json_t *json_row(const struct caps_group *group, const struct caps_row *row)
{
	if (group->controls)
		return json_pack("{s:I,s:s?,s:b,s:b,s:s}", "bit", (json_int_t)row->bit,
				 "name", row->name, "can_set", row->can_set,
				 "can_clear", row->can_clear, "in_use", row->in_use);
	return json_pack("{s:I,s:s?,s:b,s:s,s:s?}", "bit", (json_int_t)row->bit,
			 "name", row->name, "present", row->can_set,
			 "in_use", row->in_use, "meaning", row->meaning);
}

static json_t *json_group(const struct caps_group *group)
{
	json_t *rows = json_array();
	char address[TEXT_CELL], value[TEXT_CELL];
	size_t i;

	for (i = 0; i < group->nr; i++)
		json_array_append_new(rows, json_row(group, &group->rows[i]));
	snprintf(address, sizeof(address), "0x%" PRIx32, group->address);
	snprintf(value, sizeof(value), "0x%" PRIx64, group->value);
	return json_pack("{s:s,s:s,s:s,s:s,s:o}", "title", group->title, "register", group->where,
			 "address", address, "value", value,
			 group->controls ? "controls" : "features", rows);
}

static void dump_caps(const struct caps *caps)
{
	json_t *groups = json_array(), *object;
	size_t i;

	for (i = 0; i < caps->nr; i++)
		json_array_append_new(groups, json_group(&caps->groups[i]));
	object = json_pack("{s:s,s:s,s:s,s:s,s:o}", "schema", CAPS_SCHEMA,
			   "isa", isa_name(caps->isa), "source", caps->source,
			   "about", caps->about, "groups", groups);
	json_dumpf(object, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(object);
}

static int read_caps(struct caps *caps, const char *msrs)
{
	if (msrs)
		return caps_vmx(caps, msrs);
	switch (machine_cpu()) {
	case KVMSTAT_ISA_VMX:
		return caps_vmx(caps, NULL);
	case KVMSTAT_ISA_SVM:
		return caps_svm(caps);
	default:
		error("caps: this CPU has neither VMX nor SVM (CPUID 1 ECX bit 5, 0x80000001 ECX bit 2): switch virtualization on in the firmware, or for this VM; --msrs FILE decodes another machine's");
		return -1;
	}
}

int cmd_caps(const struct options *options)
{
	struct caps *caps = xcalloc(1, sizeof(*caps));
	int ret = read_caps(caps, options->msrs);

	if (ret == 0 && options->as_json)
		dump_caps(caps);
	else if (ret == 0)
		print_caps(caps);
	free(caps);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}
