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

static int exception(struct vcpu *vcpu, uint8_t vector)
{
	char text[EXCEPTION_TEXT_MAX];
	struct kvm_regs regs = {};

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	exceptions_describe(vector, regs.rsp, vcpu->part, text);
	return vcpu_unexpected(vcpu, text);
}

static int out(struct vcpu *vcpu, uint16_t port, unsigned int size, uint32_t value)
{
	switch (port) {
	case PORT_PUTC:
		if (vcpu->calls.output)
			fputc((uint8_t)value, vcpu->calls.output);
		return 0;
	case PORT_MARK:
		return mark(vcpu, value);
	case PORT_EXCEPTION:
		return exception(vcpu, value);
	}
	hypercalls_out(&vcpu->calls, port, size, value);
	return 0;
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
