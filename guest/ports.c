// SPDX-License-Identifier: GPL-2.0-or-later
/* What is behind the ports of memory_map.h. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "exceptions.h"
#include "memory_map.h"
#include "ports.h"

/* Whole lines, so that those of several vCPUs can be told apart. */
static void print_line(struct vcpu *vcpu)
{
	flockfile(stdout);
	if (vcpu->vm->nr_vcpus > 1)
		printf("vCPU %u: ", vcpu->id);
	fwrite(vcpu->line, 1, vcpu->line_length, stdout);
	if (vcpu->line[vcpu->line_length - 1] != '\n' && vcpu->vm->nr_vcpus > 1)
		putchar('\n');
	funlockfile(stdout);
	vcpu->line_length = 0;
}

static void put_character(struct vcpu *vcpu, uint8_t character)
{
	if (vcpu->vm->quiet)
		return;
	vcpu->line[vcpu->line_length++] = character;
	if (character == '\n' || vcpu->line_length == LINE_SIZE)
		print_line(vcpu);
}

void ports_end(struct vcpu *vcpu)
{
	if (vcpu->line_length)
		print_line(vcpu);
}

static int mark(struct vcpu *vcpu, uint8_t which)
{
	if (which == MARK_HOST)
		return vcpu->vm->guest->host ? vcpu->vm->guest->host(vcpu) : 0;
	if (which == MARK_STOP)
		vcpu->stopped = true;
	if (vcpu->vm->mark)
		vcpu->vm->mark(vcpu, which);
	return 0;
}

static int exception(struct vcpu *vcpu, uint8_t vector)
{
	char text[EXCEPTION_TEXT_MAX];
	struct kvm_regs regs = {};

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	exceptions_describe(vector, regs.rsp, vcpu->part, text);
	return vcpu_unexpected(vcpu, text);
}

/* Nothing is behind the other ports: writes vanish, reads give all ones. */
int ports_handle(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (run->io.direction == KVM_EXIT_IO_IN) {
		memset(data, 0xff, (size_t)run->io.size * run->io.count);
		return 0;
	}
	switch (run->io.port) {
	case PORT_PUTC:
		put_character(vcpu, *data);
		break;
	case PORT_MARK:
		return mark(vcpu, *data);
	case PORT_EXCEPTION:
		return exception(vcpu, *data);
	}
	return 0;
}
