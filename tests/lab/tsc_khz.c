// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints the host's TSC frequency in kHz, which is also that of TCG's guests.
 * The lab's kernel is told it (tsc_early_khz=): left to calibrate against an
 * emulated PIT on a busy host, it may get a clock that is wrong by any factor.
 */
#include <stdio.h>

#include "../../user/tsc.h"

int main(void)
{
	printf("%.0f\n", tsc_khz(50));
	return 0;
}
