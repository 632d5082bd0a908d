// SPDX-License-Identifier: GPL-2.0-or-later
/* A saved run as a source. */
#include "json.h"
#include "source.h"

static int file_read(struct source *source, struct run *run)
{
	int ret = json_read_run(source->path, run);

	if (ret == 0)
		run->file = source->path;
	return ret;
}

static const struct source_type file_type = { .read = file_read };

int source_file_open(struct source *source, const char *path)
{
	source->type = &file_type;
	source->path = path;
	return 0;
}
