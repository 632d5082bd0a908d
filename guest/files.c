// SPDX-License-Identifier: GPL-2.0-or-later
/* Files for a guest, below one directory of the host and nowhere else. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../user/message.h"
#include "files.h"

int files_root_open(struct files_root *root, const char *path, bool writable)
{
	root->writable = writable;
	root->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->dir >= 0)
		return 0;
	error("--root %s: cannot open: %s: give a directory that you may enter", path,
	      strerror(errno));
	return -1;
}

void files_root_close(struct files_root *root)
{
	close(root->dir);
}

void files_init(struct files *files, const struct files_root *root)
{
	int i;

	files->root = root;
	files->may_write = FILES_WRITE_MAX;
	files->may_create = FILES_CREATE_MAX;
	for (i = 0; i < FILES_MAX; i++)
		files->fds[i] = -1;
}

void files_destroy(struct files *files)
{
	uint32_t i;

	for (i = 0; i < FILES_MAX; i++)
		files_close(files, i);
}

/*
 * ".." is refused even where it would stay below: nobody needs it, and a rename
 * meanwhile would make the kernel ask for another try (EAGAIN).
 */
static bool climbs(const char *path)
{
	const char *dots;

	for (dots = strstr(path, ".."); dots; dots = strstr(dots + 1, "..")) {
		bool begins = dots == path || dots[-1] == '/';

		if (begins && (!dots[2] || dots[2] == '/'))
			return true;
	}
	return false;
}

static int open_below(const struct files_root *root, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? 0600 : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};
	int fd;

	fd = TEMP_FAILURE_RETRY(syscall(SYS_openat2, root->dir, path, &how, sizeof(how)));
	return fd < 0 ? -errno : fd;
}

static int check_kind(int fd, bool writable)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return writable && st.st_nlink > 1 ? -EMLINK : 0;
}

static int open_checked(const struct files_root *root, const char *path, uint64_t flags)
{
	int fd, err;

	fd = open_below(root, path, flags);
	if (fd < 0)
		return fd;
	err = check_kind(fd, root->writable);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/*
 * First looked at (O_PATH opens nothing), then opened, and looked at again, as
 * somebody on the host may have put something else there. O_NONBLOCK: nor does
 * that make us wait. What may only be read is opened for that.
 */
static int open_existing(const struct files_root *root, const char *path)
{
	const uint64_t flags = O_NONBLOCK | O_NOCTTY;
	int fd;

	fd = open_checked(root, path, O_PATH);
	if (fd < 0)
		return fd;
	close(fd);
	if (root->writable) {
		fd = open_checked(root, path, flags | O_RDWR);
		if (fd != -EACCES && fd != -EROFS)
			return fd;
	}
	return open_checked(root, path, flags | O_RDONLY);
}

static int create(struct files *files, const char *path)
{
	int fd;

	if (!files->may_create)
		return -EDQUOT;
	fd = open_checked(files->root, path, O_RDWR | O_CREAT | O_EXCL);
	if (fd >= 0)
		files->may_create--;
	return fd;
}

static int free_handle(const struct files *files)
{
	int i;

	for (i = 0; i < FILES_MAX; i++)
		if (files->fds[i] < 0)
			return i;
	return -EMFILE;
}

int files_open(struct files *files, const char *path)
{
	int handle, fd;

	if (!files->root)
		return -EACCES;
	handle = free_handle(files);
	if (handle < 0)
		return handle;
	if (climbs(path))
		return -EXDEV;
	fd = open_existing(files->root, path);
	if (fd == -ENOENT && files->root->writable) {
		fd = create(files, path);
		/* Another vCPU was faster. */
		if (fd == -EEXIST)
			fd = open_existing(files->root, path);
	}
	if (fd < 0)
		return fd;
	files->fds[handle] = fd;
	return handle;
}

int files_check(const struct files *files, uint32_t handle)
{
	return handle < FILES_MAX && files->fds[handle] >= 0 ? 0 : -EBADF;
}

int files_close(struct files *files, uint32_t handle)
{
	if (files_check(files, handle) < 0)
		return -EBADF;
	/* Whatever it returns, the descriptor is gone. */
	close(files->fds[handle]);
	files->fds[handle] = -1;
	return 0;
}

int files_read(struct files *files, uint32_t handle, void *to, size_t length)
{
	ssize_t got;

	if (files_check(files, handle) < 0)
		return -EBADF;
	got = TEMP_FAILURE_RETRY(read(files->fds[handle], to, length));
	return got < 0 ? -errno : got;
}

int files_write(struct files *files, uint32_t handle, const void *from, size_t length)
{
	ssize_t put;

	if (files_check(files, handle) < 0)
		return -EBADF;
	if (!files->root->writable)
		return -EROFS;
	if (length && !files->may_write)
		return -EDQUOT;
	if (length > files->may_write)
		length = files->may_write;
	put = TEMP_FAILURE_RETRY(write(files->fds[handle], from, length));
	if (put < 0)
		return -errno;
	files->may_write -= put;
	return put;
}
