// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of all commands. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "options.h"

#define RUNS_MAX	1000
#define INTERVAL_MAX	86400

struct option_row {
	const char *name;
	char letter;		/* or a number above the letters */
	const char *argument;
	unsigned int who;
	int (*parse)(struct options *options, const char *value);
	const char *help;
};

static int bad_value(const char *option, const char *value, const char *wanted)
{
	error("option %s: \"%s\" is not %s: see --help", option, value, wanted);
	return -1;
}

static int parse_number(const char *option, const char *value, uint64_t min, uint64_t max,
			uint64_t *to)
{
	char *end;

	errno = 0;
	*to = strtoull(value, &end, 10);
	if (value[0] >= '0' && value[0] <= '9' && !*end && !errno && *to >= min && *to <= max)
		return 0;
	return bad_value(option, value, min ? "a whole number above 0 that makes sense" :
			 "a whole number that makes sense");
}

/* The index of value in a list that a NULL ends, or -1. */
static int parse_word(const char *option, const char *value, const char * const *words,
		      const char *wanted)
{
	int i;

	for (i = 0; words[i]; i++)
		if (!strcmp(value, words[i]))
			return i;
	return bad_value(option, value, wanted);
}

static int parse_vm(struct options *options, const char *value)
{
	options->view.vm_given = true;
	return parse_number("--vm", value, 1, UINT64_MAX, &options->view.vm);
}

static int parse_vcpu(struct options *options, const char *value)
{
	uint64_t number;

	if (parse_number("--vcpu", value, 0, UINT32_MAX, &number) < 0)
		return -1;
	options->view.vcpu_given = true;
	options->view.vcpu = number;
	return 0;
}

static int parse_by(struct options *options, const char *value)
{
	options->view.by_given = true;
	if (view_by(&options->view, value))
		return 0;
	return bad_value("--by", value, "one of reason, class, detail, vm, vcpu, or two like vm,reason");
}

static int parse_own(struct options *options, const char *value)
{
	(void)value;
	options->own = true;
	return 0;
}

static int parse_cycles(struct options *options, const char *value)
{
	(void)value;
	options->view.cycles = true;
	return 0;
}

static int parse_sort(struct options *options, const char *value)
{
	static const char * const words[] = {
		"", "exits", "cycles", "mean", "p99", "max", "name", NULL
	};
	int sort = parse_word("--sort", value, words,
			      "one of exits, cycles, mean, p99, max, name");

	options->view.sort = sort;
	return sort < 0 ? -1 : 0;
}

static int parse_top(struct options *options, const char *value)
{
	uint64_t number;

	if (parse_number("--top", value, 1, UINT32_MAX, &number) < 0)
		return -1;
	options->view.top = number;
	return 0;
}

static int parse_source(struct options *options, const char *value)
{
	options->source = value;
	return *value ? 0 : bad_value("--source", value, "module, bpf or a file");
}

static int parse_interval(struct options *options, const char *value)
{
	char *end;

	options->interval = strtod(value, &end);
	if (*value && !*end && isfinite(options->interval) && options->interval >= 0.001 &&
	    options->interval <= INTERVAL_MAX)
		return 0;
	return bad_value("-i", value, "a number of seconds from 0.001 to 86400");
}

static int parse_count(struct options *options, const char *value)
{
	return parse_number("-n", value, 1, UINT64_MAX - 1, &options->count);
}

static int parse_runs(struct options *options, const char *value)
{
	uint64_t number;

	if (parse_number("-r", value, 1, RUNS_MAX, &number) < 0)
		return -1;
	options->runs = number;
	return 0;
}

static int parse_output(struct options *options, const char *value)
{
	options->output = value;
	return *value ? 0 : bad_value("-o", value, "the name of a file");
}

static int parse_html(struct options *options, const char *value)
{
	options->html = value;
	return *value && strcmp(value, "-") ? 0 : bad_value("--html", value, "the name of a file");
}

static int parse_format(struct options *options, const char *value)
{
	options->format = format_find(value);
	return options->format ? 0 : bad_value("--format", value, format_names());
}

static int parse_column(struct options *options, const char *value)
{
	enum top_column column;

	for (column = 0; column < NR_TOP_COLUMNS; column++) {
		if (strcmp(value, top_column_name(column)))
			continue;
		options->column = column;
		return 0;
	}
	return bad_value("--sort", value,
			 "one of name, exits, rate, guest, kernel, user, offcpu, mean, p99, max");
}

static int parse_pairs(struct options *options, const char *value)
{
	static const char * const words[] = { "auto", "fold", "keep", NULL };
	int pairs = parse_word("--pairs", value, words, "one of auto, fold, keep");

	options->pairs = pairs;
	return pairs < 0 ? -1 : 0;
}

static int parse_spaces_format(struct options *options, const char *value)
{
	static const char * const words[] = { "table", "csv", "json", NULL };
	int format = parse_word("--format", value, words, "table|csv|json");

	options->spaces_format = format;
	return format < 0 ? -1 : 0;
}

static int parse_isa(struct options *options, const char *value)
{
	static const char * const words[] = { "vmx", "svm", NULL };
	int isa = parse_word("--isa", value, words, "svm or vmx");

	options->isa = isa == 0 ? KVMSTAT_ISA_VMX : KVMSTAT_ISA_SVM;
	return isa < 0 ? -1 : 0;
}

static int parse_msrs(struct options *options, const char *value)
{
	options->msrs = value;
	return *value ? 0 : bad_value("--msrs", value, "the name of a file");
}

static int parse_plain_format(struct options *options, const char *value)
{
	static const char * const words[] = { "table", "json", NULL };
	int format = parse_word("--format", value, words, "table|json");

	options->as_json = format == 1;
	return format < 0 ? -1 : 0;
}

static int parse_help(struct options *options, const char *value)
{
	(void)value;
	options->help = true;
	return 0;
}

#define ALL (FOR_SHOW | FOR_STAT | FOR_PAGING | FOR_DIFF | FOR_RESET | FOR_SPACES | \
	     FOR_REASONS | FOR_CAPS | FOR_TEXTFILE | FOR_TOP | FOR_BPF)
#define ANY_RUN (FOR_SHOW | FOR_STAT)
#define ANY_REPORT (FOR_SHOW | FOR_STAT | FOR_PAGING | FOR_DIFF)

static const struct option_row rows[] = {
	{ "interval", 'i', "SECONDS", FOR_SHOW, parse_interval,
	  "what each interval counted, until interrupted" },
	{ "interval", 'i', "SECONDS", FOR_TOP, parse_interval,
	  "read the counters so often (1)" },
	{ "count", 'n', "COUNT", FOR_SHOW, parse_count,
	  "so many intervals" },
	{ "runs", 'r', "RUNS", FOR_STAT | FOR_PAGING, parse_runs,
	  "run COMMAND so often; the report is of the mean run" },
	{ "output", 'o', "FILE", FOR_STAT | FOR_PAGING, parse_output,
	  "write the report to FILE, as JSON unless --format says otherwise" },
	{ "own", 16, NULL, FOR_STAT, parse_own,
	  "only VMs that COMMAND made, or what it started" },
	{ "vm", 1, "ID|PID", ANY_RUN | FOR_SPACES | FOR_TOP, parse_vm,
	  "only this VM, or the VMs of this process" },
	{ "vcpu", 2, "N", ANY_RUN | FOR_TOP, parse_vcpu,
	  "only vCPUs with this id" },
	{ "by", 3, "WHAT", ANY_RUN | FOR_TEXTFILE, parse_by,
	  "rows by reason, class, detail, vm, vcpu, or two of them: vm,reason" },
	{ "by", 3, "WHAT", FOR_PAGING | FOR_DIFF, parse_by,
	  "rows by reason, class or detail" },
	{ "by", 3, "WHAT", FOR_TOP, parse_by,
	  "begin with rows by vm (the default), vcpu, reason, class or detail" },
	{ "sort", 14, "COLUMN", FOR_TOP, parse_column,
	  "begin sorted by rate (the default), name, exits, kernel, mean, p99, ..." },
	{ "sort", 4, "KEY", ANY_REPORT, parse_sort,
	  "exits, cycles, mean, p99, max or name; a comparison: else by change" },
	{ "top", 5, "N", ANY_REPORT | FOR_SPACES, parse_top,
	  "only the first N rows" },
	{ "cycles", 15, NULL, ANY_REPORT, parse_cycles,
	  "TSC cycles, all digits, where a table has times" },
	{ "source", 6, "module|bpf|FILE", FOR_SHOW | FOR_TEXTFILE | FOR_TOP, parse_source,
	  "the module (the default where it is loaded), BPF, or a saved JSON" },
	{ "source", 6, "module|bpf", FOR_STAT | FOR_PAGING, parse_source,
	  "who counts: the module (the default where it is loaded), or BPF" },
	{ "format", 7, "FORMAT", ANY_REPORT, parse_format,
	  "table (the default), csv, json, openmetrics or prometheus" },
	{ "pairs", 8, "auto|fold|keep", FOR_SPACES, parse_pairs,
	  "two tables of a process as one: where it is so, always, never" },
	{ "format", 9, "FORMAT", FOR_SPACES, parse_spaces_format,
	  "table (the default), csv or json" },
	{ "isa", 10, "svm|vmx", FOR_REASONS, parse_isa,
	  "of this ISA; else of this machine's, or of both where it has none" },
	{ "msrs", 12, "FILE", FOR_CAPS, parse_msrs,
	  "VMX, from lines like \"0x481 0x3f00000016\", of any machine" },
	{ "format", 11, "FORMAT", FOR_REASONS | FOR_CAPS, parse_plain_format,
	  "table (the default) or json" },
	{ "html", 13, "FILE", ANY_REPORT, parse_html,
	  "write it to FILE, too, as a page with charts" },
	{ "help", 'h', NULL, ALL, parse_help,
	  "this text" },
};
#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct option_row *find_row(int letter)
{
	size_t i;

	for (i = 0; i < NR_ROWS; i++)
		if (rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* What getopt_long() needs to know of the options that 'who' takes. */
static void make_tables(unsigned int who, bool takes_command, struct option *longs, char *shorts)
{
	size_t i;

	if (takes_command)
		*shorts++ = '+';	/* options end where COMMAND begins */
	*shorts++ = ':';		/* tell a missing value from an unknown option */
	for (i = 0; i < NR_ROWS; i++) {
		if (!(rows[i].who & who))
			continue;
		*longs++ = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].argument ? required_argument : no_argument,
			.val = rows[i].letter,
		};
		if (rows[i].letter < ' ')
			continue;
		*shorts++ = rows[i].letter;
		if (rows[i].argument)
			*shorts++ = ':';
	}
	*shorts = '\0';
}

/* optopt is 0 for a long option that is not known or not clear. */
static int bad_option(int kind, char **argv)
{
	const char *given = argv[optind - 1];

	if (kind == ':')
		error("option %s needs a value: see \"kvmstat-report %s --help\"", given, argv[0]);
	else if (optopt >= ' ')
		error("no option -%c: see \"kvmstat-report %s --help\"", optopt, argv[0]);
	else if (optopt)
		error("option %s takes no value: see \"kvmstat-report %s --help\"", given, argv[0]);
	else
		error("no option %s: see \"kvmstat-report %s --help\"", given, argv[0]);
	return -1;
}

/* As source_open() takes it. */
static bool is_file(const char *source)
{
	return source && strcmp(source, "module") && strcmp(source, "bpf");
}

/* Options that make no sense together. */
static int check(const struct options *options, unsigned int who)
{
	const struct view *view = &options->view;
	bool machines = view_per(view) != PER_ALL;

	if (options->count && !options->interval) {
		error("option -n counts intervals: give -i SECONDS, too");
		return -1;
	}
	if (options->interval && is_file(options->source)) {
		error("option -i needs a source that counts on: a file does not");
		return -1;
	}
	if ((who & (FOR_STAT | FOR_PAGING)) && is_file(options->source)) {
		error("option --source: \"%s\" counts nothing while COMMAND runs: use module or bpf",
		      options->source);
		return -1;
	}
	if (!options->format->comparison && (options->interval || (who & (FOR_PAGING | FOR_DIFF)))) {
		error("option --format: %s is for what one run counted in all: use table, csv or json here",
		      options->format->name);
		return -1;
	}
	if (!options->format->comparison && options->runs > 1) {
		error("option --format: %s is for counters, which the mean of several runs is not: use table, csv or json here",
		      options->format->name);
		return -1;
	}
	if (options->interval && options->html) {
		error("option --html makes one page: leave -i out, or save each interval and show it by --source FILE");
		return -1;
	}
	if (options->html && options->output && !strcmp(options->html, options->output)) {
		error("options -o and --html: both to \"%s\": give each a file of its own", options->html);
		return -1;
	}
	if ((who & (FOR_PAGING | FOR_DIFF)) && machines) {
		error("option --by: two runs have no VMs in common: use reason, class or detail");
		return -1;
	}
	if (options->runs > 1 && machines) {
		error("option --by: each of several runs has VMs of its own: use reason, class or detail");
		return -1;
	}
	if (by_machines(view->by) && (view->sort == SORT_P99 || view->sort == SORT_MAX)) {
		error("option --sort: p99 and max are of reasons: use --by reason, class, detail, or vm,reason");
		return -1;
	}
	if ((who & FOR_TOP) && view->per != PER_ALL) {
		error("option --by: the live screen has one kind of rows at a time: use --by %s, and go into one with Enter",
		      view->per == PER_VM ? "vm" : "vcpu");
		return -1;
	}
	return 0;
}

int options_parse(struct options *options, unsigned int who, bool takes_command, int argc,
		  char **argv)
{
	struct option longs[NR_ROWS + 1] = { 0 };
	char shorts[2 * NR_ROWS + 3];
	int letter;

	memset(options, 0, sizeof(*options));
	options->runs = 1;
	options->column = TOP_RATE;
	make_tables(who, takes_command, longs, shorts);
	opterr = 0;
	optind = 1;
	while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *row = find_row(letter);

		if (!row)
			return bad_option(letter, argv);
		if (row->parse(options, optarg) < 0)
			return -1;
	}
	options->operands = argv + optind;
	options->nr_operands = argc - optind;
	if (!options->format)
		options->format = options->output ? &format_json : &format_table;
	return options->help ? 0 : check(options, who);
}

void options_print(FILE *out, unsigned int who)
{
	size_t i;

	for (i = 0; i < NR_ROWS; i++) {
		char left[40], letter[8] = "    ";

		if (!(rows[i].who & who))
			continue;
		if (rows[i].letter > ' ')
			snprintf(letter, sizeof(letter), "-%c, ", rows[i].letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, rows[i].name,
			 rows[i].argument ? " " : "", rows[i].argument ?: "");
		fprintf(out, "  %-26s %s\n", left, rows[i].help);
	}
}
