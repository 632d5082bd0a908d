// SPDX-License-Identifier: GPL-2.0-or-later
/* What KVM makes of what the CPU offers, as far as it can be told from outside. */
#include "caps.h"
#include "sysfs.h"

bool caps_module_loaded(const char *module)
{
	return sysfs_exists("/sys/module/%s/parameters", module);
}

/* Of a parameter: numbers count as they do in C. */
static const char *if_set(const char *module, const char *parameter, const char *set,
			  const char *unset)
{
	char value[16];

	if (!sysfs_read(value, sizeof(value), "/sys/module/%s/parameters/%s", module, parameter))
		return "-";
	return value[0] == 'N' || value[0] == '0' ? unset : set;
}

static const char *in_use(const struct cap *cap, bool can_set, bool can_clear, const char *module)
{
	if (!module)
		return "-";
	if (!can_set || !can_clear)
		return can_set ? "yes" : "no";
	switch (cap->use) {
	case USE_ALWAYS:
		return "yes";
	case USE_NEVER:
		return "no";
	case USE_VARIES:
		return "varies";
	case USE_IF:
		return if_set(module, cap->parameter, "yes", "no");
	case USE_UNLESS:
		return if_set(module, cap->parameter, "no", "yes");
	case USE_VARIES_IF:
		return if_set(module, cap->parameter, "varies", "no");
	case USE_UNKNOWN:
		break;
	}
	return "-";
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
