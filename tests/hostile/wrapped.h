/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the linker's --wrap makes of the system calls that a test steps into. */
#ifndef KVMSTAT_TESTS_HOSTILE_WRAPPED_H
#define KVMSTAT_TESTS_HOSTILE_WRAPPED_H

#include <sys/types.h>

long __real_syscall(long number, ...);
ssize_t __real_read(int fd, void *to, size_t length);
ssize_t __real_write(int fd, const void *from, size_t length);
long __wrap_syscall(long number, ...);
ssize_t __wrap_read(int fd, void *to, size_t length);
ssize_t __wrap_write(int fd, const void *from, size_t length);

#endif
