/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guests.S: loads ecx values, 8 bytes each from rsi on, into CR3, and halts. */
#ifndef SPACES_GUESTS_H
#define SPACES_GUESTS_H

#include <stdint.h>

extern const uint8_t load_long[], load_protected[], load_end[];

#endif
