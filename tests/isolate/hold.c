// SPDX-License-Identifier: GPL-2.0-or-later
/* In the jail without a program of its own, as a VMM is: waits for its end. */
#include <stdio.h>
#include <unistd.h>

#include "../../isolate/jail.h"

int main(void)
{
	const struct jail_options options = { .veth = false };

	if (jail_enter(&options) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
