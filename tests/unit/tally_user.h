/* SPDX-License-Identifier: GPL-2.0-only */
/* What module/tally.[ch] takes from the kernel, for a program. */
#ifndef TALLY_USER_H
#define TALLY_USER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/cdefs.h>	/* __always_inline */

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#define U64_MAX		UINT64_MAX
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define OPTIMIZER_HIDE_VAR(var)	__asm__("" : "=r" (var) : "0" (var))
/* Nobody else reads here: no barrier does anything. */
#define READ_ONCE(x)	(x)
#define WRITE_ONCE(x, value) ((x) = (value))
#define smp_rmb()	((void)0)	/* pairs with none */
#define smp_wmb()	((void)0)	/* pairs with none */
#define cpu_relax()	((void)0)
#define smp_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)	/* pairs with none */

static inline unsigned long __fls(unsigned long word)
{
	return 63 - __builtin_clzl(word);
}

#endif
