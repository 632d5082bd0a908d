// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmstat-report reset: counting starts again from zero. */
#include <unistd.h>

#include "commands.h"
#include "device.h"
#include "message.h"

int cmd_reset(const struct options *options)
{
	int fd, ret;

	(void)options;
	device_alternative = "; a BPF collector begins anew by \"kvmstat-report bpf stop\" and \"bpf start\"";
	fd = device_open(true);
	if (fd < 0)
		return EXIT_FAILED;
	ret = device_reset(fd);
	close(fd);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}
