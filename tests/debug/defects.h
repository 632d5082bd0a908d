/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests/debug/broken.t puts into a copy of the module: one DEFECT, run by init. */
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

enum {
	NONE,
	USE_AFTER_FREE,
	OUT_OF_BOUNDS,
	SLEEP_UNDER_LOCK,
	LOCK_ORDER,
	UNDEFINED,
	LEAK,
	LEAK_GONE,
};

static DEFINE_SPINLOCK(defect_spin);
static DEFINE_MUTEX(defect_a);
static DEFINE_MUTEX(defect_b);

/* The compiler is not to see through it. */
static noinline int defect_read(const int *block, int i)
{
	return READ_ONCE(block[i]);
}

static noinline void defect_heap(int i, bool freed)
{
	int *block = kcalloc(32, sizeof(*block), GFP_KERNEL);
	int *same = block;

	OPTIMIZER_HIDE_VAR(same);
	if (freed)
		kfree(block);
	defect_read(same, i);
	if (!freed)
		kfree(block);
}

static noinline void defect_sleep(void)
{
	spin_lock(&defect_spin);
	mutex_lock(&defect_a);
	mutex_unlock(&defect_a);
	spin_unlock(&defect_spin);
}

static noinline void defect_order(struct mutex *first, struct mutex *then)
{
	mutex_lock(first);
	mutex_lock(then);
	mutex_unlock(then);
	mutex_unlock(first);
}

static noinline int defect_shift(int by)
{
	OPTIMIZER_HIDE_VAR(by);
	return 1 << by;
}

/* Several: what is left of a pointer in a register or on a stack hides its block. */
static noinline void defect_leak(void)
{
	int i;

	for (i = 0; i < 16; i++) {
		void *block = kzalloc(1000, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(block);
	}
}

static noinline void defect(void)
{
	switch (DEFECT) {
	case NONE:
		break;
	case USE_AFTER_FREE:
		defect_heap(0, true);
		break;
	case OUT_OF_BOUNDS:
		defect_heap(32, false);
		break;
	case SLEEP_UNDER_LOCK:
		defect_sleep();
		break;
	case LOCK_ORDER:
		defect_order(&defect_a, &defect_b);
		defect_order(&defect_b, &defect_a);
		break;
	case UNDEFINED:
		defect_shift(40);
		break;
	case LEAK:
	case LEAK_GONE:
		defect_leak();
		break;
	}
}
