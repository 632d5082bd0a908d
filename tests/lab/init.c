// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PID 1 of the lab. Runs one command and reports its exit status. Where the
 * machine has 9p, the host's root filesystem, read-only, becomes the lab's
 * own; elsewhere all that is needed came in the initramfs.
 *
 * The initramfs holds this program, kernel modules, their names in load order
 * in /modules, and what tests/lab/run wrote for this run:
 *   /lab/argv  the command         /lab/env   its environment
 *   /lab/cwd   its directory       /lab/keep  paths that a tmpfs must not hide
 *   /lab/lib   the directory whose modules/ goes to /lib/modules
 *   /lab/out   not empty: what is written below LAB_OUT goes to the host
 *   /lab/machine  "qemu" or "bochs"
 * each a sequence of NUL-terminated strings.
 *
 * Channels: kernel messages on ttyS0; the command's stdout, its stderr and,
 * last of all, the verdict, each on a virtio-serial port (qemu), or as frames
 * on the parallel port (bochs; frames.c takes them apart).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ROOT		"/host"
#define MAX_STRINGS	65536
#define MAX_KEPT	64

/* Ports of bochs: its first parallel port, and the one that ends it. */
#define PARALLEL_DATA		0x378
#define PARALLEL_CONTROL	0x37a
#define CONTROL_IDLE		0x0c
#define CONTROL_STROBE		0x0d
#define SHUTDOWN_PORT		0x8900

enum channel { STDOUT, STDERR, VERDICT, OUT };

static bool bochs;
static int sigchld;		/* a signalfd */

static void power_off(void)
{
	const char *c;

	sync();
	tcdrain(STDERR_FILENO);
	if (bochs)
		for (c = "Shutdown"; *c; c++)
			outb(*c, SHUTDOWN_PORT);
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

	for (name = read_strings("/modules"); *name; name++) {
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

static void enter_host_root(void)
{
	mount_host_root();
	mount_kernel_modules();
	mount_tmpfs();
	mount_out();
	must_mount("/dev", ROOT "/dev", NULL, MS_MOVE, NULL);
	must_mount("proc", ROOT "/proc", "proc", 0, NULL);
	must_mount("sysfs", ROOT "/sys", "sysfs", 0, NULL);
	enter_root();
}

static void mount_kernel_filesystems(void)
{
	make_dirs("/dev/pts");
	make_dirs("/dev/shm");
	must_mount("devpts", "/dev/pts", "devpts", 0, "gid=5,mode=620");
	must_mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL);
	if (symlink("/proc/self/fd", "/dev/fd"))
		fprintf(stderr, "lab: no /dev/fd\n");
	must_mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	must_mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	must_mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL);
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

static void __attribute__((noreturn))
run_command(const struct command *command, int out, int err)
{
	int null = open("/dev/null", O_RDONLY);
	char **env = command->env;
	sigset_t none;

	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
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

static pid_t start(const struct command *command, int out, int err)
{
	pid_t child = fork();

	if (child < 0)
		die("cannot fork for", command->argv[0]);
	if (!child)
		run_command(command, out, err);
	close(out);
	close(err);
	return child;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int wait_for(pid_t child)
{
	int status;
	pid_t pid;

	do {
		pid = wait(&status);
	} while (pid != child && (pid > 0 || errno == EINTR));
	return exit_status(status);
}

static void parallel_send(const void *data, size_t size)
{
	const unsigned char *c = data;

	for (; size--; c++) {
		outb(*c, PARALLEL_DATA);
		outb(CONTROL_STROBE, PARALLEL_CONTROL);
		outb(CONTROL_IDLE, PARALLEL_CONTROL);
	}
}

static void send_frame(enum channel channel, const void *data, size_t size)
{
	const unsigned char head[] = { channel, size & 0xff, size >> 8 };

	parallel_send(head, sizeof(head));
	parallel_send(data, size);
}

/* Sends what there is to read. False at the end. */
static bool forward(int fd, enum channel channel)
{
	static char data[32768];
	ssize_t got = read(fd, data, sizeof(data));

	if (got > 0)
		send_frame(channel, data, got);
	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Takes the leave of all that have ended; true when 'child' was among them. */
static bool reap(pid_t child, int *status)
{
	struct signalfd_siginfo info;
	bool found = false;
	int one;
	pid_t pid;

	if (read(sigchld, &info, sizeof(info)) < 0)
		return false;
	while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
		if (pid != child)
			continue;
		*status = exit_status(one);
		found = true;
	}
	return found;
}

/* Until COMMAND has ended, and all that it left running was made to. */
static int run_framed(const struct command *command)
{
	int out[2], err[2], status = 0, i;
	struct pollfd from[3];
	bool ended = false;
	pid_t child;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("no pipe for", command->argv[0]);
	child = start(command, out[1], err[1]);
	from[STDOUT] = (struct pollfd){ out[0], POLLIN, 0 };
	from[STDERR] = (struct pollfd){ err[0], POLLIN, 0 };
	from[2] = (struct pollfd){ sigchld, POLLIN, 0 };
	while (!ended || from[STDOUT].fd >= 0 || from[STDERR].fd >= 0) {
		if (poll(from, 3, -1) < 0)
			continue;
		for (i = STDOUT; i <= STDERR; i++)
			if (from[i].revents && !forward(from[i].fd, i))
				from[i].fd = -1;
		if (from[2].revents && reap(child, &status)) {
			ended = true;
			kill(-1, SIGKILL);
		}
	}
	return status;
}

static void send_out(void)
{
	static char * const argv[] = { "tar", "-C", "/run/lab/out", "-cf", "-", ".", NULL };
	const struct command tar = { (char **)argv, environ, "/" };
	int out[2];

	if (pipe2(out, O_CLOEXEC))
		die("no pipe for", "tar");
	start(&tar, out[1], dup(STDERR_FILENO));
	while (forward(out[0], OUT))
		;
}

static void catch_sigchld(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigchld = signalfd(-1, &set, SFD_CLOEXEC);
	if (sigchld < 0)
		die("no signalfd for", "SIGCHLD");
}

static int run_on_qemu(const struct command *command)
{
	return wait_for(start(command, open_port(1), open_port(2)));
}

static void tell_verdict(int status)
{
	char verdict[32];
	int length = snprintf(verdict, sizeof(verdict), "exit %d\n", status);

	if (bochs)
		send_frame(VERDICT, verdict, length);
	else if (write(open_port(3), verdict, length) != length)
		die("cannot write", "the verdict");
}

int main(void)
{
	struct command command;
	char **machine;
	bool send;
	int status;

	mount_own();
	machine = read_strings("/lab/machine");
	bochs = !strcmp(machine[0], "bochs");
	if (bochs && iopl(3))
		die("no access to", "I/O ports");
	load_modules();
	command.argv = read_strings("/lab/argv");
	command.env = read_strings("/lab/env");
	command.cwd = read_strings("/lab/cwd")[0];
	send = bochs && read_strings("/lab/out")[0];
	if (bochs)
		make_dirs("/run/lab/out");
	else
		enter_host_root();
	mount_kernel_filesystems();
	set_sysctls();
	catch_sigchld();

	status = bochs ? run_framed(&command) : run_on_qemu(&command);
	kill(-1, SIGKILL);
	if (send)
		send_out();
	tell_verdict(status);
	power_off();
	return 0;
}
