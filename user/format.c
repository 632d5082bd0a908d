// SPDX-License-Identifier: GPL-2.0-or-later
/* The forms that results come in. */
#include <string.h>

#include "format.h"

static const struct format * const formats[] = {
	&format_table, &format_json, &format_csv, &format_openmetrics, &format_prometheus,
};

const struct format *format_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(name, formats[i]->name))
			return formats[i];
	return NULL;
}

const char *format_names(void)
{
	static char names[64];
	size_t used = 0, i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		used += snprintf(names + used, sizeof(names) - used, "%s%s", i ? "|" : "",
				 formats[i]->name);
	return names;
}
