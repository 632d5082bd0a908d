// SPDX-License-Identifier: GPL-2.0-or-later
/* What is behind the ports of memory_map.h. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "exceptions.h"
#include "memory_map.h"
#include "ports.h"

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

static int exception(struct vcpu *vcpu)
{
	char text[EXCEPTION_TEXT_MAX];
	struct kvm_sregs sregs = {};
	struct kvm_regs regs = {};

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	exceptions_describe(&vcpu->calls.ram, vcpu->vm->guest->mode, regs.rsp, sregs.cr2, text);
	return vcpu_failed(vcpu, text);
}

static int out(struct vcpu *vcpu, uint16_t port, unsigned int size, uint32_t value)
{
	FILE *output = vcpu->calls.output;

	switch (port) {
	case PORT_PUTC:
		if (output)
			fputc((uint8_t)value, output);
		break;
	case PORT_MARK:
		return mark(vcpu, value);
	case PORT_EXCEPTION:
		return exception(vcpu);
	default:
		hypercalls_out(&vcpu->calls, port, size, value);
	}
	/* finish_output() says why. */
	return output && ferror(output) ? -1 : 0;
}

/*
 * Nothing is behind the ports that are nobody's: writes vanish, reads give all
 * ones. REP OUTS and INS come as several values at once.
 */
int ports_handle(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	unsigned int size = run->io.size;
	uint32_t i, value;
	int err = 0;

	for (i = 0; i < run->io.count && !err; i++, data += size) {
		value = run->io.direction == KVM_EXIT_IO_IN ? UINT32_MAX : 0;
		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&value, data, size);
			err = out(vcpu, run->io.port, size, value);
		} else {
			hypercalls_in(&vcpu->calls, run->io.port, size, &value);
			memcpy(data, &value, size);
		}
	}
	return err;
}
