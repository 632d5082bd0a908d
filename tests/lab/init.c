// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PID 1 of the lab. Makes the host's root filesystem, read-only over 9p, the
 * lab's own, runs one command in it, and reports the command's exit status.
 *
 * The initramfs holds this program, /modules/ with 'list' in load order, and
 * what tests/lab/run wrote for this run:
 *   /lab/argv  the command         /lab/env   its environment
 *   /lab/cwd   its directory       /lab/keep  paths that a tmpfs must not hide
 *   /lab/lib   the directory whose modules/ goes to /lib/modules
 *   /lab/out   not empty: LAB_OUT is a directory of the host's
 * each a sequence of NUL-terminated strings.
 *
 * Channels: kernel messages on ttyS0; virtio-serial ports 1, 2 and 3 carry
 * the command's stdout, its stderr and, last of all, the verdict.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT		"/host"
#define MAX_STRINGS	65536
#define MAX_KEPT	64

static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* No verdict is written: the lab itself failed, and its console says where. */
static void die(const char *what, const char *on)
{
	fprintf(stderr, "lab: %s %s: %s\n", what, on, strerror(errno));
	power_off();
}

static void make_dirs(const char *path)
{
	char copy[4096];
	char *slash;

	snprintf(copy, sizeof(copy), "%s", path);
	for (slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	mkdir(copy, 0755);
}

static void must_mount(const char *source, const char *target, const char *type,
		       unsigned long flags, const char *data)
{
	if (mount(source, target, type, flags, data))
		die("cannot mount", target);
}

/* The strings of a file; the array ends with NULL. */
static char **read_strings(const char *path)
{
	static char empty[1];
	char **list = calloc(MAX_STRINGS + 1, sizeof(*list));
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *text, *at;
	int n = 0;

	if (!list || fd < 0 || fstat(fd, &st))
		die("cannot read", path);
	text = st.st_size ? malloc(st.st_size) : empty;
	if (!text || read(fd, text, st.st_size) != st.st_size)
		die("cannot read", path);
	close(fd);
	for (at = text; at < text + st.st_size; at += strlen(at) + 1) {
		if (n == MAX_STRINGS) {
			errno = E2BIG;
			die("cannot take so many strings from", path);
		}
		list[n++] = at;
	}
	return list;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "lab: cannot write %s: %s\n", path, strerror(errno));
	close(fd);
}

static void mount_own(void)
{
	make_dirs("/proc");
	make_dirs("/sys");
	make_dirs("/dev");
	must_mount("proc", "/proc", "proc", 0, NULL);
	must_mount("sysfs", "/sys", "sysfs", 0, NULL);
	must_mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
}

static void load_modules(void)
{
	char **name;

	for (name = read_strings("/modules/list"); *name; name++) {
		int fd = open(*name, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			die("cannot load", *name);
		close(fd);
	}
}

static void mount_host_root(void)
{
	make_dirs(ROOT);
	must_mount("root", ROOT, "9p", MS_RDONLY,
		   "trans=virtio,version=9p2000.L,msize=512000,cache=loose");
}

/* The lab kernel's modules, wherever the host has its own, or has none. */
static void mount_kernel_modules(void)
{
	const char *lib = read_strings("/lab/lib")[0];
	char path[4096];

	if (!access(ROOT "/usr/lib/modules", F_OK)) {
		snprintf(path, sizeof(path), ROOT "%s/modules", lib);
		must_mount(path, ROOT "/usr/lib/modules", NULL, MS_BIND, NULL);
	} else {
		snprintf(path, sizeof(path), "lowerdir=" ROOT "%s:" ROOT "/usr/lib", lib);
		must_mount("lib", ROOT "/usr/lib", "overlay", MS_RDONLY, path);
	}
}

/* What lies below /tmp and the like on the host and must stay visible. */
static int set_aside(char **keep)
{
	char from[4096], to[64];
	int n;

	for (n = 0; n < MAX_KEPT && keep[n]; n++) {
		struct stat st;

		snprintf(from, sizeof(from), ROOT "%s", keep[n]);
		snprintf(to, sizeof(to), "/keep/%d", n);
		if (stat(from, &st))
			die("cannot find", keep[n]);
		make_dirs("/keep");
		if (S_ISDIR(st.st_mode))
			mkdir(to, 0755);
		else
			close(open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		must_mount(from, to, NULL, MS_BIND, NULL);
	}
	return n;
}

static void put_back(char **keep, int n)
{
	char from[64], to[4096];
	struct stat st;
	int i;

	for (i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "/keep/%d", i);
		snprintf(to, sizeof(to), ROOT "%s", keep[i]);
		stat(from, &st);
		if (S_ISDIR(st.st_mode)) {
			make_dirs(to);
		} else {
			*strrchr(to, '/') = '\0';
			make_dirs(to);
			to[strlen(to)] = '/';
			close(open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		}
		must_mount(from, to, NULL, MS_MOVE, NULL);
	}
}

/* Writable places, in memory. */
static void mount_tmpfs(void)
{
	static const char * const dirs[] = { "/tmp", "/run", "/var/tmp" };
	char **keep = read_strings("/lab/keep");
	int kept = set_aside(keep);
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), ROOT "%s", dirs[i]);
		must_mount("tmpfs", path, "tmpfs", 0, "mode=1777");
	}
	put_back(keep, kept);
}

static void mount_kernel_filesystems(void)
{
	must_mount("/dev", ROOT "/dev", NULL, MS_MOVE, NULL);
	make_dirs(ROOT "/dev/pts");
	make_dirs(ROOT "/dev/shm");
	must_mount("devpts", ROOT "/dev/pts", "devpts", 0, "gid=5,mode=620");
	must_mount("tmpfs", ROOT "/dev/shm", "tmpfs", 0, NULL);
	if (symlink("/proc/self/fd", ROOT "/dev/fd"))
		fprintf(stderr, "lab: no /dev/fd\n");
	must_mount("proc", ROOT "/proc", "proc", 0, NULL);
	must_mount("sysfs", ROOT "/sys", "sysfs", 0, NULL);
	must_mount("debugfs", ROOT "/sys/kernel/debug", "debugfs", 0, NULL);
	must_mount("tracefs", ROOT "/sys/kernel/tracing", "tracefs", 0, NULL);
	must_mount("bpf", ROOT "/sys/fs/bpf", "bpf", 0, NULL);
}

/* What COMMAND leaves here comes back, if tests/lab/run was told --out. */
static void mount_out(void)
{
	char **out = read_strings("/lab/out");

	make_dirs(ROOT "/run/lab/out");
	if (out[0])
		must_mount("out", ROOT "/run/lab/out", "9p", 0,
			   "trans=virtio,version=9p2000.L,msize=512000,access=any");
}

static void enter_root(void)
{
	if (chdir(ROOT) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		die("cannot enter", ROOT);
}

/* Lockups and stalls end the run as warnings and oopses do (panic_on_warn). */
static void set_sysctls(void)
{
	write_file("/proc/sys/kernel/softlockup_panic", "1");
	write_file("/proc/sys/kernel/panic_on_rcu_stall", "1");
	write_file("/proc/sys/kernel/perf_event_paranoid", "-1");
	write_file("/sys/class/net/lo/flags", "0x1");
}

static int open_port(int n)
{
	char path[32];
	int fd, tries;

	snprintf(path, sizeof(path), "/dev/vport0p%d", n);
	/* The ports appear a moment after their driver. */
	for (tries = 0; tries < 500; tries++) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	die("cannot open", path);
	return -1;
}

struct command {
	char **argv;
	char **env;
	const char *cwd;
};

static void run_command(const struct command *command)
{
	char **env = command->env;
	int null = open("/dev/null", O_RDONLY);
	int out = open_port(1), err = open_port(2);

	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	setsid();
	clearenv();
	for (; *env; env++)
		putenv(*env);
	if (chdir(command->cwd))
		fprintf(stderr, "lab: no %s in here: the command runs in /\n", command->cwd);
	execvp(command->argv[0], command->argv);
	fprintf(stderr, "lab: cannot run %s: %s\n", command->argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int wait_for(pid_t child)
{
	int status;
	pid_t pid;

	do {
		pid = wait(&status);
	} while (pid != child && (pid > 0 || errno == EINTR));
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(void)
{
	struct command command;
	pid_t child;
	int status;

	mount_own();
	load_modules();
	mount_host_root();
	mount_kernel_modules();
	mount_tmpfs();
	mount_kernel_filesystems();
	mount_out();
	command.argv = read_strings("/lab/argv");
	command.env = read_strings("/lab/env");
	command.cwd = read_strings("/lab/cwd")[0];
	enter_root();
	set_sysctls();

	child = fork();
	if (child < 0)
		die("cannot fork for", command.argv[0]);
	if (!child)
		run_command(&command);
	status = wait_for(child);
	kill(-1, SIGKILL);
	dprintf(open_port(3), "exit %d\n", status);
	power_off();
	return 0;
}
