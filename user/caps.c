// SPDX-License-Identifier: GPL-2.0-or-later
/* What KVM makes of what the CPU offers, as far as it can be told from outside. */
#include "caps.h"
#include "sysfs.h"

bool caps_module_loaded(const char *module)
{
	return sysfs_exists("/sys/module/%s/parameters", module);
}

struct uses {
	const char *set, *unset, *missing;	/* what a parameter is */
};

/* Numbers count as they do in C. */
static const char *by_parameter(const char *module, const char *parameter, struct uses uses)
{
	char value[16];

	if (!sysfs_read(value, sizeof(value), "/sys/module/%s/parameters/%s", module, parameter))
		return uses.missing;
	return value[0] == 'N' || value[0] == '0' ? uses.unset : uses.set;
}

static const struct uses uses[] = {
	[USE_UNKNOWN] = { .set = "-" },
	[USE_ALWAYS] = { .set = "yes" },
	[USE_NEVER] = { .set = "no" },
	[USE_VARIES] = { .set = "varies" },
	[USE_IF] = { "yes", "no", "-" },
	[USE_UNLESS] = { "no", "yes", "-" },
	[USE_VARIES_IF] = { "varies", "no", "-" },
	[USE_IF_KNOWN] = { "yes", "no", "no" },
	[USE_VARIES_IF_KNOWN] = { "varies", "no", "no" },
};

static const char *in_use(const struct cap *cap, bool can_set, bool can_clear, const char *module)
{
	if (!module)
		return "-";
	if (!can_set || !can_clear)
		return can_set ? "yes" : "no";
	if (cap->parameter)
		return by_parameter(module, cap->parameter, uses[cap->use]);
	return uses[cap->use].set;
}

void caps_add(struct caps_group *group, const struct cap *cap, bool can_set, bool can_clear,
	      const char *module)
{
	group->rows[group->nr++] = (struct caps_row){
		.bit = cap->bit,
		.name = cap->name,
		.meaning = cap->meaning,
		.can_set = can_set,
		.can_clear = can_clear,
		.in_use = in_use(cap, can_set, can_clear, module),
	};
}
