// SPDX-License-Identifier: GPL-2.0-or-later
/* Fields of a JSON document that may be anything. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json_field.h"
#include "message.h"
#include "text.h"

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

struct place place_below(const struct place *place, const char *key)
{
	return (struct place){ .file = place->file, .parent = place, .key = key };
}

struct place place_element(const struct place *place, size_t index)
{
	return (struct place){ .file = place->file, .parent = place, .index = index };
}

int place_complain(const struct place *place, const char *what)
{
	char where[128];

	print_place(where, sizeof(where), place);
	error("%s: %s: %s", place->file, where, what);
	return -1;
}

int place_complain_type(const struct place *place, const char *wanted, const json_t *found)
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
	return place_complain(place, what);
}

int field_get(const json_t *object, const char *key, const char *wanted, enum need need,
	      const struct place *place, json_t **value)
{
	struct place here = place_below(place, key);

	*value = json_object_get(object, key);
	if (*value)
		return 1;
	return need == REQUIRED ? place_complain_type(&here, wanted, NULL) : 0;
}

int field_code(const json_t *object, const struct place *place, uint64_t *to)
{
	struct place here = place_below(place, "code");
	json_t *value;

	if (field_get(object, "code", "a whole number", REQUIRED, place, &value) < 0)
		return -1;
	if (json_is_integer(value))
		*to = json_integer_value(value);
	else if (json_is_real(value) && fabs(json_real_value(value)) < 0x1p63)
		*to = (int64_t)json_real_value(value);	/* jq writes big ones so */
	else
		return place_complain_type(&here, "a whole number", value);
	return 0;
}

int place_count(const json_t *value, const struct place *place, uint64_t max, uint64_t *to)
{
	double real;

	if (json_is_integer(value)) {
		if (json_integer_value(value) < 0)
			return place_complain(place, "is negative");
		*to = json_integer_value(value);
	} else if (json_is_real(value)) {
		real = json_real_value(value);
		if (real < 0 || real >= 0x1p63 || real != floor(real))
			return place_complain_type(place, "a whole number", value);
		*to = real;
	} else {
		return place_complain_type(place, "a whole number", value);
	}
	return *to > max ? place_complain(place, "is too big") : 0;
}

static int count_max(const json_t *object, const char *key, enum need need,
		     const struct place *place, uint64_t max, uint64_t *to)
{
	struct place here = place_below(place, key);
	json_t *value;
	int found = field_get(object, key, "a whole number", need, place, &value);

	return found <= 0 ? found : place_count(value, &here, max, to);
}

int field_count(const json_t *object, const char *key, enum need need,
		const struct place *place, uint64_t *to)
{
	return count_max(object, key, need, place, INT64_MAX, to);
}

int field_u32(const json_t *object, const char *key, enum need need,
	      const struct place *place, uint32_t *to)
{
	uint64_t wide = *to;
	int ret = count_max(object, key, need, place, UINT32_MAX, &wide);

	*to = wide;
	return ret;
}

int field_string(const json_t *object, const char *key, enum need need,
		 const struct place *place, char *to, size_t size)
{
	struct place here = place_below(place, key);
	json_t *value;
	int found = field_get(object, key, "a string", need, place, &value);

	if (found <= 0)
		return found;
	if (!json_is_string(value))
		return place_complain_type(&here, "a string", value);
	if (json_string_length(value) >= size)
		return place_complain(&here, "is too long");
	text_clean(to, json_string_value(value), size);
	return 0;
}

int field_flag(const json_t *object, const char *key, const struct place *place, bool *to)
{
	struct place here = place_below(place, key);
	json_t *value;
	int found = field_get(object, key, "true or false", OPTIONAL, place, &value);

	if (found <= 0)
		return found;
	if (!json_is_boolean(value))
		return place_complain_type(&here, "true or false", value);
	*to = json_is_true(value);
	return 0;
}

int field_array(const json_t *object, const char *key, enum need need,
		const struct place *place, json_t **array)
{
	struct place here = place_below(place, key);
	int found = field_get(object, key, "an array", need, place, array);

	if (found <= 0)
		return found;
	return json_is_array(*array) ? 0 : place_complain_type(&here, "an array", *array);
}

int place_check_object(const json_t *value, const struct place *place)
{
	return json_is_object(value) ? 0 : place_complain_type(place, "an object", value);
}

int field_number(const json_t *object, const char *key, enum need need,
		 const struct place *place, double *to)
{
	struct place here = place_below(place, key);
	json_t *value;
	int found = field_get(object, key, "a number", need, place, &value);

	if (found <= 0)
		return found;
	if (!json_is_number(value) && !json_is_null(value))
		return place_complain_type(&here, "a number", value);
	*to = json_is_null(value) ? NAN : json_number_value(value);
	return *to < 0 ? place_complain(&here, "is negative") : 0;
}
