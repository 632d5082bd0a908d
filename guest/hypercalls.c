// SPDX-License-Identifier: GPL-2.0-or-later
/* Hypercalls by port I/O: nothing that a guest says is believed unchecked. */
#include <errno.h>
#include <string.h>

#include "hypercalls.h"

/* What a call about a buffer gets in its one value. */
struct buffer {
	uint32_t address;
	uint32_t length;
};

static struct buffer buffer_of(uint32_t value)
{
	return (struct buffer){
		.address = value >> HYPERCALL_LENGTH_BITS,
		.length = value & HYPERCALL_LENGTH_MAX,
	};
}

/* All that may belong to the string is copied before its end is looked for. */
static int32_t call_print(struct hypercalls *calls, uint32_t address)
{
	uint64_t room = HYPERCALL_PRINT_MAX;
	char text[HYPERCALL_PRINT_MAX];
	size_t length;

	if (address >= calls->ram.size)
		return -EFAULT;
	if (room > calls->ram.size - address)
		room = calls->ram.size - address;
	if (!ram_copy(&calls->ram, text, address, room))
		return -EFAULT;
	length = strnlen(text, room);
	if (length == room)
		return room < sizeof(text) ? -EFAULT : -E2BIG;
	if (calls->output && fwrite(text, 1, length, calls->output) != length)
		return -EIO;
	return length;
}

static int32_t call_open(struct hypercalls *calls, uint32_t value)
{
	struct buffer name = buffer_of(value);
	char path[HYPERCALL_LENGTH_MAX + 1];
	int handle;

	if (!ram_copy(&calls->ram, path, name.address, name.length))
		return -EFAULT;
	path[name.length] = '\0';
	if (strlen(path) != name.length)
		return -EINVAL;
	handle = files_open(&calls->files, path);
	if (handle >= 0)
		calls->selected = handle;
	return handle;
}

static int32_t call_read(struct hypercalls *calls, uint32_t value)
{
	struct buffer b = buffer_of(value);
	void *to = ram_at(&calls->ram, b.address, b.length);

	return to ? files_read(&calls->files, calls->selected, to, b.length) : -EFAULT;
}

static int32_t call_write(struct hypercalls *calls, uint32_t value)
{
	struct buffer b = buffer_of(value);
	const void *from = ram_at(&calls->ram, b.address, b.length);

	return from ? files_write(&calls->files, calls->selected, from, b.length) : -EFAULT;
}

static int32_t call_select(struct hypercalls *calls, uint32_t handle)
{
	int err = files_check(&calls->files, handle);

	if (!err)
		calls->selected = handle;
	return err;
}

static int32_t call_close(struct hypercalls *calls, uint32_t handle)
{
	return files_close(&calls->files, handle);
}

static const struct {
	uint16_t port;
	int32_t (*call)(struct hypercalls *calls, uint32_t value);
} ports[] = {
	{ PORT_PRINT, call_print },
	{ PORT_OPEN, call_open },
	{ PORT_READ, call_read },
	{ PORT_WRITE, call_write },
	{ PORT_SELECT, call_select },
	{ PORT_CLOSE, call_close },
};

void hypercalls_init(struct hypercalls *calls, const struct files_root *root)
{
	files_init(&calls->files, root);
	calls->selected = FILES_MAX;
	calls->result = 0;
}

void hypercalls_destroy(struct hypercalls *calls)
{
	files_destroy(&calls->files);
}

bool hypercalls_out(struct hypercalls *calls, uint16_t port, unsigned int size, uint32_t value)
{
	size_t i;

	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (ports[i].port != port)
			continue;
		calls->result = size == sizeof(value) ? ports[i].call(calls, value) : -EINVAL;
		return true;
	}
	return false;
}

bool hypercalls_in(struct hypercalls *calls, uint16_t port, unsigned int size, uint32_t *value)
{
	if (port != PORT_RESULT && port != PORT_EXITS)
		return false;
	if (size != sizeof(*value))
		*value = UINT32_MAX;
	else if (port == PORT_RESULT)
		*value = calls->result;
	else
		*value = calls->exits(calls->context);
	return true;
}
