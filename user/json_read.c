// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs from JSON files, which may be anything: cut short, of another program, hostile. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "json_field.h"
#include "memory.h"
#include "message.h"
#include "text.h"

/* Far above what the module can give. */
#define FILE_SIZE_MAX (64UL << 20)

static int get_spread(const json_t *object, const char *key, const struct place *place,
		      struct spread *to)
{
	struct place here = place_below(place, key);
	json_t *value;

	if (field_get(object, key, "an object", REQUIRED, place, &value) < 0 ||
	    place_check_object(value, &here) < 0)
		return -1;
	if (field_number(value, "mean", REQUIRED, &here, &to->mean) < 0)
		return -1;
	return field_number(value, "sd", REQUIRED, &here, &to->sd);
}

/* Of a mean of runs; without it the spread is not known. */
static int get_per_run(const json_t *object, const struct place *place, struct reason *r)
{
	struct place here = place_below(place, "per_run");
	json_t *value;
	int found = field_get(object, "per_run", "an object", OPTIONAL, place, &value);

	r->exits_spread = (struct spread){ r->exits, NAN };
	r->cycles_spread = (struct spread){ cycles_sum(&r->cycles), NAN };
	r->kernel_spread = (struct spread){ r->cycles.kernel, NAN };
	if (found <= 0)
		return found;
	if (place_check_object(value, &here) < 0)
		return -1;
	if (get_spread(value, "exits", &here, &r->exits_spread) < 0 ||
	    get_spread(value, "cycles", &here, &r->cycles_spread) < 0)
		return -1;
	if (json_object_get(value, "kernel_cycles"))
		return get_spread(value, "kernel_cycles", &here, &r->kernel_spread);
	if (!json_object_get(object, "kernel_cycles"))
		r->kernel_spread = r->cycles_spread;
	return 0;
}

/*
 * Files of before cycles were told apart have their sum alone: all of it counts
 * as kernel cycles, which the run's 'split' tells.
 */
static int get_cycles(const json_t *object, const struct place *place, struct cycles *to)
{
	struct place here = place_below(place, "cycles");
	uint64_t total = 0, sum;

	if (field_count(object, "cycles", REQUIRED, place, &total) < 0)
		return -1;
	*to = (struct cycles){ .kernel = total };
	if (field_count(object, "kernel_cycles", OPTIONAL, place, &to->kernel) < 0 ||
	    field_count(object, "user_cycles", OPTIONAL, place, &to->user) < 0 ||
	    field_count(object, "offcpu_cycles", OPTIONAL, place, &to->offcpu) < 0)
		return -1;
	if (__builtin_add_overflow(to->kernel + to->user, to->offcpu, &sum) || sum != total)
		return place_complain(&here, "is not the sum of kernel, user and off-CPU cycles");
	return 0;
}

/* [lower bound, exits] */
static int get_bucket(const json_t *pair, const struct place *place, struct histogram *h)
{
	struct place first = place_element(place, 0), second = place_element(place, 1);
	uint64_t lower = 0, exits = 0;
	unsigned int bucket;

	if (!json_is_array(pair))
		return place_complain_type(place, "an array", pair);
	if (place_count(json_array_get(pair, 0), &first, INT64_MAX, &lower) < 0 ||
	    place_count(json_array_get(pair, 1), &second, INT64_MAX, &exits) < 0)
		return -1;
	bucket = histogram_bucket(lower);
	if (histogram_lower(bucket) != lower)
		return place_complain(&first, "is not where a bucket begins");
	if (!exits || h->buckets[bucket])
		return place_complain(place, "is an empty bucket, or there twice");
	h->buckets[bucket] = exits;
	h->ended += exits;
	return h->ended > INT64_MAX ? place_complain(&second, "is too big") : 0;
}

/* Where the extremes are missing they are bounds, as the buckets give them. */
static int get_extremes(const json_t *object, const struct place *place, struct histogram *h)
{
	struct place min = place_below(place, "min"), max = place_below(place, "max");
	bool known = json_object_get(object, "min") && json_object_get(object, "max");
	struct histogram bound;

	h->max = INT64_MAX;
	if (field_count(object, "min", OPTIONAL, place, &h->min) < 0 ||
	    field_count(object, "max", OPTIONAL, place, &h->max) < 0)
		return -1;
	bound = *h;
	histogram_bound(&bound);
	if (known && h->min != bound.min)
		return place_complain(&min, "is not in the first bucket of the histogram");
	if (known && h->max != bound.max)
		return place_complain(&max, "is not in the last bucket of the histogram");
	h->min = bound.min;
	h->max = bound.max;
	h->bounds = !known;
	return field_flag(object, "bounds", place, &h->bounds);
}

static int get_buckets(const json_t *object, const struct place *place, struct histogram *h)
{
	struct place list = place_below(place, "histogram"), here = place_below(place, "ended");
	uint64_t ended;
	json_t *array;
	size_t i;

	if (field_array(object, "histogram", OPTIONAL, place, &array) < 0)
		return -1;
	for (i = 0; i < json_array_size(array); i++) {
		struct place bucket = place_element(&list, i);

		if (get_bucket(json_array_get(array, i), &bucket, h) < 0)
			return -1;
	}
	ended = h->ended;
	if (array && field_count(object, "ended", OPTIONAL, place, &ended) < 0)
		return -1;
	return ended == h->ended ? 0 : place_complain(&here, "is not the sum of the histogram");
}

/* The mean is rounded: the sum is that of all kernel cycles, or told apart. */
static int get_histogram(const json_t *object, const struct place *place, struct reason *r)
{
	struct place here = place_below(place, "sd");
	struct histogram *h = &r->histogram;
	double sd = NAN;

	if (get_buckets(object, place, h) < 0)
		return -1;
	if (!h->ended)
		return 0;
	h->sum = r->cycles.kernel;
	if (field_count(object, "ended_cycles", OPTIONAL, place, &h->sum) < 0 ||
	    get_extremes(object, place, h) < 0 ||
	    field_number(object, "sd", OPTIONAL, place, &sd) < 0)
		return -1;
	if (isnan(sd) && h->ended > 1)
		return 0;
	return histogram_set_sd(h, isnan(sd) ? 0 : sd) ? 0 : place_complain(&here, "is too big");
}

/* What reasons and details have in common. */
static int get_counts(const json_t *object, const struct place *place, struct reason *r)
{
	if (field_count(object, "exits", REQUIRED, place, &r->exits) < 0 ||
	    get_cycles(object, place, &r->cycles) < 0 ||
	    get_histogram(object, place, r) < 0)
		return -1;
	return get_per_run(object, place, r);
}

/* A row of the reason's own, but for what the detail says. */
static int get_detail(const json_t *object, const struct place *place, uint32_t isa,
		      struct reason *r)
{
	struct place here = place_below(place, "detail");
	char name[DETAIL_NAME_MAX] = "";

	if (place_check_object(object, place) < 0 ||
	    field_string(object, "detail", REQUIRED, place, name, sizeof(name)) < 0)
		return -1;
	if (!detail_find(name, &r->detail))
		return place_complain(&here, "is no detail that this version knows");
	snprintf(r->class, sizeof(r->class), "%s", detail_class(isa, r->code, r->detail));
	if (field_string(object, "class", OPTIONAL, place, r->class, CLASS_NAME_MAX) < 0)
		return -1;
	return get_counts(object, place, r);
}

static bool add_detail(struct reason *sum, const struct reason *r)
{
	histogram_add(&sum->histogram, &r->histogram);
	cycles_add(&sum->cycles, &r->cycles);
	return !__builtin_add_overflow(sum->exits, r->exits, &sum->exits);
}

/*
 * The finest rows of a reason: its details, or itself. Its own histogram is
 * that of its details, for one who writes a file need not write both.
 */
static int get_details(const json_t *object, const struct place *place, uint32_t isa,
		       struct reason *reason, struct reasons *details)
{
	struct place list = place_below(place, "details");
	struct reason sum = { 0 };
	json_t *array;
	size_t i;

	if (field_array(object, "details", OPTIONAL, place, &array) < 0)
		return -1;
	if (!json_array_size(array)) {
		reasons_append(details, reason);
		return 0;
	}
	for (i = 0; i < json_array_size(array); i++) {
		struct place here = place_element(&list, i);
		struct reason r = *reason;

		memset(&r.histogram, 0, sizeof(r.histogram));
		if (get_detail(json_array_get(array, i), &here, isa, &r) < 0)
			return -1;
		if (!add_detail(&sum, &r))
			return place_complain(&list, "have too many exits");
		reasons_append(details, &r);
	}
	if (sum.exits != reason->exits || memcmp(&sum.cycles, &reason->cycles, sizeof(sum.cycles)))
		return place_complain(&list, "have other exits or cycles in sum than their reason");
	reason->histogram = sum.histogram;
	return 0;
}

static int get_reason(const json_t *object, const struct place *place, struct reason *r)
{
	struct place here = place_below(place, "level");

	if (place_check_object(object, place) < 0 || field_code(object, place, &r->code) < 0)
		return -1;
	if (field_string(object, "name", REQUIRED, place, r->name, sizeof(r->name)) < 0 ||
	    field_string(object, "class", REQUIRED, place, r->class, CLASS_NAME_MAX) < 0)
		return -1;
	r->level = 1;
	if (field_u32(object, "level", OPTIONAL, place, &r->level) < 0)
		return -1;
	if (r->level < 1 || r->level > 2)
		return place_complain(&here, "is neither 1 nor 2");
	return get_counts(object, place, r);
}

/* 'reasons' is NULL where the finest rows alone are wanted. */
static int get_reasons(const json_t *object, const struct place *place, uint32_t isa,
		       struct reasons *reasons, struct reasons *details)
{
	struct place list = place_below(place, "reasons");
	json_t *array;
	size_t i;

	if (field_array(object, "reasons", REQUIRED, place, &array) < 0)
		return -1;
	for (i = 0; i < json_array_size(array); i++) {
		const json_t *element = json_array_get(array, i);
		struct place here = place_element(&list, i);
		struct reason r = { 0 };

		if (get_reason(element, &here, &r) < 0 ||
		    get_details(element, &here, isa, &r, details) < 0)
			return -1;
		if (reasons)
			reasons_append(reasons, &r);
	}
	return 0;
}

/* What VMs, vCPUs and all of a run have in common. */
static int get_counters(const json_t *object, const struct place *place, struct totals *t)
{
	if (field_count(object, "exits", REQUIRED, place, &t->exits) < 0 ||
	    get_cycles(object, place, &t->cycles) < 0)
		return -1;
	if (field_count(object, "guest_cycles", OPTIONAL, place, &t->guest_cycles) < 0 ||
	    field_count(object, "wall_cycles", OPTIONAL, place, &t->wall_cycles) < 0)
		return -1;
	return field_count(object, "untraced", OPTIONAL, place, &t->untraced);
}

static int get_vcpu(const json_t *object, const struct place *place, uint32_t isa, struct vcpu *v)
{
	if (place_check_object(object, place) < 0 ||
	    field_u32(object, "id", REQUIRED, place, &v->id) < 0 ||
	    get_counters(object, place, &v->totals) < 0)
		return -1;
	return get_reasons(object, place, isa, NULL, &v->details);
}

static int get_vcpus(const json_t *object, const struct place *place, uint32_t isa, struct vm *v)
{
	struct place list = place_below(place, "vcpus");
	json_t *array;
	size_t i;

	if (field_array(object, "vcpus", REQUIRED, place, &array) < 0)
		return -1;
	v->nr_vcpus = json_array_size(array);
	v->vcpus = xcalloc(v->nr_vcpus, sizeof(*v->vcpus));
	for (i = 0; i < v->nr_vcpus; i++) {
		struct place here = place_element(&list, i);

		if (get_vcpu(json_array_get(array, i), &here, isa, &v->vcpus[i]) < 0)
			return -1;
		totals_add(&v->totals, &v->vcpus[i].totals);
	}
	return 0;
}

static int get_vm(const json_t *object, const struct place *place, uint32_t isa, struct vm *v)
{
	if (place_check_object(object, place) < 0 ||
	    field_count(object, "id", REQUIRED, place, &v->id) < 0 ||
	    field_u32(object, "pid", REQUIRED, place, &v->pid) < 0)
		return -1;
	if (field_string(object, "comm", REQUIRED, place, v->comm, sizeof(v->comm)) < 0 ||
	    field_string(object, "name", OPTIONAL, place, v->name, sizeof(v->name)) < 0 ||
	    field_flag(object, "alive", place, &v->alive) < 0 ||
	    field_flag(object, "retired", place, &v->retired) < 0)
		return -1;
	return get_vcpus(object, place, isa, v);
}

static int get_vms(const json_t *object, const struct place *place, struct run *run)
{
	struct place list = place_below(place, "vms");
	json_t *array;
	size_t i;

	if (field_array(object, "vms", OPTIONAL, place, &array) < 0)
		return -1;
	run->nr_vms = json_array_size(array);
	run->vms = xcalloc(run->nr_vms, sizeof(*run->vms));
	for (i = 0; i < run->nr_vms; i++) {
		struct place here = place_element(&list, i);

		if (get_vm(json_array_get(array, i), &here, run->isa, &run->vms[i]) < 0)
			return -1;
	}
	return 0;
}

static int get_totals(const json_t *object, const struct place *place, struct run *run)
{
	struct place here = place_below(place, "totals");
	json_t *value;

	if (field_get(object, "totals", "an object", REQUIRED, place, &value) < 0 ||
	    place_check_object(value, &here) < 0 ||
	    get_counters(value, &here, &run->totals) < 0)
		return -1;
	run->split = json_object_get(value, "kernel_cycles");
	return field_count(value, "lost", OPTIONAL, &here, &run->totals.lost);
}

static int get_isa(const json_t *object, const struct place *place, uint32_t *isa)
{
	struct place here = place_below(place, "isa");
	char name[16] = "";

	if (field_string(object, "isa", REQUIRED, place, name, sizeof(name)) < 0)
		return -1;
	for (*isa = KVMSTAT_ISA_UNKNOWN; *isa <= KVMSTAT_ISA_SVM; (*isa)++)
		if (!strcmp(name, isa_name(*isa)))
			return 0;
	return place_complain(&here, "is neither \"vmx\" nor \"svm\"");
}

static int get_window(const json_t *object, const struct place *place, struct run *run)
{
	char name[16] = "";

	if (field_count(object, "window_ns", REQUIRED, place, &run->window_ns) < 0 ||
	    field_count(object, "end_tsc", OPTIONAL, place, &run->tsc) < 0 ||
	    field_string(object, "window", OPTIONAL, place, name, sizeof(name)) < 0)
		return -1;
	run->window = !strcmp(name, "interval") ? WINDOW_INTERVAL :
		      !strcmp(name, "command") ? WINDOW_COMMAND : WINDOW_SINCE_RESET;
	if (field_string(object, "selection", OPTIONAL, place, run->selection,
			 sizeof(run->selection)) < 0)
		return -1;
	return field_string(object, "command", OPTIONAL, place, run->command,
			    sizeof(run->command));
}

static int get_head(const json_t *object, const struct place *place, struct run *run)
{
	if (field_string(object, "source", REQUIRED, place, run->source, sizeof(run->source)) < 0 ||
	    field_string(object, "paging", REQUIRED, place, run->paging, sizeof(run->paging)) < 0 ||
	    field_string(object, "kernel", REQUIRED, place, run->kernel, sizeof(run->kernel)) < 0)
		return -1;
	run->runs = 1;
	if (get_isa(object, place, &run->isa) < 0 ||
	    field_count(object, "tsc_khz", REQUIRED, place, &run->tsc_khz) < 0 ||
	    field_u32(object, "runs", OPTIONAL, place, &run->runs) < 0)
		return -1;
	if (!run->runs)
		return place_complain(place, "runs is 0");
	return get_window(object, place, run);
}

/* Fewer reasons than totals is what --top leaves. */
static int check_sum(const struct run *run, const struct place *place)
{
	struct place here = place_below(place, "totals");
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < run->reasons.nr; i++)
		if (__builtin_add_overflow(sum, run->reasons.list[i].exits, &sum) ||
		    sum > run->totals.exits)
			return place_complain(&here, "its exits are fewer than those of the reasons together");
	return 0;
}

static int check_schema(const json_t *object, const struct place *place, const char *wanted)
{
	char schema[32] = "", what[160];
	struct place here = place_below(place, "schema");

	if (place_check_object(object, place) < 0 ||
	    field_string(object, "schema", REQUIRED, place, schema, sizeof(schema)) < 0)
		return -1;
	if (!strcmp(schema, wanted))
		return 0;
	snprintf(what, sizeof(what), "is \"%s\", want \"%s\"%s", schema, wanted,
		 strcmp(schema, COMPARISON_SCHEMA) ? "" :
		 ": show a comparison with \"kvmstat-report diff FILE\"");
	return place_complain(&here, what);
}

static int get_run(const json_t *object, const struct place *place, struct run *run)
{
	memset(run, 0, sizeof(*run));
	if (check_schema(object, place, RUN_SCHEMA) < 0 || get_head(object, place, run) < 0)
		return -1;
	if (get_totals(object, place, run) < 0 ||
	    get_reasons(object, place, run->isa, &run->reasons, &run->details) < 0 ||
	    get_vms(object, place, run) < 0)
		return -1;
	if (check_sum(run, place) < 0)
		return -1;
	classes_add_up(&run->classes, &run->details);
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
	struct place first = place_below(place, "before"), second = place_below(place, "after");
	json_t *value;

	if (check_schema(root, place, COMPARISON_SCHEMA) < 0 ||
	    field_flag(root, "mode_verified", place, mode_verified) < 0)
		return -1;
	if (field_get(root, "before", "an object", REQUIRED, place, &value) < 0 ||
	    get_run(value, &first, before) < 0)
		return -1;
	if (field_get(root, "after", "an object", REQUIRED, place, &value) < 0)
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
