/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files for a guest: regular files below one directory of the host, opened by
 * name and known to the guest by a handle from 0 to FILES_MAX - 1.
 *
 * The directory is opened once; every path is resolved by openat2(2) from
 * there, and whatever would lead elsewhere is refused: absolute paths, "..",
 * symbolic links, the magic links of /proc, other file systems mounted below.
 * Directories, FIFOs, sockets and devices are refused before they are opened,
 * for to open some is to do something already. What cannot be told from a path
 * is a hard link: where the guest may write, files with several names are
 * refused, as the others may be outside.
 *
 * Nothing is written unless the root is writable. Then a file that does not
 * exist is created (mode 0600), and each table may write FILES_WRITE_MAX bytes
 * and create FILES_CREATE_MAX files in its life, so that a guest that writes
 * for ever does not fill the host's disk.
 *
 * Each vCPU has a table of its own, so no lock is needed, and none can use up
 * or close what is another's. They share the root, which does not change.
 *
 * All functions that can fail for a guest return a negative errno of Linux. In
 * addition to what the kernel says (ENOENT, ENAMETOOLONG, ENOSPC, ...):
 *   EACCES  there is no root, or it is no regular file, or the VMM may not read it
 *   EISDIR  it is a directory
 *   EXDEV   the path leads out: absolute, "..", or another file system
 *   ELOOP   there is a symbolic link in it
 *   EMLINK  the file has several names, and the root is writable
 *   EMFILE  all handles are in use
 *   EBADF   no such handle, or the file may only be read
 *   EROFS   the root is not writable
 *   EDQUOT  the table has written, or created, as much as it may
 *
 * System calls made here: openat2, fstat, close, read, write.
 */
#ifndef KVMSTAT_GUEST_FILES_H
#define KVMSTAT_GUEST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILES_MAX		16
#define FILES_WRITE_MAX		(64u << 20)
#define FILES_CREATE_MAX	64u

struct files_root {
	int dir;
	bool writable;
};

/* 0, or -1 after a message: DIR of --root cannot be had. */
int files_root_open(struct files_root *root, const char *path, bool writable);
void files_root_close(struct files_root *root);

struct files {
	const struct files_root *root;	/* NULL: nothing can be opened */
	int fds[FILES_MAX];		/* -1: free */
	unsigned int may_write;		/* bytes */
	unsigned int may_create;
};

void files_init(struct files *files, const struct files_root *root);
/* Closes what the guest left open. */
void files_destroy(struct files *files);

/* The handle: the lowest that is free. Reading and writing begin at byte 0. */
int files_open(struct files *files, const char *path);
int files_close(struct files *files, uint32_t handle);
/* 0, or -EBADF. */
int files_check(const struct files *files, uint32_t handle);

/* How many bytes; they follow those of the last read or write of the handle. */
int files_read(struct files *files, uint32_t handle, void *to, size_t length);
int files_write(struct files *files, uint32_t handle, const void *from, size_t length);

#endif
