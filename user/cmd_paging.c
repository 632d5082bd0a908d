// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvmstat-report paging: the same COMMAND under nested and under shadow
 * paging. The keeper (keeper.h) changes the mode, and restores it on every way
 * out; here the mode in force is read before and after each run, and a
 * report is made only where it was the right one every time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "commands.h"
#include "device.h"
#include "html.h"
#include "keeper.h"
#include "measure.h"
#include "message.h"
#include "sysfs.h"
#include "vendor.h"

struct session {
	struct vendor vendor;
	struct keeper keeper;
	uint64_t load_id;	/* of the vendor module that is measured */
	struct measurement nested, shadow;
};

static bool may_load_modules(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	/* A tree of one's own (sysfs.h) comes with a modprobe of one's own. */
	if (sysfs_prefixed())
		return true;
	if (syscall(SYS_capget, &head, data) < 0)
		return geteuid() == 0;
	return data[0].effective & CAP_TO_MASK(CAP_SYS_MODULE);
}

static int check_rights(void)
{
	if (may_load_modules())
		return 0;
	if (geteuid())
		error("paging: reloading KVM's vendor module takes root's rights: run with sudo");
	else
		error("paging: root may not load modules here (no CAP_SYS_MODULE): run this outside the container");
	return -1;
}

/* There as long as KVM is, whoever counts; a tree of one's own has the device alone. */
static int open_lock(void)
{
	char path[SYSFS_PATH_MAX];
	int fd;

	sysfs_path(path, "/sys/module/kvm");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? device_open(false) : fd;
}

/*
 * Only one at a time: the second would take the first's mode for the
 * original. The keeper inherits the lock, so it lasts until all is put back.
 */
static int lock_out_others(void)
{
	int fd = open_lock();

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		error("paging: another kvmstat-report paging is at work: wait until it has put the paging mode back");
		close(fd);
		return -1;
	}
	return fd;
}

static int check_mode(const struct session *s, enum paging wanted, const char *when)
{
	const struct vendor *vendor = &s->vendor;
	enum paging found = vendor_paging(vendor);

	if (found == wanted && vendor_load_id(vendor) == s->load_id)
		return 0;
	if (found == wanted)
		error("%s was reloaded by somebody else %s: nothing is reported", vendor->module, when);
	else
		error("%s: the paging mode is \"%s\" %s, not \"%s\": somebody else reloaded it; nothing is reported",
	      vendor->module, paging_name(vendor, found), when, paging_name(vendor, wanted));
	return -1;
}

static void watch_command(pid_t pid, void *arg)
{
	keeper_watch(arg, pid);
}

/* Whoever is left in COMMAND's group stays the keeper's to end. */
static void unwatch_empty(struct keeper *keeper, pid_t group)
{
	if (group > 0 && kill(-group, 0) < 0 && errno == ESRCH)
		keeper_watch(keeper, 0);
}

static int interrupted(void)
{
	if (!child_signal())
		return 0;
	error("ended by signal %d (%s): the paging mode is put back, nothing is reported",
	      child_signal(), strsignal(child_signal()));
	return -1;
}

static int run_once(struct session *s, struct measurement *m, enum paging paging)
{
	struct run window;
	int status;

	if (check_mode(s, paging, "before the run") < 0 ||
	    measure_once(m, &window, &status) < 0)
		return -1;
	unwatch_empty(&s->keeper, child_last());
	measurement_keep(m, &window);
	if (interrupted() < 0)
		return -1;
	if (status) {
		child_explain(m->options->operands[0], status,
			      ": the paging mode is put back, nothing is reported");
		return -1;
	}
	return check_mode(s, paging, "after the run");
}

static int measure_mode(struct session *s, struct measurement *m, enum paging paging)
{
	unsigned int i;

	if (interrupted() < 0 || keeper_set_paging(&s->keeper, paging) < 0)
		return -1;
	s->load_id = vendor_load_id(&s->vendor);
	for (i = 0; i < m->options->runs; i++)
		if (run_once(s, m, paging) < 0)
			return -1;
	return 0;
}

/* The report in its form, and as a page. */
struct results {
	struct output report, page;
};

static int print_comparison(const struct options *options, const struct comparison *comparison,
			    struct results *results)
{
	const struct format *format = options->format;
	int ret;

	format->comparison(results->report.stream, comparison, &options->view);
	ret = output_finish(&results->report);
	if (ret < 0) {
		warning("the report follows on standard output instead");
		format->comparison(stdout, comparison, &options->view);
	}
	return html_comparison(&results->page, comparison, &options->view) < 0 ? -1 : ret;
}

static int print_report(const struct session *s, const struct options *options,
			struct results *results)
{
	struct comparison comparison;
	struct run before, after;
	int ret;

	sample_mean(&before, s->nested.done, s->nested.nr_done);
	sample_mean(&after, s->shadow.done, s->shadow.nr_done);
	compare(&comparison, &before, &after, &options->view);
	comparison.mode_verified = true;
	ret = print_comparison(options, &comparison, results);
	comparison_free(&comparison);
	run_free(&before);
	run_free(&after);
	return ret;
}

static int measure_both(struct session *s, const struct options *options, struct results *results)
{
	int ret;

	if (keeper_start(&s->keeper, &s->vendor) < 0)
		return -1;
	ret = measure_mode(s, &s->nested, PAGING_NESTED);
	if (ret == 0)
		ret = measure_mode(s, &s->shadow, PAGING_SHADOW);
	/* Numbers are good whether or not the mode could be restored. */
	if (keeper_finish(&s->keeper) < 0 && ret == 0) {
		print_report(s, options, results);
		return -1;
	}
	return ret < 0 ? -1 : print_report(s, options, results);
}

static int open_results(struct results *results, const struct options *options)
{
	if (output_open(&results->report, options->output) < 0)
		return -1;
	if (html_open(&results->page, options->html) == 0)
		return 0;
	output_discard(&results->report);
	return -1;
}

static void discard_results(struct results *results)
{
	output_discard(&results->page);
	output_discard(&results->report);
}

static int with_source(struct session *s, const struct options *options, struct source *source)
{
	const struct measurement m = {
		.source = source,
		.options = options,
		.child = { .own_group = true, .started = watch_command, .arg = &s->keeper },
	};
	struct results results;
	int ret = -1;

	if (vendor_find(&s->vendor) < 0)
		return -1;
	if (vendor_check_unused(&s->vendor) == 0 && open_results(&results, options) == 0) {
		s->nested = m;
		s->shadow = m;
		child_catch_signals();
		ret = measure_both(s, options, &results);
		discard_results(&results);
		measurement_free(&s->nested);
		measurement_free(&s->shadow);
	}
	vendor_free(&s->vendor);
	return ret;
}

int cmd_paging(const struct options *options)
{
	struct session session = { .vendor = { 0 } };
	struct source source;
	int ret, lock;

	if (check_rights() < 0)
		return EXIT_FAILED;
	lock = lock_out_others();
	if (lock < 0)
		return EXIT_FAILED;
	device_alternative = SOURCE_BPF;
	ret = source_open(&source, options->source, READING_WINDOW);
	if (ret == 0) {
		ret = with_source(&session, options, &source);
		source_close(&source);
	}
	close(lock);
	return ret < 0 ? EXIT_FAILED : EXIT_DONE;
}
