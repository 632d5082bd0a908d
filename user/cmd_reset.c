// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-report reset: counting starts again from zero. */
#include <unistd.h>

#include "commands.h"
#include "device.h"
#include "message.h"

int cmd_reset(const struct options *options)
{
	int fd = device_open(true), ret;

	(void)options;
	if (fd < 0)
		return EXIT_FAILED;
	ret = device_reset(fd);
	close(fd);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}
