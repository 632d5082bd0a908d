// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hostile guests, without a VM: vCPUs that make every call, at every port, of
 * any width, with any value, all at once, while somebody scribbles over their
 * memory. Prints TAP. Run from the folder above the root that tests/hostile.t
 * planted.
 *
 * hostile none|read|write CALLS SEED SECRET
 *
 * SECRET is what the canary, outside the root, consists of, over and over: any
 * piece of it of SECRET's double length has SECRET in it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../guest/hypercalls.h"

#define NR_VCPUS	4
#define ERRNO_MAX	4095

static const size_t ram_sizes[NR_VCPUS] = { 1 << 21, 4097, (1 << 20) + 333, 1 << 22 };

/*
 * Should one of them get through, it is a file that was planted, or one that
 * nobody may write to: a test must not harm the machine that it fails on.
 */
static char canary_path[4096];
static const char *const names[] = {
	"plain", "sub/inner", "./plain", "sub/./inner", "long", "new", "sub/new", "-rf",
	"new\nline", "hidden...name", "..dots", "dots..", "...", "\xff\xfe", " ",
	"../canary", "../canary-link", "..", ".", "", "/", "//", "./", "../root/plain",
	"sub/../../canary", "sub/../plain", "./../canary", "sub/../..",
	canary_path, "/proc/self/cwd/canary", "/proc/self/environ", "proc/self/mem",
	"/dev/zero", "C:\\canary", "%2e%2e/canary",
	"link-canary", "link-absolute", "link-inside", "link-dangling", "link-self",
	"link-up/canary", "link-up/new", "link-top/canary", "link-top/new",
	"link-proc/cwd/canary", "sub/link-canary", "plain/../../canary", "plain/", "sub",
	"fifo", "socket", "device", "hard",
};

#define NR_NAMES	(sizeof(names) / sizeof(names[0]))
#define NR_GOOD_NAMES	5	/* at the head of them */

static const uint16_t our_ports[] = {
	PORT_PRINT, PORT_RESULT, PORT_EXITS, PORT_OPEN, PORT_OPEN, PORT_READ, PORT_READ,
	PORT_WRITE, PORT_SELECT, PORT_CLOSE,
};

struct vcpu {
	struct hypercalls calls;
	struct drand48_data random;
	uint64_t nr_calls;
	pthread_t thread;
	/* What it has done. */
	uint64_t opened, read, written, printed;
	uint64_t errors[ERRNO_MAX + 1];
	/* What it must not do. */
	uint64_t escapes;	/* a file from elsewhere is open */
	uint64_t leaks;		/* SECRET in what was read */
	uint64_t nonsense;	/* a result that no call has */
};

static struct vcpu vcpus[NR_VCPUS];
static atomic_bool done;
static atomic_ullong output_leaks;
static const char *secret;
static char root_path[4096];	/* with a slash at its end */
static int tests, failures;

static void is(uint64_t got, uint64_t wanted, const char *name)
{
	printf("%sok %d - %s\n", got == wanted ? "" : "not ", ++tests, name);
	if (got != wanted)
		printf("# got %llu, wanted %llu\n", (unsigned long long)got,
		       (unsigned long long)wanted);
	failures += got != wanted;
}

/* n: up to 2^32 */
static uint64_t below(struct vcpu *v, uint64_t n)
{
	long bits;

	mrand48_r(&v->random, &bits);
	return (uint32_t)bits % n;
}

static uint32_t any(struct vcpu *v)
{
	return below(v, 1ULL << 32);
}

static bool has_secret(const void *text, size_t length)
{
	return memmem(text, length, secret, strlen(secret));
}

static ssize_t take_output(void *cookie, const char *text, size_t length)
{
	(void)cookie;
	if (has_secret(text, length))
		output_leaks++;
	return length;
}

static uint64_t some_exits(void *context)
{
	return ((struct vcpu *)context)->nr_calls;
}

/* Mostly inside, often right at the end, sometimes anywhere. */
static uint32_t some_address(struct vcpu *v)
{
	uint64_t size = v->calls.ram.size;

	switch (below(v, 8)) {
	case 0:
		return any(v);
	case 1:
	case 2:
		return size - 2048 + below(v, 2052);
	default:
		return below(v, size);
	}
}

static uint32_t some_length(struct vcpu *v)
{
	return below(v, 4) ? below(v, 64) : below(v, HYPERCALL_LENGTH_MAX + 1);
}

/* A name in guest memory, now and then with a byte changed. */
static uint32_t some_name(struct vcpu *v)
{
	const char *name = names[below(v, below(v, 2) ? NR_NAMES : NR_GOOD_NAMES)];
	uint32_t length = strlen(name), address = some_address(v) % (1 << 21);
	uint8_t *at = ram_at(&v->calls.ram, address, length);

	if (at) {
		memcpy(at, name, length);
		if (length && !below(v, 8))
			at[below(v, length)] = "./\0x\n"[below(v, 5)];
	}
	return address << HYPERCALL_LENGTH_BITS | length;
}

static uint32_t some_value(struct vcpu *v, uint16_t port)
{
	if (!below(v, 16))
		return any(v);
	switch (port) {
	case PORT_PRINT:
		return some_address(v);
	case PORT_OPEN:
		return some_name(v);
	case PORT_READ:
	case PORT_WRITE:
		return some_address(v) << HYPERCALL_LENGTH_BITS | some_length(v);
	default:
		return below(v, FILES_MAX + 2);
	}
}

static unsigned int some_size(struct vcpu *v)
{
	static const unsigned int sizes[] = { 1, 2, 0, 3, 8, UINT32_MAX };

	return below(v, 16) ? 4 : sizes[below(v, 6)];
}

/* The kernel is asked what is open: its answer does not depend on our checks. */
static void check_opened(struct vcpu *v, int32_t handle)
{
	char link[64], path[4096];
	ssize_t length;

	v->opened++;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", v->calls.files.fds[handle]);
	length = readlink(link, path, sizeof(path) - 1);
	path[length < 0 ? 0 : length] = '\0';
	v->escapes += strncmp(path, root_path, strlen(root_path)) != 0;
}

static void check_read(struct vcpu *v, uint32_t value, int32_t length)
{
	const void *text = ram_at(&v->calls.ram, value >> HYPERCALL_LENGTH_BITS, length);

	v->read += length;
	if ((uint32_t)length > (value & HYPERCALL_LENGTH_MAX) || !text)
		v->nonsense++;
	else
		v->leaks += has_secret(text, length);
}

static void check_result(struct vcpu *v, uint16_t port, uint32_t value, int32_t result)
{
	if (result < -ERRNO_MAX || result >= HYPERCALL_PRINT_MAX)
		v->nonsense++;
	else if (result < 0)
		v->errors[-result]++;
	else if (port == PORT_OPEN)
		check_opened(v, result);
	else if (port == PORT_READ)
		check_read(v, value, result);
	else if (port == PORT_WRITE)
		v->written += result;
	else if (port == PORT_PRINT)
		v->printed += result;
}

static void one_call(struct vcpu *v)
{
	uint16_t port = below(v, 8) ? our_ports[below(v, sizeof(our_ports) / sizeof(*our_ports))] :
			any(v);
	unsigned int size = some_size(v);
	uint32_t value = some_value(v, port), got;

	if (port == PORT_RESULT || port == PORT_EXITS || !below(v, 16))
		hypercalls_in(&v->calls, port, size, &got);
	else if (hypercalls_out(&v->calls, port, size, value) &&
		 hypercalls_in(&v->calls, PORT_RESULT, 4, &got))
		check_result(v, port, value, got);
}

static void *run_vcpu(void *argument)
{
	struct vcpu *v = argument;
	uint64_t i;

	for (i = 0; i < v->nr_calls; i++)
		one_call(v);
	return NULL;
}

/* Whatever a guest's other vCPUs could do to its memory, at any time. */
static void *scribble(void *argument)
{
	struct vcpu me;

	srand48_r(*(long *)argument, &me.random);
	while (!done) {
		struct ram *ram = &vcpus[below(&me, NR_VCPUS)].calls.ram;
		const char *name = names[below(&me, NR_NAMES)];
		uint8_t *at = ram_at(ram, below(&me, ram->size), strlen(name));

		if (at && below(&me, 2))
			memcpy(at, name, strlen(name));
		else if (at)
			*at = any(&me);
	}
	return NULL;
}

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int nr = 0;

	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	return nr;
}

static void create_vcpu(struct vcpu *v, const struct files_root *root, FILE *output, size_t size)
{
	size_t i;

	v->calls.ram.base = malloc(size);
	v->calls.ram.size = size;
	for (i = 0; i < size; i++)
		v->calls.ram.base[i] = below(v, 3) ? any(v) : 0;
	v->calls.output = output;
	v->calls.exits = some_exits;
	v->calls.context = v;
	hypercalls_init(&v->calls, root);
}

static void run_all(long seed)
{
	unsigned int i, most = count_fds() + NR_VCPUS * (FILES_MAX + 1);
	pthread_t scribbler;

	pthread_create(&scribbler, NULL, scribble, &seed);
	for (i = 0; i < NR_VCPUS; i++)
		pthread_create(&vcpus[i].thread, NULL, run_vcpu, &vcpus[i]);
	is(count_fds() <= most, 1, "handles are bounded while they run");
	for (i = 0; i < NR_VCPUS; i++)
		pthread_join(vcpus[i].thread, NULL);
	done = true;
	pthread_join(scribbler, NULL);
	is(count_fds() <= most, 1, "and at their end");
}

static uint64_t errors(int number)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < NR_VCPUS; i++)
		sum += vcpus[i].errors[number];
	return sum;
}

/* A storm that never got anywhere would show nothing. */
static void check_storm(const struct vcpu *sum, bool has_root, bool writable)
{
	static const int refused[] = { EXDEV, ELOOP, EISDIR, ENOENT, EMFILE, ENOTDIR };
	unsigned int i, met = 0;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		met += errors(refused[i]) > 0;
	is(errors(EFAULT) && errors(EINVAL) && errors(EBADF) && errors(EACCES) && sum->printed, 1,
	   "the storm met pointers, widths, handles and strings, good and bad");
	is(has_root ? met : 0, has_root ? sizeof(refused) / sizeof(refused[0]) : 0,
	   "and every way to be refused a file");
	is(sum->opened > 0 && sum->read > 0, has_root, "files were opened and read, with a root only");
	is(sum->written > 0, writable, "and written, where it is writable only");
	is(errors(EROFS) > 0, has_root && !writable, "else refused");
	is(errors(EMLINK) > 0, writable, "hard links are refused where writing is not");
}

static void check(bool has_root, bool writable)
{
	struct vcpu sum = {};
	uint64_t leaks = 0;
	int i;

	for (i = 0; i < NR_VCPUS; i++) {
		struct vcpu *v = &vcpus[i];

		sum.opened += v->opened;
		sum.read += v->read;
		sum.written += v->written;
		sum.printed += v->printed;
		sum.escapes += v->escapes;
		sum.nonsense += v->nonsense;
		leaks += v->leaks + has_secret(v->calls.ram.base, v->calls.ram.size);
	}
	printf("# %llu files opened, %llu bytes read, %llu written, %llu printed\n",
	       (unsigned long long)sum.opened, (unsigned long long)sum.read,
	       (unsigned long long)sum.written, (unsigned long long)sum.printed);
	check_storm(&sum, has_root, writable);
	is(sum.escapes, 0, "no file from outside the root was opened");
	is(leaks, 0, "nothing from outside is in guest memory");
	is(output_leaks, 0, "nor in what was printed");
	is(sum.nonsense, 0, "each result is one that the call can have");
}

static FILE *scanned_output(void)
{
	static const cookie_io_functions_t functions = { .write = take_output };
	FILE *output = fopencookie(NULL, "w", functions);

	setvbuf(output, NULL, _IONBF, 0);
	return output;
}

int main(int argc, char **argv)
{
	bool has_root, writable;
	struct files_root root;
	unsigned int i, fds;
	char folder[3072];
	FILE *output;
	long seed;

	/* What breaks out must not be able to do harm. */
	if (argc != 5 || !geteuid())
		return EXIT_FAILURE;
	has_root = strcmp(argv[1], "none") != 0;
	writable = !strcmp(argv[1], "write");
	seed = strtol(argv[3], NULL, 10);
	secret = argv[4];
	snprintf(root_path, sizeof(root_path), "%s/root/", getcwd(folder, sizeof(folder)));
	snprintf(canary_path, sizeof(canary_path), "%s/canary", folder);
	output = scanned_output();
	fds = count_fds();
	if (has_root && files_root_open(&root, "root", writable) < 0)
		return EXIT_FAILURE;
	for (i = 0; i < NR_VCPUS; i++) {
		srand48_r(seed + i, &vcpus[i].random);
		vcpus[i].nr_calls = strtoull(argv[2], NULL, 10) / NR_VCPUS;
		create_vcpu(&vcpus[i], has_root ? &root : NULL, output, ram_sizes[i]);
	}
	run_all(seed + NR_VCPUS);
	check(has_root, writable);
	for (i = 0; i < NR_VCPUS; i++) {
		hypercalls_destroy(&vcpus[i].calls);
		free(vcpus[i].calls.ram.base);
	}
	if (has_root)
		files_root_close(&root);
	is(count_fds(), fds, "no file is left open");
	fclose(output);
	printf("1..%d\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
