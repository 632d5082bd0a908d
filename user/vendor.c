// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM's vendor module. It is unloaded by rmmod, not by "modprobe -r": that
 * would take kvm.ko away, too, with its parameters and counters.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "child.h"
#include "holders.h"
#include "memory.h"
#include "message.h"
#include "sysfs.h"
#include "vendor.h"

/* A VM's last file may be closed some moments after its process is gone. */
#define UNUSED_TRIES	100
#define TRY_INTERVAL_MS	100

static const struct {
	const char *module;
	const char *switch_name;
} vendors[] = {
	{ "kvm_amd", "npt" },
	{ "kvm_intel", "ept" },
};

/*
 * These the module switches off or on by itself without nested paging
 * (svm_hardware_setup(), vmx_hardware_setup()): values found in force under
 * shadow paging are not settings to carry over to nested paging.
 */
static const char * const follow_paging[] = {
	"eptad", "unrestricted_guest", "pml", "allow_smaller_maxphyaddr",
	"sev", "sev_es", "sev_snp", "vls",
};

static bool read_parameter(char *buf, size_t size, const char *module, const char *name)
{
	return sysfs_read(buf, size, "/sys/module/%s/parameters/%s", module, name);
}

static enum paging paging_of(const char *module, const char *switch_name)
{
	char value[8];

	if (!read_parameter(value, sizeof(value), module, switch_name))
		return PAGING_UNKNOWN;
	return value[0] == 'Y' || value[0] == '1' ? PAGING_NESTED : PAGING_SHADOW;
}

const char *vendor_paging_name(void)
{
	size_t i;

	for (i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		enum paging paging = paging_of(vendors[i].module, vendors[i].switch_name);

		if (paging != PAGING_UNKNOWN)
			return paging == PAGING_NESTED ? vendors[i].switch_name : "shadow";
	}
	return "unknown";
}

enum paging vendor_paging(const struct vendor *vendor)
{
	return paging_of(vendor->module, vendor->switch_name);
}

const char *paging_name(const struct vendor *vendor, enum paging paging)
{
	switch (paging) {
	case PAGING_NESTED:
		return vendor->switch_name;
	case PAGING_SHADOW:
		return "shadow";
	default:
		return "unknown";
	}
}

/*
 * Some read as a text that they do not accept ("not required", "(null)"); no
 * value that they do accept has a blank or a bracket in it.
 */
static bool settable(const char *value)
{
	const char *c;

	for (c = value; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.,:+-", *c))
			return false;
	return *value;
}

static void save_parameter(struct vendor *vendor, const char *name)
{
	struct parameter p;

	if (strlen(name) >= sizeof(p.name) || !strcmp(name, vendor->switch_name) ||
	    !read_parameter(p.value, sizeof(p.value), vendor->module, name) ||
	    !settable(p.value))
		return;
	strcpy(p.name, name);
	vendor->parameters = xgrow(vendor->parameters, vendor->nr_parameters, sizeof(p));
	vendor->parameters[vendor->nr_parameters++] = p;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void save_parameters(struct vendor *vendor)
{
	char path[SYSFS_PATH_MAX];
	struct dirent **entries;
	int nr, i;

	sysfs_path(path, "/sys/module/%s/parameters", vendor->module);
	nr = scandir(path, &entries, is_visible, alphasort);
	for (i = 0; i < nr; i++) {
		save_parameter(vendor, entries[i]->d_name);
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
}

int vendor_find(struct vendor *vendor)
{
	size_t i;

	memset(vendor, 0, sizeof(*vendor));
	for (i = 0; i < sizeof(vendors) / sizeof(vendors[0]) && !vendor->paging; i++) {
		vendor->module = vendors[i].module;
		vendor->switch_name = vendors[i].switch_name;
		vendor->paging = vendor_paging(vendor);
	}
	if (!vendor->paging) {
		error("no KVM vendor module loaded: run \"sudo modprobe kvm_amd\" or \"sudo modprobe kvm_intel\"");
		return -1;
	}
	if (!sysfs_exists("/sys/module/%s/refcnt", vendor->module)) {
		error("%s is built into this kernel: its paging mode cannot be changed without a reboot with %s.%s=0 or =1",
		      vendor->module, vendor->module, vendor->switch_name);
		return -1;
	}
	save_parameters(vendor);
	return 0;
}

void vendor_free(struct vendor *vendor)
{
	free(vendor->parameters);
	memset(vendor, 0, sizeof(*vendor));
}

static bool loaded(const struct vendor *vendor)
{
	return sysfs_exists("/sys/module/%s/refcnt", vendor->module);
}

/* -1 is the kernel's for a module that is being unloaded. */
static int users(const struct vendor *vendor)
{
	char value[24];
	int count = 0;

	if (sysfs_read(value, sizeof(value), "/sys/module/%s/refcnt", vendor->module))
		count = atoi(value);
	return count > 0 ? count : 0;
}

static int explain_users(const struct vendor *vendor)
{
	char list[512];

	holders_describe(list, sizeof(list));
	if (list[0])
		error("%s cannot be reloaded, it is in use by: %s: end them first",
		      vendor->module, list);
	else
		error("%s cannot be reloaded, it is in use (%d times) by processes that cannot be seen from here: end their VMs first",
		      vendor->module, users(vendor));
	return -1;
}

int vendor_check_unused(const struct vendor *vendor)
{
	return users(vendor) || holders_any() ? explain_users(vendor) : 0;
}

static int wait_unused(const struct vendor *vendor)
{
	const struct timespec interval = { 0, TRY_INTERVAL_MS * 1000000L };
	int i;

	for (i = 0; users(vendor); i++) {
		if (i == UNUSED_TRIES)
			return explain_users(vendor);
		nanosleep(&interval, NULL);
	}
	return 0;
}

static int remove_module(const struct vendor *vendor)
{
	const char * const argv[] = { "rmmod", vendor->module, NULL };

	if (!loaded(vendor))
		return 0;
	if (wait_unused(vendor) < 0)
		return -1;
	if (child_succeeds(argv))
		return 0;
	error("cannot unload %s: see rmmod's message above", vendor->module);
	return -1;
}

static bool follows_paging(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(follow_paging) / sizeof(follow_paging[0]); i++)
		if (!strcmp(name, follow_paging[i]))
			return true;
	return false;
}

/* modprobe MODULE SWITCH=0|1 NAME=VALUE…; the strings are malloced. */
static char **modprobe_command(const struct vendor *vendor, enum paging paging, bool all)
{
	bool carry_over = paging == vendor->paging || vendor->paging == PAGING_NESTED;
	char **argv = xcalloc(vendor->nr_parameters + 4, sizeof(*argv));
	size_t i, n = 0;

	argv[n++] = strdup("modprobe");
	argv[n++] = strdup(vendor->module);
	if (asprintf(&argv[n++], "%s=%d", vendor->switch_name, paging == PAGING_NESTED) < 0)
		abort();
	for (i = 0; all && i < vendor->nr_parameters; i++) {
		const struct parameter *p = &vendor->parameters[i];

		if (!carry_over && follows_paging(p->name))
			continue;
		if (asprintf(&argv[n++], "%s=%s", p->name, p->value) < 0)
			abort();
	}
	return argv;
}

static void free_command(char **argv)
{
	size_t i;

	for (i = 0; argv[i]; i++)
		free(argv[i]);
	free(argv);
}

static bool load(const struct vendor *vendor, enum paging paging, bool all)
{
	char **argv = modprobe_command(vendor, paging, all);
	bool ok = child_succeeds((const char * const *)argv);

	free_command(argv);
	return ok;
}

int vendor_reload(const struct vendor *vendor, enum paging paging)
{
	if (remove_module(vendor) < 0)
		return -1;
	/* A parameter may refuse the value it reads as: better without than not. */
	if (!load(vendor, paging, true)) {
		if (!load(vendor, paging, false)) {
			error("cannot load %s with %s=%d: see modprobe's message above",
			      vendor->module, vendor->switch_name, paging == PAGING_NESTED);
			return -1;
		}
		warning("%s did not accept its earlier parameters: loaded with %s alone",
			vendor->module, vendor->switch_name);
	}
	if (vendor_paging(vendor) == paging)
		return 0;
	error("%s was loaded with %s=%d, but the mode in force is \"%s\": this machine does not offer the other",
	      vendor->module, vendor->switch_name, paging == PAGING_NESTED,
	      paging_name(vendor, vendor_paging(vendor)));
	return -1;
}

/* Does each parameter have its value again? Says which do not, if it is to. */
static bool parameters_as_found(const struct vendor *vendor, bool say)
{
	bool same = true;
	char value[64];
	size_t i;

	for (i = 0; i < vendor->nr_parameters; i++) {
		const struct parameter *p = &vendor->parameters[i];

		if (read_parameter(value, sizeof(value), vendor->module, p->name) &&
		    !strcmp(value, p->value))
			continue;
		if (say)
			warning("%s: parameter %s was %s before: set it back by hand",
				vendor->module, p->name, p->value);
		same = false;
	}
	return same;
}

static void explain_restore(const struct vendor *vendor)
{
	char **argv = modprobe_command(vendor, vendor->paging, true);
	char command[1024];

	child_describe(command, sizeof(command), argv);
	free_command(argv);
	error("%s IS NOT AS IT WAS BEFORE. To restore it, end all VMs and type: sudo rmmod %s; sudo %s",
	      vendor->module, vendor->module, command);
}

int vendor_restore(const struct vendor *vendor)
{
	/* Nothing was changed, or it is already put back. */
	if (vendor_paging(vendor) == vendor->paging && parameters_as_found(vendor, false))
		return 0;
	if (vendor_reload(vendor, vendor->paging) < 0) {
		explain_restore(vendor);
		return -1;
	}
	return parameters_as_found(vendor, true) ? 0 : -1;
}

/* sysfs numbers a module's directory anew each time it is loaded. */
uint64_t vendor_load_id(const struct vendor *vendor)
{
	char path[SYSFS_PATH_MAX];
	struct stat st;

	sysfs_path(path, "/sys/module/%s/parameters", vendor->module);
	return stat(path, &st) ? 0 : st.st_ino;
}
