// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-report spaces: the address spaces that guests were seen in. */
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "csv.h"
#include "device.h"
#include "json.h"
#include "message.h"
#include "source.h"
#include "spaces.h"
#include "table.h"
#include "text.h"

struct report {
	const struct options *options;
	const struct run *run;
	const struct kvmstat_spaces *header;
	json_t *vms;			/* of JSON */
};

static size_t rows_shown(const struct report *r, const struct vm_spaces *s)
{
	size_t top = r->options->view.top;

	return top && top < s->nr ? top : s->nr;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* "VM 1 (pid 4711, qemu): 57 address spaces, 1234 switches" */
static void print_vm(const struct vm *vm, const struct vm_spaces *s)
{
	struct space total = spaces_total(s);

	printf("VM %" PRIu64 " (pid %u, %s%s): %zu address space%s, %" PRIu64 " switch%s%s\n",
	       vm->id, vm->pid, vm->comm, vm->alive ? "" : ", gone", s->nr, plural(s->nr),
	       total.switches, total.switches == 1 ? "" : "es",
	       s->folded ? "; page table isolation: a pair is one" : "");
	if (s->sampled)
		printf("A sample: at each of %" PRIu64 " entr%s CR3 was looked at (nested paging);\n"
		       "spaces that came and went between exits are not seen.\n",
		       total.entries, total.entries == 1 ? "y" : "ies");
	else
		puts("Every load of CR3 was seen (shadow paging).");
	if (s->unread)
		printf("At %" PRIu64 " entries CR3 was out of the module's reach.\n", s->unread);
	if (s->others.entries)
		printf("No room for more: others have %" PRIu64 " switches and %" PRIu64 " entries.\n",
		       s->others.switches, s->others.entries);
}

static void print_rows(const struct report *r, const struct vm_spaces *s)
{
	static const struct column columns[] = {
		{ .title = "CR3" }, { .title = "FIRST" }, { .title = "LAST" },
		{ .title = "SWITCHES" }, { .title = "ENTRIES" },
	};
	size_t i, nr = rows_shown(r, s);
	uint32_t khz = r->header->tsc_khz;
	char text[TEXT_CELL];
	struct table table;

	table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; i < nr; i++) {
		const struct space *space = &s->list[i];

		table_row(&table);
		snprintf(text, sizeof(text), "%#" PRIx64, space->cr3);
		table_cell(&table, text);
		table_cell(&table, text_time(text, (double)(space->first - s->first), khz));
		table_cell(&table, text_time(text, (double)(space->last - s->first), khz));
		table_cell(&table, text_count(text, space->switches));
		table_cell(&table, text_count(text, space->entries));
	}
	table_print(&table, stdout, 0);
	if (nr < s->nr)
		printf("(%zu more not shown: --top)\n", s->nr - nr);
}

static void table_vm(struct report *r, const struct vm *vm, const struct vm_spaces *s, size_t index)
{
	if (index)
		putchar('\n');
	print_vm(vm, s);
	if (s->nr) {
		putchar('\n');
		print_rows(r, s);
	}
}

static void table_end(struct report *r, size_t nr_vms)
{
	(void)r;
	if (!nr_vms)
		puts("No guest was seen with paging on since guest_spaces was switched on, or a reset.");
}

static void csv_titles(struct csv *csv)
{
	static const char * const titles[] = {
		"vm", "pid", "comm", "complete", "folded", "cr3", "first_tsc", "last_tsc",
		"switches", "entries",
	};
	size_t i;

	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		csv_text(csv, titles[i]);
	csv_end_line(csv);
}

/* Times are in TSC cycles; a row without cr3 has those that had no room. */
static void csv_row(struct csv *csv, const struct vm *vm, const struct vm_spaces *s,
		    const char *cr3, const struct space *space)
{
	csv_count(csv, vm->id);
	csv_count(csv, vm->pid);
	csv_text(csv, vm->comm);
	csv_count(csv, !s->sampled);
	csv_count(csv, s->folded);
	csv_text(csv, cr3);
	csv_count(csv, space->first);
	csv_count(csv, space->last);
	csv_count(csv, space->switches);
	csv_count(csv, space->entries);
	csv_end_line(csv);
}

static void csv_vm(struct report *r, const struct vm *vm, const struct vm_spaces *s, size_t index)
{
	struct csv csv = { .out = stdout };
	size_t i, nr = rows_shown(r, s);
	char cr3[32];

	if (!index)
		csv_titles(&csv);
	for (i = 0; i < nr; i++) {
		snprintf(cr3, sizeof(cr3), "%#" PRIx64, s->list[i].cr3);
		csv_row(&csv, vm, s, cr3, &s->list[i]);
	}
	if (s->others.entries)
		csv_row(&csv, vm, s, "", &s->others);
}

static json_t *json_space(const struct space *space)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "cr3", (json_int_t)space->cr3,
			 "first_tsc", (json_int_t)space->first,
			 "last_tsc", (json_int_t)space->last,
			 "switches", (json_int_t)space->switches,
			 "entries", (json_int_t)space->entries);
}

static void json_vm(struct report *r, const struct vm *vm, const struct vm_spaces *s, size_t index)
{
	struct space total = spaces_total(s);
	json_t *list = json_array();
	size_t i;

	if (!index)
		r->vms = json_array();
	for (i = 0; i < rows_shown(r, s); i++)
		json_array_append_new(list, json_space(&s->list[i]));
	json_array_append_new(r->vms, json_pack(
		"{s:I,s:I,s:s,s:b,s:b,s:b,s:I,s:I,s:I,s:I,s:{s:I,s:I},s:o}",
		"id", (json_int_t)vm->id, "pid", (json_int_t)vm->pid, "comm", vm->comm,
		"alive", vm->alive, "complete", !s->sampled, "folded", s->folded,
		"spaces", (json_int_t)s->nr, "switches", (json_int_t)total.switches,
		"entries", (json_int_t)total.entries, "unread", (json_int_t)s->unread,
		"others", "switches", (json_int_t)s->others.switches,
		"entries", (json_int_t)s->others.entries, "list", list));
}

static void json_end(struct report *r, size_t nr_vms)
{
	json_t *object = json_pack("{s:s,s:s,s:s,s:I,s:I,s:o}", "schema", SPACES_SCHEMA,
				   "kernel", r->run->kernel, "paging", r->run->paging,
				   "tsc", (json_int_t)r->header->tsc,
				   "tsc_khz", (json_int_t)r->header->tsc_khz,
				   "vms", nr_vms ? r->vms : json_array());

	json_dumpf(object, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(object);
}

static const struct {
	void (*vm)(struct report *r, const struct vm *vm, const struct vm_spaces *s, size_t index);
	void (*end)(struct report *r, size_t nr_vms);
} forms[] = {
	[SPACES_TABLE] = { table_vm, table_end },
	[SPACES_CSV] = { csv_vm, NULL },
	[SPACES_JSON] = { json_vm, json_end },
};

/* Of each VM that was seen: one may be off the module's list since its spaces were read. */
static void print_all(const struct options *options, const struct run *run,
		      const struct spaces_copy *copy)
{
	struct report report = { .options = options, .run = run, .header = copy->header };
	size_t i, nr = 0;

	for (i = 0; i < run->nr_vms; i++) {
		struct vm_spaces spaces;

		spaces_of_vm(&spaces, copy, run->vms[i].id);
		if (spaces.nr_vcpus) {
			spaces_fold(&spaces, options->pairs);
			spaces_sort(&spaces);
			forms[options->spaces_format].vm(&report, &run->vms[i], &spaces, nr++);
		}
		spaces_free(&spaces);
	}
	if (forms[options->spaces_format].end)
		forms[options->spaces_format].end(&report, nr);
}

int cmd_spaces(const struct options *options)
{
	struct view view = options->view;
	struct spaces_copy copy = { 0 };
	int status = EXIT_FAILED;
	struct source source;
	struct run run;

	if (source_open(&source, "module", READING_ONCE) < 0)
		return EXIT_FAILED;
	if (device_spaces(source.fd, &copy) == 0 && source_read(&source, &run) == 0) {
		if (select_check(&run, &view) == 0) {
			select_apply(&run, &view);
			print_all(options, &run, &copy);
			status = EXIT_DONE;
		}
		run_free(&run);
	}
	device_spaces_free(&copy);
	source_close(&source);
	return status;
}
