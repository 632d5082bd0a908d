// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each hypercall, each of its errors, each boundary, without a VM: in the tree
 * that tests/hostile.t plants, from the folder above its root. Prints TAP.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../guest/hypercalls.h"
#include "wrapped.h"

#define RAM_SIZE	(1u << 21)	/* as far as an address of 21 bits reaches */
#define NAME_AT		0x100		/* where names are put */
#define DATA_AT		0x2000

static int tests, failures;

static void ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
	failures += !good;
}

static void is(int64_t got, int64_t wanted, const char *name)
{
	ok(got == wanted, name);
	if (got != wanted)
		printf("# got %lld, wanted %lld\n", (long long)got, (long long)wanted);
}

/* System calls that are interrupted first, and what happens before an openat2. */
static unsigned int interrupts;
static void (*before_openat2)(unsigned int nth);
static unsigned int nr_openat2;

static bool interrupted(void)
{
	if (!interrupts)
		return false;
	interrupts--;
	errno = EINTR;
	return true;
}

/* The one system call made in this way is openat2. */
long __wrap_syscall(long number, ...)
{
	const char *path;
	va_list args;
	size_t size;
	void *how;
	int dir;

	if (interrupted())
		return -1;
	va_start(args, number);
	dir = va_arg(args, int);
	path = va_arg(args, const char *);
	how = va_arg(args, void *);
	size = va_arg(args, size_t);
	va_end(args);
	if (before_openat2)
		before_openat2(++nr_openat2);
	return __real_syscall(number, dir, path, how, size);
}

ssize_t __wrap_read(int fd, void *to, size_t length)
{
	return interrupted() ? -1 : __real_read(fd, to, length);
}

ssize_t __wrap_write(int fd, const void *from, size_t length)
{
	return interrupted() ? -1 : __real_write(fd, from, length);
}

static uint64_t some_exits(void *context)
{
	return *(uint64_t *)context;
}

static uint64_t exits = 0x500000003;

static void begin(struct hypercalls *c, const struct files_root *root, uint64_t ram_size)
{
	memset(c, 0, sizeof(*c));
	c->ram.base = calloc(1, ram_size);
	c->ram.size = ram_size;
	c->output = tmpfile();
	c->exits = some_exits;
	c->context = &exits;
	hypercalls_init(c, root);
}

static void end(struct hypercalls *c)
{
	hypercalls_destroy(c);
	fclose(c->output);
	free(c->ram.base);
}

static int32_t result(struct hypercalls *c)
{
	uint32_t value = 0xdeadbeef;

	return hypercalls_in(c, PORT_RESULT, 4, &value) ? (int32_t)value : INT32_MIN;
}

static int32_t out(struct hypercalls *c, uint16_t port, uint32_t value)
{
	return hypercalls_out(c, port, 4, value) ? result(c) : INT32_MIN;
}

static uint32_t buffer(uint32_t address, uint32_t length)
{
	return address << HYPERCALL_LENGTH_BITS | length;
}

static void put(struct hypercalls *c, uint32_t address, const void *from, size_t length)
{
	memcpy(c->ram.base + address, from, length);
}

static int32_t open_name(struct hypercalls *c, const char *name)
{
	put(c, NAME_AT, name, strlen(name));
	return out(c, PORT_OPEN, buffer(NAME_AT, strlen(name)));
}

static bool data_is(const struct hypercalls *c, const char *wanted)
{
	return !memcmp(c->ram.base + DATA_AT, wanted, strlen(wanted));
}

/* What the guest printed so far; how much. */
static size_t printed(struct hypercalls *c, char *to, size_t room)
{
	rewind(c->output);
	return fread(to, 1, room, c->output);
}

static void ram_boundaries(void)
{
	uint8_t bytes[16];
	struct ram ram = { bytes, sizeof(bytes) };
	char copy[16];

	ok(ram_at(&ram, 0, 16) == bytes, "ram: all of it");
	ok(ram_at(&ram, 15, 1) == bytes + 15, "ram: its last byte");
	ok(ram_at(&ram, 16, 0) == bytes + 16, "ram: nothing, at its end");
	ok(!ram_at(&ram, 16, 1), "ram: not the byte behind it");
	ok(!ram_at(&ram, 0, 17), "ram: not more than all of it");
	ok(!ram_at(&ram, 17, 0), "ram: not even nothing, behind its end");
	ok(!ram_at(&ram, UINT64_MAX, 2), "ram: an address that overflows");
	ok(!ram_at(&ram, 8, UINT64_MAX - 4), "ram: a length that overflows");
	memset(bytes, 7, sizeof(bytes));
	memset(copy, 0, sizeof(copy));
	ok(ram_copy(&ram, copy, 12, 4) && copy[3] == 7 && !copy[4], "ram: a copy of its end");
	ok(!ram_copy(&ram, copy, 13, 4) && !copy[4], "ram: no copy of what is beyond");
}

static void which_ports(void)
{
	static const uint16_t outs[] = { 0xe8, 0xeb, 0xec, 0xed, 0xee, 0xef };
	static const uint16_t ins[] = { 0xe9, 0xea };
	unsigned int port, i, wrong = 0;
	struct hypercalls c;
	uint32_t value;

	begin(&c, NULL, 4096);
	for (port = 0; port <= UINT16_MAX; port++) {
		bool is_out = false, is_in = false;

		for (i = 0; i < sizeof(outs) / sizeof(outs[0]); i++)
			is_out |= outs[i] == port;
		for (i = 0; i < sizeof(ins) / sizeof(ins[0]); i++)
			is_in |= ins[i] == port;
		wrong += hypercalls_out(&c, port, 4, 0) != is_out;
		wrong += hypercalls_in(&c, port, 4, &value) != is_in;
	}
	is(wrong, 0, "ports: the eight, and no other");
	end(&c);
}

static void widths(void)
{
	static const uint16_t outs[] = { 0xe8, 0xeb, 0xec, 0xed, 0xee, 0xef };
	unsigned int i, size, wrong = 0;
	struct hypercalls c;
	uint32_t value;
	char text[8];

	begin(&c, NULL, 4096);
	c.ram.base[0] = 'x';
	for (i = 0; i < sizeof(outs) / sizeof(outs[0]); i++)
		for (size = 1; size <= 2; size++) {
			c.result = 0;
			wrong += !hypercalls_out(&c, outs[i], size, 0) || c.result != -EINVAL;
		}
	is(wrong, 0, "widths: an OUT of 8 or 16 bits is EINVAL");
	is(printed(&c, text, sizeof(text)), 0, "widths: and prints nothing");
	for (size = 1; size <= 2; size++) {
		c.result = 5;
		ok(hypercalls_in(&c, PORT_RESULT, size, &value) && value == UINT32_MAX &&
		   result(&c) == 5, "widths: a narrow IN of the result is all ones");
		ok(hypercalls_in(&c, PORT_EXITS, size, &value) && value == UINT32_MAX,
		   "widths: so is one of exits()");
	}
	ok(hypercalls_in(&c, PORT_EXITS, 4, &value) && value == 3,
	   "exits(): the low 32 bits of KVM's count");
	end(&c);
}

static void print_strings(void)
{
	static const char raw[] = "\x1b[31m\xff\a\n";
	char text[2 * HYPERCALL_PRINT_MAX];
	struct hypercalls c;

	begin(&c, NULL, RAM_SIZE);
	is(result(&c), 0, "result: 0 before any call");
	put(&c, 100, "Hello, world!\n", 15);
	is(out(&c, PORT_PRINT, 100), 14, "print: its length");
	is(out(&c, PORT_PRINT, 114), 0, "print: an empty string");
	put(&c, 200, raw, sizeof(raw));
	is(out(&c, PORT_PRINT, 200), sizeof(raw) - 1, "print: any byte");
	ok(printed(&c, text, sizeof(text)) == 14 + sizeof(raw) - 1 &&
	   !memcmp(text, "Hello, world!\n", 14) &&
	   !memcmp(text + 14, raw, sizeof(raw) - 1), "print: what was there, as it was");
	c.ram.base[RAM_SIZE - 2] = 'x';
	is(out(&c, PORT_PRINT, RAM_SIZE - 2), 1, "print: the NUL is the last byte of memory");
	c.ram.base[RAM_SIZE - 1] = 'x';
	is(out(&c, PORT_PRINT, RAM_SIZE - 2), -EFAULT, "print: no NUL before memory ends");
	is(out(&c, PORT_PRINT, RAM_SIZE), -EFAULT, "print: behind memory");
	is(out(&c, PORT_PRINT, RAM_SIZE + 1), -EFAULT, "print: beyond it");
	is(out(&c, PORT_PRINT, UINT32_MAX), -EFAULT, "print: the last address of all");
	memset(c.ram.base + DATA_AT, 'y', HYPERCALL_PRINT_MAX);
	is(out(&c, PORT_PRINT, DATA_AT), -E2BIG, "print: one byte too long");
	is(out(&c, PORT_PRINT, DATA_AT + 1), HYPERCALL_PRINT_MAX - 1, "print: the longest");
	memset(c.ram.base + RAM_SIZE - HYPERCALL_PRINT_MAX, 'z', HYPERCALL_PRINT_MAX);
	is(out(&c, PORT_PRINT, RAM_SIZE - HYPERCALL_PRINT_MAX), -E2BIG,
	   "print: too long, up to the end of memory");
	is(printed(&c, text, sizeof(text)), 14 + sizeof(raw) - 1 + 1 + HYPERCALL_PRINT_MAX - 1,
	   "print: nothing of what was refused");
	end(&c);
}

static void print_elsewhere(void)
{
	FILE *full = fopen("/dev/full", "w"), *memory;
	struct hypercalls c;

	begin(&c, NULL, 4096);
	put(&c, 0, "text", 5);
	memory = c.output;
	c.output = NULL;
	is(out(&c, PORT_PRINT, 0), 4, "print: dropped, where nobody wants it");
	setvbuf(full, NULL, _IONBF, 0);
	c.output = full;
	is(out(&c, PORT_PRINT, 0), -EIO, "print: to a full disk");
	ok(ferror(full), "print: which its stream remembers");
	fclose(full);
	c.output = memory;
	end(&c);
}

static void no_root(void)
{
	struct hypercalls c;

	begin(&c, NULL, 4096 * 4);
	is(open_name(&c, "plain"), -EACCES, "no root: open");
	is(out(&c, PORT_READ, buffer(0, 1)), -EBADF, "no root: read");
	is(out(&c, PORT_WRITE, buffer(0, 1)), -EBADF, "no root: write");
	is(out(&c, PORT_SELECT, 0), -EBADF, "no root: select");
	is(out(&c, PORT_CLOSE, 0), -EBADF, "no root: close");
	end(&c);
}

static void read_files(const struct files_root *root)
{
	struct hypercalls c;

	begin(&c, root, RAM_SIZE);
	is(open_name(&c, "plain"), 0, "open: the first handle is 0");
	is(out(&c, PORT_READ, buffer(DATA_AT, 4)), 4, "read: as much as asked for");
	ok(data_is(&c, "abcd") && !c.ram.base[DATA_AT + 4], "read: the first bytes, no more");
	is(out(&c, PORT_READ, buffer(DATA_AT, 0)), 0, "read: nothing");
	is(out(&c, PORT_READ, buffer(DATA_AT, 2047)), 5, "read: as much as is left");
	ok(data_is(&c, "efgh\n"), "read: the bytes that follow");
	is(out(&c, PORT_READ, buffer(DATA_AT, 10)), 0, "read: at the end");
	is(open_name(&c, "sub/inner"), 1, "open: a second handle, of a file in a folder");
	is(out(&c, PORT_READ, buffer(DATA_AT, 100)), 6, "open: selects it");
	ok(data_is(&c, "inner\n"), "open: it is that file");
	is(open_name(&c, "plain"), 2, "open: the same file once more");
	is(out(&c, PORT_READ, buffer(DATA_AT, 1)), 1, "read: it begins at its first byte");
	ok(data_is(&c, "a"), "read: each handle has its own position");
	is(out(&c, PORT_SELECT, 0), 0, "select: the first");
	is(out(&c, PORT_READ, buffer(DATA_AT, 1)), 0, "select: it is at its end still");
	is(out(&c, PORT_CLOSE, 1), 0, "close: one that is not selected");
	is(out(&c, PORT_CLOSE, 1), -EBADF, "close: twice");
	is(out(&c, PORT_SELECT, 1), -EBADF, "select: one that is closed");
	is(out(&c, PORT_READ, buffer(DATA_AT, 1)), 0, "select: which changes nothing");
	is(open_name(&c, "missing"), -ENOENT, "open: no such file");
	is(out(&c, PORT_READ, buffer(DATA_AT, 1)), 0, "open: which changes nothing");
	is(open_name(&c, "sub/inner"), 1, "open: the lowest handle that is free");
	is(out(&c, PORT_CLOSE, 1), 0, "close: the one that is selected");
	is(out(&c, PORT_READ, buffer(DATA_AT, 1)), -EBADF, "read: none is selected then");
	is(out(&c, PORT_SELECT, 16), -EBADF, "select: a handle that never is");
	is(out(&c, PORT_CLOSE, 16), -EBADF, "close: a handle that never is");
	is(out(&c, PORT_SELECT, UINT32_MAX), -EBADF, "select: -1");
	is(out(&c, PORT_CLOSE, UINT32_MAX), -EBADF, "close: -1");
	is(out(&c, PORT_WRITE, buffer(DATA_AT, 1)), -EBADF, "write: none is selected");
	is(out(&c, PORT_SELECT, 2), 0, "select: the third");
	is(out(&c, PORT_WRITE, buffer(DATA_AT, 1)), -EROFS, "write: the root is read-only");
	end(&c);
}

static void pointers(const struct files_root *root)
{
	struct hypercalls c;

	begin(&c, root, RAM_SIZE);
	put(&c, RAM_SIZE - 5, "plain", 5);
	is(out(&c, PORT_OPEN, buffer(RAM_SIZE - 5, 5)), 0, "open: the name ends where memory ends");
	is(out(&c, PORT_OPEN, buffer(RAM_SIZE - 5, 6)), -EFAULT, "open: a byte beyond memory");
	is(out(&c, PORT_READ, buffer(RAM_SIZE - 2, 2)), 2, "read: to the end of memory");
	ok(!memcmp(c.ram.base + RAM_SIZE - 5, "plaab", 5), "read: there, and not before");
	is(out(&c, PORT_READ, buffer(RAM_SIZE - 2, 3)), -EFAULT, "read: a byte beyond memory");
	is(out(&c, PORT_READ, buffer(RAM_SIZE - 1, 2047)), -EFAULT, "read: the largest value");
	is(out(&c, PORT_READ, buffer(RAM_SIZE - 2047, 2047)), 7, "read: the longest, at the end");
	is(out(&c, PORT_WRITE, buffer(RAM_SIZE - 1, 2)), -EFAULT, "write: a byte beyond memory");
	put(&c, 0, "pl\0in", 5);
	is(out(&c, PORT_OPEN, buffer(0, 5)), -EINVAL, "open: a NUL in the name");
	is(out(&c, PORT_OPEN, buffer(0, 0)), -ENOENT, "open: no name");
	memset(c.ram.base, 'n', 2047);
	is(out(&c, PORT_OPEN, buffer(0, 2047)), -ENAMETOOLONG, "open: the longest name");
	end(&c);

	begin(&c, root, 4096);
	is(open_name(&c, "plain"), 0, "small memory: open");
	is(out(&c, PORT_READ, buffer(4095, 1)), 1, "small memory: its last byte");
	is(out(&c, PORT_READ, buffer(4096, 1)), -EFAULT, "small memory: the byte behind it");
	is(out(&c, PORT_READ, buffer(4097, 0)), -EFAULT, "small memory: an address beyond");
	is(out(&c, PORT_OPEN, buffer(4092, 5)), -EFAULT, "small memory: a name beyond");
	end(&c);
}

static void handles_are_bounded(const struct files_root *root)
{
	struct hypercalls c, other;
	int i, good = 0;

	begin(&c, root, RAM_SIZE);
	for (i = 0; i < FILES_MAX; i++)
		good += open_name(&c, "plain") == i;
	is(good, FILES_MAX, "handles: 16");
	is(open_name(&c, "plain"), -EMFILE, "handles: and no more");
	is(out(&c, PORT_CLOSE, 7), 0, "handles: one is closed");
	is(open_name(&c, "plain"), 7, "handles: and free again");

	begin(&other, root, RAM_SIZE);
	is(out(&other, PORT_SELECT, 3), -EBADF, "handles: another vCPU does not have them");
	is(out(&other, PORT_CLOSE, 3), -EBADF, "handles: nor can it close them");
	is(open_name(&other, "plain"), 0, "handles: and has its own, however many those are");
	is(out(&c, PORT_SELECT, 3), 0, "handles: the first one's are as they were");
	end(&other);
	end(&c);
}

static void paths(const struct files_root *root)
{
	static const struct {
		const char *path;
		int wanted;
	} rows[] = {
		{ "./plain", 0 },
		{ "sub//inner", 0 },
		{ "hidden...name", 0 },
		{ "new\nline", 0 },
		{ "-rf", 0 },
		{ "..dots", 0 },
		{ "dots..", 0 },
		{ "...", -ENOENT },
		{ "plain/", -ENOTDIR },
		{ "plain/x", -ENOTDIR },
		{ ".", -EISDIR },
		{ "sub", -EISDIR },
		{ "sub/", -EISDIR },
		{ "..", -EXDEV },
		{ "../", -EXDEV },
		{ "../canary", -EXDEV },
		{ "./../canary", -EXDEV },
		{ "sub/../../canary", -EXDEV },
		{ "sub/../plain", -EXDEV },
		{ "sub/..", -EXDEV },
		{ "/", -EXDEV },
		{ "//", -EXDEV },
		{ "/etc/passwd", -EXDEV },
		{ "//etc/passwd", -EXDEV },
		{ "/proc/self/environ", -EXDEV },
		{ "link-canary", -ELOOP },
		{ "link-absolute", -ELOOP },
		{ "link-inside", -ELOOP },
		{ "link-dangling", -ELOOP },
		{ "link-self", -ELOOP },
		{ "link-up/canary", -ELOOP },
		{ "link-top/canary", -ELOOP },
		{ "link-proc/root/etc/passwd", -ELOOP },
		{ "sub/link-canary", -ELOOP },
		{ "fifo", -EACCES },
		{ "socket", -EACCES },
	};
	struct hypercalls c;
	char name[64];
	size_t i;

	begin(&c, root, RAM_SIZE);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int got = open_name(&c, rows[i].path);

		snprintf(name, sizeof(name), "path: '%s'",
			 strchr(rows[i].path, '\n') ? "new\\nline" : rows[i].path);
		is(got, rows[i].wanted, name);
		out(&c, PORT_CLOSE, 0);
	}
	/* Where the tree could have one: only root may make them. */
	if (!access("root/device", F_OK))
		is(open_name(&c, "device"), -EACCES, "path: 'device'");
	end(&c);
}

static void other_file_systems(void)
{
	struct files_root root;
	struct hypercalls c;
	char magic[64];

	ok(!files_root_open(&root, "/", false), "root: /");
	begin(&c, &root, RAM_SIZE);
	is(open_name(&c, "proc/version"), -EXDEV, "path: into another file system");
	end(&c);
	files_root_close(&root);

	ok(!files_root_open(&root, "/proc", false), "root: /proc");
	begin(&c, &root, RAM_SIZE);
	is(open_name(&c, "version"), 0, "path: of a file of its own");
	is(open_name(&c, "self/environ"), -ELOOP, "path: through a link of /proc");
	snprintf(magic, sizeof(magic), "%d/root/etc/passwd", getpid());
	is(open_name(&c, magic), -ELOOP, "path: through a magic link");
	snprintf(magic, sizeof(magic), "%d/cwd/canary", getpid());
	is(open_name(&c, magic), -ELOOP, "path: through another");
	snprintf(magic, sizeof(magic), "%d/fd/0", getpid());
	is(open_name(&c, magic), -ELOOP, "path: to one");
	end(&c);
	files_root_close(&root);
}

static void write_files(const struct files_root *root)
{
	char above[3072], elsewhere[4096];
	struct hypercalls c;
	struct stat st;

	snprintf(elsewhere, sizeof(elsewhere), "%s/new", getcwd(above, sizeof(above)));
	begin(&c, root, RAM_SIZE);
	put(&c, DATA_AT, "0123456789", 10);
	is(open_name(&c, "new"), 0, "writable: a file is created");
	ok(!stat("root/new", &st) && (st.st_mode & 07777) == 0600 && !st.st_size,
	   "writable: empty, for its owner only");
	is(out(&c, PORT_READ, buffer(DATA_AT, 10)), 0, "writable: it can be read as well");
	is(out(&c, PORT_WRITE, buffer(DATA_AT, 10)), 10, "write: all of it");
	is(out(&c, PORT_WRITE, buffer(DATA_AT, 0)), 0, "write: nothing");
	is(out(&c, PORT_WRITE, buffer(RAM_SIZE - 1, 1)), 1, "write: the last byte of memory");
	is(out(&c, PORT_WRITE, buffer(RAM_SIZE - 1, 2)), -EFAULT, "write: a byte beyond memory");
	ok(!stat("root/new", &st) && st.st_size == 11, "write: so many bytes are there");
	memset(c.ram.base + DATA_AT, 0, 11);
	is(open_name(&c, "new"), 1, "writable: it is opened once more");
	is(out(&c, PORT_READ, buffer(DATA_AT, 100)), 11, "writable: and read back");
	ok(data_is(&c, "0123456789"), "writable: as it was written");
	put(&c, DATA_AT, "AB", 2);
	is(open_name(&c, "plain"), 2, "writable: an old file");
	is(out(&c, PORT_WRITE, buffer(DATA_AT, 2)), 2, "write: over its first bytes");
	is(out(&c, PORT_READ, buffer(DATA_AT, 100)), 7, "writable: what follows is as before");
	ok(data_is(&c, "cdefgh\n"), "writable: byte by byte");
	is(open_name(&c, "hard"), -EMLINK, "writable: no file that has a name elsewhere");
	is(open_name(&c, "none/new"), -ENOENT, "writable: no folder is created");
	is(open_name(&c, "../new"), -EXDEV, "writable: nothing is created above");
	is(open_name(&c, elsewhere), -EXDEV, "writable: nor anywhere else");
	is(open_name(&c, "link-dangling"), -ELOOP, "writable: nor where a link leads");
	is(open_name(&c, "link-up/new"), -ELOOP, "writable: nor beyond one");
	is(open_name(&c, "sub"), -EISDIR, "writable: a folder");
	is(open_name(&c, "fifo"), -EACCES, "writable: a FIFO");
	end(&c);
}

static void limits(const struct files_root *root)
{
	uint64_t chunks = FILES_WRITE_MAX / 2047, i, good = 0;
	struct hypercalls c;
	struct stat st;
	char name[32];

	begin(&c, root, RAM_SIZE);
	open_name(&c, "big");
	for (i = 0; i < chunks; i++)
		good += out(&c, PORT_WRITE, buffer(DATA_AT, 2047)) == 2047;
	is(good, chunks, "limits: 64 MiB may be written");
	is(out(&c, PORT_WRITE, buffer(DATA_AT, 2047)), FILES_WRITE_MAX % 2047, "limits: the rest");
	is(out(&c, PORT_WRITE, buffer(DATA_AT, 1)), -EDQUOT, "limits: and no more");
	is(out(&c, PORT_WRITE, buffer(DATA_AT, 0)), 0, "limits: nothing may be written for ever");
	ok(!stat("root/big", &st) && st.st_size == FILES_WRITE_MAX, "limits: so many are there");
	is(open_name(&c, "plain"), 1, "limits: another file");
	is(out(&c, PORT_WRITE, buffer(DATA_AT, 1)), -EDQUOT, "limits: is under the same limit");
	is(out(&c, PORT_READ, buffer(DATA_AT, 2)), 2, "limits: and can be read");
	end(&c);
	unlink("root/big");

	begin(&c, root, RAM_SIZE);
	for (i = 0, good = 0; i < FILES_CREATE_MAX; i++) {
		snprintf(name, sizeof(name), "created-%llu", (unsigned long long)i);
		good += open_name(&c, name) == 0;
		out(&c, PORT_CLOSE, 0);
	}
	is(good, FILES_CREATE_MAX, "limits: 64 files may be created");
	is(open_name(&c, "one-more"), -EDQUOT, "limits: and no more");
	ok(access("root/one-more", F_OK), "limits: it is not there");
	is(open_name(&c, "created-0"), 0, "limits: old ones can be opened");
	end(&c);
}

static void interruptions(const struct files_root *root)
{
	struct hypercalls c;

	begin(&c, root, RAM_SIZE);
	interrupts = 3;
	is(open_name(&c, "interrupted"), 0, "EINTR: open");
	interrupts = 3;
	is(out(&c, PORT_WRITE, buffer(DATA_AT, 10)), 10, "EINTR: write");
	open_name(&c, "interrupted");
	interrupts = 3;
	is(out(&c, PORT_READ, buffer(DATA_AT, 100)), 10, "EINTR: read");
	is(interrupts, 0, "EINTR: each three times");
	end(&c);
}

/* Between the look at a file and its opening a FIFO takes its place. */
static void swap_for_fifo(unsigned int nth)
{
	if (nth == 2 && rename("root/fifo", "root/swapped"))
		abort();
}

/* Before it is created, somebody else creates it. */
static void create_first(unsigned int nth)
{
	if (nth == 2)
		close(open("root/raced", O_CREAT | O_WRONLY, 0600));
}

static void races(const struct files_root *root)
{
	struct hypercalls c;

	begin(&c, root, RAM_SIZE);
	nr_openat2 = 0;
	before_openat2 = swap_for_fifo;
	is(open_name(&c, "swapped"), -EACCES, "race: it became a FIFO");
	nr_openat2 = 0;
	before_openat2 = create_first;
	is(open_name(&c, "raced"), 0, "race: another vCPU created it first");
	is(nr_openat2, 4, "race: looked, tried to create, looked, opened");
	before_openat2 = NULL;
	end(&c);
}

static int count_fds(void)
{
	int fd, open = 0;

	for (fd = 0; fd < 1024; fd++)
		open += fcntl(fd, F_GETFD) >= 0;
	return open;
}

static void roots(void)
{
	struct files_root root;

	is(files_root_open(&root, "missing", false), -1, "root: no such folder");
	is(files_root_open(&root, "canary", false), -1, "root: not a folder");
}

int main(void)
{
	int fds = count_fds();
	struct files_root root;

	/* What breaks out must not be able to do harm. */
	if (!geteuid())
		return EXIT_FAILURE;
	ram_boundaries();
	which_ports();
	widths();
	print_strings();
	print_elsewhere();
	no_root();
	roots();
	if (files_root_open(&root, "root", false) < 0)
		return EXIT_FAILURE;
	read_files(&root);
	pointers(&root);
	handles_are_bounded(&root);
	paths(&root);
	files_root_close(&root);
	other_file_systems();
	if (files_root_open(&root, "root", true) < 0)
		return EXIT_FAILURE;
	write_files(&root);
	limits(&root);
	interruptions(&root);
	races(&root);
	files_root_close(&root);
	is(count_fds(), fds, "no file is left open");
	printf("1..%d\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
