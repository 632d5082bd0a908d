// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs from JSON files, which may be anything: cut short, of another program,
 * hostile. Nothing is used before its type and size were checked, and each
 * complaint names the place.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "memory.h"
#include "message.h"
#include "text.h"

/* Far above what the module can give. */
#define FILE_SIZE_MAX (64UL << 20)

/* Where in the document we are: "vms[2].vcpus[0]", built by recursion. */
struct place {
	const char *file;
	const struct place *parent;
	const char *key;
	size_t index;		/* where key is NULL */
};

static void print_place(char *buf, size_t size, const struct place *place)
{
	size_t used;

	if (!place->parent) {
		snprintf(buf, size, "$");
		return;
	}
	print_place(buf, size, place->parent);
	used = strlen(buf);
	if (place->key)
		snprintf(buf + used, size - used, ".%s", place->key);
	else
		snprintf(buf + used, size - used, "[%zu]", place->index);
}

static struct place below(const struct place *place, const char *key)
{
	return (struct place){ .file = place->file, .parent = place, .key = key };
}

static struct place element(const struct place *place, size_t index)
{
	return (struct place){ .file = place->file, .parent = place, .index = index };
}

static int complain(const struct place *place, const char *what)
{
	char where[128];

	print_place(where, sizeof(where), place);
	error("%s: %s: %s", place->file, where, what);
	return -1;
}

static int complain_type(const struct place *place, const char *wanted, const json_t *found)
{
	static const char * const types[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string", [JSON_INTEGER] = "a number",
		[JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false", [JSON_NULL] = "null",
	};
	char what[96];

	snprintf(what, sizeof(what), "want %s, found %s", wanted,
		 found ? types[json_typeof(found)] : "nothing");
	return complain(place, what);
}

enum need { OPTIONAL, REQUIRED };

/* 1 with a value to look at, 0 where an optional one is missing, or -1. */
static int get(const json_t *object, const char *key, const char *wanted, enum need need,
	       const struct place *place, json_t **value)
{
	struct place here = below(place, key);

	*value = json_object_get(object, key);
	if (*value)
		return 1;
	return need == REQUIRED ? complain_type(&here, wanted, NULL) : 0;
}

static int get_code(const json_t *object, const struct place *place, uint64_t *to)
{
	struct place here = below(place, "code");
	json_t *value;

	if (get(object, "code", "a whole number", REQUIRED, place, &value) < 0)
		return -1;
	if (json_is_integer(value))
		*to = json_integer_value(value);
	else if (json_is_real(value) && fabs(json_real_value(value)) < 0x1p63)
		*to = (int64_t)json_real_value(value);	/* jq writes big ones so */
	else
		return complain_type(&here, "a whole number", value);
	return 0;
}

static int get_count_max(const json_t *object, const char *key, enum need need,
			 const struct place *place, uint64_t max, uint64_t *to)
{
	struct place here = below(place, key);
	json_t *value;
	int found = get(object, key, "a whole number", need, place, &value);
	double real;

	if (found <= 0)
		return found;
	if (json_is_integer(value)) {
		if (json_integer_value(value) < 0)
			return complain(&here, "is negative");
		*to = json_integer_value(value);
	} else if (json_is_real(value)) {
		real = json_real_value(value);
		if (real < 0 || real >= 0x1p63 || real != floor(real))
			return complain_type(&here, "a whole number", value);
		*to = real;
	} else {
		return complain_type(&here, "a whole number", value);
	}
	return *to > max ? complain(&here, "is too big") : 0;
}

static int get_count(const json_t *object, const char *key, enum need need,
		     const struct place *place, uint64_t *to)
{
	return get_count_max(object, key, need, place, INT64_MAX, to);
}

static int get_u32(const json_t *object, const char *key, enum need need,
		   const struct place *place, uint32_t *to)
{
	uint64_t wide = *to;
	int ret = get_count_max(object, key, need, place, UINT32_MAX, &wide);

	*to = wide;
	return ret;
}

static int get_string(const json_t *object, const char *key, enum need need,
		      const struct place *place, char *to, size_t size)
{
	struct place here = below(place, key);
	json_t *value;
	int found = get(object, key, "a string", need, place, &value);

	if (found <= 0)
		return found;
	if (!json_is_string(value))
		return complain_type(&here, "a string", value);
	if (json_string_length(value) >= size)
		return complain(&here, "is too long");
	text_clean(to, json_string_value(value), size);
	return 0;
}

static int get_flag(const json_t *object, const char *key, const struct place *place, bool *to)
{
	struct place here = below(place, key);
	json_t *value;
	int found = get(object, key, "true or false", OPTIONAL, place, &value);

	if (found <= 0)
		return found;
	if (!json_is_boolean(value))
		return complain_type(&here, "true or false", value);
	*to = json_is_true(value);
	return 0;
}

/* *array is NULL where an optional one is missing: it has 0 elements then. */
static int get_array(const json_t *object, const char *key, enum need need,
		     const struct place *place, json_t **array)
{
	struct place here = below(place, key);
	int found = get(object, key, "an array", need, place, array);

	if (found <= 0)
		return found;
	return json_is_array(*array) ? 0 : complain_type(&here, "an array", *array);
}

static int check_object(const json_t *value, const struct place *place)
{
	return json_is_object(value) ? 0 : complain_type(place, "an object", value);
}

/* A number, or null for one that is not known. */
static int get_number(const json_t *object, const char *key, const struct place *place,
		      double *to)
{
	struct place here = below(place, key);
	json_t *value;

	if (get(object, key, "a number", REQUIRED, place, &value) < 0)
		return -1;
	if (!json_is_number(value) && !json_is_null(value))
		return complain_type(&here, "a number", value);
	*to = json_is_null(value) ? NAN : json_number_value(value);
	return *to < 0 ? complain(&here, "is negative") : 0;
}

static int get_spread(const json_t *object, const char *key, const struct place *place,
		      struct spread *to)
{
	struct place here = below(place, key);
	json_t *value;

	if (get(object, key, "an object", REQUIRED, place, &value) < 0 ||
	    check_object(value, &here) < 0)
		return -1;
	if (get_number(value, "mean", &here, &to->mean) < 0)
		return -1;
	return get_number(value, "sd", &here, &to->sd);
}

/* Of a mean of runs; without it the spread is not known. */
static int get_per_run(const json_t *object, const struct place *place, struct reason *r)
{
	struct place here = below(place, "per_run");
	json_t *value;
	int found = get(object, "per_run", "an object", OPTIONAL, place, &value);

	r->exits_spread = (struct spread){ r->exits, NAN };
	r->cycles_spread = (struct spread){ r->cycles, NAN };
	if (found <= 0)
		return found;
	if (check_object(value, &here) < 0)
		return -1;
	if (get_spread(value, "exits", &here, &r->exits_spread) < 0)
		return -1;
	return get_spread(value, "cycles", &here, &r->cycles_spread);
}

static int get_reason(const json_t *object, const struct place *place, struct reason *r)
{
	if (check_object(object, place) < 0 || get_code(object, place, &r->code) < 0)
		return -1;
	if (get_string(object, "name", REQUIRED, place, r->name, sizeof(r->name)) < 0 ||
	    get_string(object, "class", REQUIRED, place, r->class, sizeof(r->class)) < 0)
		return -1;
	if (get_count(object, "exits", REQUIRED, place, &r->exits) < 0 ||
	    get_count(object, "cycles", REQUIRED, place, &r->cycles) < 0)
		return -1;
	return get_per_run(object, place, r);
}

static int get_reasons(const json_t *object, enum need need, const struct place *place,
		       struct reasons *reasons)
{
	struct place list = below(place, "reasons");
	json_t *array;
	size_t i;

	if (get_array(object, "reasons", need, place, &array) < 0)
		return -1;
	for (i = 0; i < json_array_size(array); i++) {
		struct place here = element(&list, i);
		struct reason r = { 0 };

		if (get_reason(json_array_get(array, i), &here, &r) < 0)
			return -1;
		reasons_append(reasons, &r);
	}
	return 0;
}

static int get_vcpu(const json_t *object, const struct place *place, struct vcpu *v)
{
	if (check_object(object, place) < 0 ||
	    get_u32(object, "id", REQUIRED, place, &v->id) < 0)
		return -1;
	if (get_count(object, "exits", REQUIRED, place, &v->totals.exits) < 0 ||
	    get_count(object, "cycles", REQUIRED, place, &v->totals.cycles) < 0 ||
	    get_count(object, "guest_cycles", OPTIONAL, place, &v->totals.guest_cycles) < 0 ||
	    get_count(object, "untraced", OPTIONAL, place, &v->totals.untraced) < 0)
		return -1;
	return get_reasons(object, REQUIRED, place, &v->reasons);
}

static void add_totals(struct totals *sum, const struct totals *t)
{
	sum->exits += t->exits;
	sum->cycles += t->cycles;
	sum->guest_cycles += t->guest_cycles;
	sum->untraced += t->untraced;
}

static int get_vcpus(const json_t *object, const struct place *place, struct vm *v)
{
	struct place list = below(place, "vcpus");
	json_t *array;
	size_t i;

	if (get_array(object, "vcpus", REQUIRED, place, &array) < 0)
		return -1;
	v->nr_vcpus = json_array_size(array);
	v->vcpus = xcalloc(v->nr_vcpus, sizeof(*v->vcpus));
	for (i = 0; i < v->nr_vcpus; i++) {
		struct place here = element(&list, i);

		if (get_vcpu(json_array_get(array, i), &here, &v->vcpus[i]) < 0)
			return -1;
		add_totals(&v->totals, &v->vcpus[i].totals);
	}
	return 0;
}

static int get_vm(const json_t *object, const struct place *place, struct vm *v)
{
	if (check_object(object, place) < 0 ||
	    get_count(object, "id", REQUIRED, place, &v->id) < 0 ||
	    get_u32(object, "pid", REQUIRED, place, &v->pid) < 0)
		return -1;
	if (get_string(object, "comm", REQUIRED, place, v->comm, sizeof(v->comm)) < 0 ||
	    get_flag(object, "alive", place, &v->alive) < 0 ||
	    get_flag(object, "retired", place, &v->retired) < 0)
		return -1;
	return get_vcpus(object, place, v);
}

static int get_vms(const json_t *object, const struct place *place, struct run *run)
{
	struct place list = below(place, "vms");
	json_t *array;
	size_t i;

	if (get_array(object, "vms", OPTIONAL, place, &array) < 0)
		return -1;
	run->nr_vms = json_array_size(array);
	run->vms = xcalloc(run->nr_vms, sizeof(*run->vms));
	for (i = 0; i < run->nr_vms; i++) {
		struct place here = element(&list, i);

		if (get_vm(json_array_get(array, i), &here, &run->vms[i]) < 0)
			return -1;
	}
	return 0;
}

static int get_totals(const json_t *object, const struct place *place, struct totals *t)
{
	struct place here = below(place, "totals");
	json_t *value;

	if (get(object, "totals", "an object", REQUIRED, place, &value) < 0 ||
	    check_object(value, &here) < 0)
		return -1;
	if (get_count(value, "exits", REQUIRED, &here, &t->exits) < 0 ||
	    get_count(value, "cycles", REQUIRED, &here, &t->cycles) < 0 ||
	    get_count(value, "guest_cycles", OPTIONAL, &here, &t->guest_cycles) < 0 ||
	    get_count(value, "untraced", OPTIONAL, &here, &t->untraced) < 0)
		return -1;
	return get_count(value, "lost", OPTIONAL, &here, &t->lost);
}

static int get_isa(const json_t *object, const struct place *place, uint32_t *isa)
{
	struct place here = below(place, "isa");
	char name[16] = "";

	if (get_string(object, "isa", REQUIRED, place, name, sizeof(name)) < 0)
		return -1;
	for (*isa = KVMSTAT_ISA_UNKNOWN; *isa <= KVMSTAT_ISA_SVM; (*isa)++)
		if (!strcmp(name, isa_name(*isa)))
			return 0;
	return complain(&here, "is neither \"vmx\" nor \"svm\"");
}

static int get_window(const json_t *object, const struct place *place, struct run *run)
{
	char name[16] = "";

	if (get_count(object, "window_ns", REQUIRED, place, &run->window_ns) < 0 ||
	    get_string(object, "window", OPTIONAL, place, name, sizeof(name)) < 0)
		return -1;
	run->window = !strcmp(name, "interval") ? WINDOW_INTERVAL :
		      !strcmp(name, "command") ? WINDOW_COMMAND : WINDOW_SINCE_RESET;
	return get_string(object, "command", OPTIONAL, place, run->command,
			  sizeof(run->command));
}

static int get_head(const json_t *object, const struct place *place, struct run *run)
{
	if (get_string(object, "source", REQUIRED, place, run->source, sizeof(run->source)) < 0 ||
	    get_string(object, "paging", REQUIRED, place, run->paging, sizeof(run->paging)) < 0 ||
	    get_string(object, "kernel", REQUIRED, place, run->kernel, sizeof(run->kernel)) < 0)
		return -1;
	run->runs = 1;
	if (get_isa(object, place, &run->isa) < 0 ||
	    get_count(object, "tsc_khz", REQUIRED, place, &run->tsc_khz) < 0 ||
	    get_u32(object, "runs", OPTIONAL, place, &run->runs) < 0)
		return -1;
	if (!run->runs)
		return complain(place, "runs is 0");
	return get_window(object, place, run);
}

/* Fewer reasons than totals is what --top leaves. */
static int check_sum(const struct run *run, const struct place *place)
{
	struct place here = below(place, "totals");
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < run->reasons.nr; i++)
		if (__builtin_add_overflow(sum, run->reasons.list[i].exits, &sum) ||
		    sum > run->totals.exits)
			return complain(&here, "its exits are fewer than those of the reasons together");
	return 0;
}

static int check_schema(const json_t *object, const struct place *place, const char *wanted)
{
	char schema[32] = "", what[160];
	struct place here = below(place, "schema");

	if (check_object(object, place) < 0 ||
	    get_string(object, "schema", REQUIRED, place, schema, sizeof(schema)) < 0)
		return -1;
	if (!strcmp(schema, wanted))
		return 0;
	snprintf(what, sizeof(what), "is \"%s\", want \"%s\"%s", schema, wanted,
		 strcmp(schema, COMPARISON_SCHEMA) ? "" :
		 ": show a comparison with \"kvmstat-report diff FILE\"");
	return complain(&here, what);
}

static int get_run(const json_t *object, const struct place *place, struct run *run)
{
	memset(run, 0, sizeof(*run));
	if (check_schema(object, place, RUN_SCHEMA) < 0 || get_head(object, place, run) < 0)
		return -1;
	if (get_totals(object, place, &run->totals) < 0 ||
	    get_reasons(object, REQUIRED, place, &run->reasons) < 0 ||
	    get_vms(object, place, run) < 0)
		return -1;
	if (check_sum(run, place) < 0)
		return -1;
	run_classify(run);
	return 0;
}

/* The whole file, malloced; NULL after an error message. */
static char *slurp(int fd, const char *path, size_t *size)
{
	char *buf = NULL;
	ssize_t got;

	for (*size = 0; *size <= FILE_SIZE_MAX; *size += got) {
		char *more = realloc(buf, *size + 65536);

		if (!more) {
			error("%s: no memory to read it", path);
			break;
		}
		buf = more;
		got = read(fd, buf + *size, 65536);
		if (got < 0) {
			error("%s: cannot read it: %s", path, strerror(errno));
			break;
		}
		if (!got)
			return buf;
	}
	if (*size > FILE_SIZE_MAX)
		error("%s: is larger than %lu MiB: not a file of kvmstat", path,
		      FILE_SIZE_MAX >> 20);
	free(buf);
	return NULL;
}

static json_t *parse(const char *path, const char *buf, size_t size)
{
	json_error_t e;
	json_t *root;
	char text[JSON_ERROR_TEXT_LENGTH];

	if (!size) {
		error("%s: is empty: want a file that \"kvmstat-report --format json\" wrote", path);
		return NULL;
	}
	root = json_loadb(buf, size, JSON_REJECT_DUPLICATES, &e);
	if (root)
		return root;
	text_clean(text, e.text, sizeof(text));
	error("%s:%d:%d: not valid JSON: %s%s", path, e.line, e.column, text,
	      (size_t)e.position >= size ? ": the file seems cut short" : "");
	return NULL;
}

static json_t *load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	json_t *root = NULL;
	size_t size;
	char *buf;

	if (fd < 0) {
		error("%s: cannot open it: %s", path, strerror(errno));
		return NULL;
	}
	buf = slurp(fd, path, &size);
	if (buf)
		root = parse(path, buf, size);
	free(buf);
	close(fd);
	return root;
}

int json_read_run(const char *path, struct run *run)
{
	const struct place top = { .file = path };
	json_t *root = load(path);
	int ret;

	memset(run, 0, sizeof(*run));
	if (!root)
		return -1;
	ret = get_run(root, &top, run);
	json_decref(root);
	if (ret < 0)
		run_free(run);
	return ret;
}

static int get_comparison(const json_t *root, const struct place *place, struct run *before,
			  struct run *after, bool *mode_verified)
{
	struct place first = below(place, "before"), second = below(place, "after");
	json_t *value;

	if (check_schema(root, place, COMPARISON_SCHEMA) < 0 ||
	    get_flag(root, "mode_verified", place, mode_verified) < 0)
		return -1;
	if (get(root, "before", "an object", REQUIRED, place, &value) < 0 ||
	    get_run(value, &first, before) < 0)
		return -1;
	if (get(root, "after", "an object", REQUIRED, place, &value) < 0)
		return -1;
	return get_run(value, &second, after);
}

int json_read_comparison(const char *path, struct run *before, struct run *after,
			 bool *mode_verified)
{
	const struct place top = { .file = path };
	json_t *root = load(path);
	int ret;

	memset(before, 0, sizeof(*before));
	memset(after, 0, sizeof(*after));
	*mode_verified = false;
	if (!root)
		return -1;
	ret = get_comparison(root, &top, before, after, mode_verified);
	json_decref(root);
	if (ret < 0) {
		run_free(before);
		run_free(after);
	}
	return ret;
}
