// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What its owner calls a VM: QEMU's -name, from the arguments of the VM's process
 * (/proc/PID/cmdline). Neither KVM nor the module knows it.
 */
#include <stdio.h>
#include <string.h>

#include "sysfs.h"
#include "text.h"
#include "vm_name.h"

/* libvirt puts -name first of all. */
#define ARGUMENTS_MAX (16 * 1024)

/* The arguments, each with a NUL at its end; their length, or 0. */
static size_t read_arguments(uint32_t pid, char arguments[ARGUMENTS_MAX])
{
	char path[SYSFS_PATH_MAX];
	FILE *file;
	size_t size;

	sysfs_path(path, "/proc/%u/cmdline", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	size = fread(arguments, 1, ARGUMENTS_MAX - 1, file);
	fclose(file);
	arguments[size] = '\0';
	return size;
}

/* A pid of another namespace may be another process here. */
static bool is_of(const struct vm *vm)
{
	char comm[sizeof(vm->comm)], clean[sizeof(vm->comm)];

	if (!sysfs_read(comm, sizeof(comm), "/proc/%u/comm", vm->pid))
		return false;
	text_clean(clean, comm, sizeof(clean));
	return !strcmp(clean, vm->comm);
}

static bool is_qemu(const char *program)
{
	const char *slash = strrchr(program, '/');

	program = slash ? slash + 1 : program;
	return strstr(program, "qemu") || !strcmp(program, "kvm");
}

/* Of "guest=web,process=x,debug-threads=on" or "web,process=x"; two commas are one. */
static void take_name(char name[VM_NAME_MAX], const char *option)
{
	char text[VM_NAME_MAX];
	size_t used = 0;

	if (!strncmp(option, "guest=", strlen("guest=")))
		option += strlen("guest=");
	while (*option && used + 1 < sizeof(text)) {
		if (*option == ',' && *++option != ',')
			break;
		text[used++] = *option++;
	}
	text[used] = '\0';
	text_clean(name, text, VM_NAME_MAX);
}

static void find_name(char name[VM_NAME_MAX], const char *arguments, size_t size)
{
	const char *end = arguments + size, *argument = arguments;

	if (!is_qemu(argument))
		return;
	while ((argument += strlen(argument) + 1) < end) {
		if (strcmp(argument, "-name") && strcmp(argument, "--name"))
			continue;
		argument += strlen(argument) + 1;
		if (argument < end)
			take_name(name, argument);
		return;
	}
}

void vm_names_read(struct run *run)
{
	char arguments[ARGUMENTS_MAX];
	size_t i;

	for (i = 0; i < run->nr_vms; i++) {
		struct vm *vm = &run->vms[i];
		size_t size;

		if (!vm->alive || vm->retired || !is_of(vm))
			continue;
		size = read_arguments(vm->pid, arguments);
		if (size)
			find_name(vm->name, arguments, size);
	}
}
