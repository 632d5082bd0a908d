/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields of a JSON document that may be anything. Nothing is used before its
 * type and size were checked, and each complaint names the place.
 */
#ifndef KVMSTAT_JSON_FIELD_H
#define KVMSTAT_JSON_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Where in the document we are: "vms[2].vcpus[0]", built by recursion. */
struct place {
	const char *file;
	const struct place *parent;
	const char *key;
	size_t index;		/* where key is NULL */
};

struct place place_below(const struct place *place, const char *key);
struct place place_element(const struct place *place, size_t index);

/* Each -1, after the error message. */
int place_complain(const struct place *place, const char *what);
int place_complain_type(const struct place *place, const char *wanted, const json_t *found);
/* Each 0, or -1 after an error message. */
int place_count(const json_t *value, const struct place *place, uint64_t max, uint64_t *to);
int place_check_object(const json_t *value, const struct place *place);

enum need { OPTIONAL, REQUIRED };

/* 1 with a value to look at, 0 where an optional one is missing, or -1. */
int field_get(const json_t *object, const char *key, const char *wanted, enum need need,
	      const struct place *place, json_t **value);

/*
 * Each 0, or -1 after an error message; *to stays as it is where an optional
 * field is missing.
 */
int field_code(const json_t *object, const struct place *place, uint64_t *to);
int field_count(const json_t *object, const char *key, enum need need,
		const struct place *place, uint64_t *to);
int field_u32(const json_t *object, const char *key, enum need need,
	      const struct place *place, uint32_t *to);
int field_string(const json_t *object, const char *key, enum need need,
		 const struct place *place, char *to, size_t size);
int field_flag(const json_t *object, const char *key, const struct place *place, bool *to);
/* *array is NULL where an optional one is missing: it has 0 elements then. */
int field_array(const json_t *object, const char *key, enum need need,
		const struct place *place, json_t **array);
/* A number, or null for one that is not known: NAN. */
int field_number(const json_t *object, const char *key, enum need need,
		 const struct place *place, double *to);

#endif
