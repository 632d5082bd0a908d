// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a run comes from. */
#include <string.h>

#include "source.h"

int source_open(struct source *source, const char *name)
{
	memset(source, 0, sizeof(*source));
	source->fd = -1;
	if (!strcmp(name, "module"))
		return source_module_open(source);
	return source_file_open(source, name);
}

int source_read(struct source *source, struct run *run)
{
	return source->type->read(source, run);
}

void source_close(struct source *source)
{
	if (source->type->close)
		source->type->close(source);
}
