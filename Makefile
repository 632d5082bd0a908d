# SPDX-License-Identifier: GPL-2.0-or-later
# make            tools into build/, the module into build/RELEASE/
# make demo       the whole thing on emulated hardware, nothing needed but this
# make check      the tests, the same way
# make help       all targets

# Headers of the kernel to build for: the running one, else the newest installed.
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(shell ls -d /lib/modules/*/build /usr/src/linux-headers-*-amd64 2>/dev/null | sort -Vr))

BUILD := build
CC ?= gcc
CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wundef -MMD -MP
ifeq ($(WERROR),1)
override CFLAGS += -Werror
endif

all: tools module
tools: $(BUILD)/kvmstat-report $(BUILD)/kvmstat-guest

### tools

shared-src := user/device.c user/message.c user/reasons.c
report-src := $(sort $(wildcard user/*.c))
guest-src  := $(sort $(wildcard guest/*.c)) $(shared-src)
guest-asm  := $(sort $(wildcard guest/*.S))
objects = $(patsubst %,$(BUILD)/obj/%.o,$(basename $(1)))

$(BUILD)/kvmstat-report: $(call objects,$(report-src))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljansson -lm
$(BUILD)/kvmstat-guest: $(call objects,$(guest-src) $(guest-asm))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lpthread

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(BUILD)/obj/%.o: %.S
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

### module: built out of tree, so that one checkout serves many kernels

module:
	@tests/module-build "$(KDIR)" "$(BUILD)" $(if $(W),W=$(W)) $(if $(C),C=$(C))

.PHONY: all tools module
