# SPDX-License-Identifier: GPL-2.0-or-later
# make            tools into build/, the module into build/RELEASE/
# make demo       the whole thing on emulated hardware, nothing needed but this
# make check      the tests, the same way
# make check-all  and every kernel on every CPU
# make check-debug the module on a kernel that watches all it does
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
tools: $(BUILD)/kvmstat-report $(BUILD)/kvmstat-guest $(BUILD)/isolate

### tools

shared-src := user/device.c user/memory.c user/message.c user/reasons.c user/sysfs.c user/tsc.c
report-src := $(sort $(wildcard user/*.c user/*.S))
# What draws the charts of kvmstat-report --html; CHART_JS= builds without.
CHART_JS ?= $(wildcard /usr/share/javascript/chart.js/chart.min.js)
# The BPF collector takes clang, bpftool and libbpf; CLANG= builds without.
CLANG ?= $(shell command -v clang)
BPFTOOL ?= $(shell PATH="$$PATH:/usr/sbin" command -v bpftool)
ifneq ($(and $(CLANG),$(BPFTOOL),$(wildcard /usr/include/bpf/libbpf.h)),)
bpf-src := $(filter-out bpf/none.c %.bpf.c,$(sort $(wildcard bpf/*.c)))
bpf-libs := -lbpf
else
bpf-src := bpf/none.c
endif
jail-src   := isolate/jail.c isolate/refusal.c isolate/settings.c isolate/veth.c isolate/warden.c
guest-src  := $(sort $(wildcard guest/*.c)) $(shared-src) $(jail-src) isolate/confine.c isolate/seccomp.c
guest-asm  := $(sort $(wildcard guest/*.S))
objects = $(patsubst %,$(BUILD)/obj/%.o,$(basename $(1)))

$(BUILD)/kvmstat-report: $(call objects,$(report-src) $(bpf-src)) $(BUILD)/bpf-src
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -pthread -ljansson -lncursesw -ltinfo -lm $(bpf-libs)
$(BUILD)/kvmstat-guest: $(call objects,$(guest-src) $(guest-asm) $(bpf-src)) $(BUILD)/bpf-src
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -pthread -lseccomp $(bpf-libs)
$(BUILD)/isolate: $(call objects,isolate/main.c $(jail-src) user/message.c)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(BUILD)/obj/%.o: %.S
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
# Copied, for make to see when it came: packages keep the times of their files.
ifneq ($(CHART_JS),)
$(BUILD)/chart.js: $(CHART_JS)
	@mkdir -p $(@D)
	cp $< $@
$(BUILD)/obj/user/page.o: $(BUILD)/chart.js
$(BUILD)/obj/user/page.o: override CPPFLAGS += '-DCHART_JS="$(BUILD)/chart.js"'
endif
$(BUILD)/obj/user/page.o: $(wildcard user/page/*)
# With the collector or without: who changes his mind gets new tools.
$(BUILD)/bpf-src: FORCE
	@mkdir -p $(@D)
	@echo '$(bpf-src)' | cmp -s - $@ || echo '$(bpf-src)' >$@
FORCE:
# The programs for the kernel, and what loads them.
$(BUILD)/bpf/kvmstat.bpf.o: $(wildcard bpf/*.h) module/uapi/kvmstat.h
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter $(if $(WERROR),-Werror) \
		-D__TARGET_ARCH_x86 -I/usr/include/$(shell $(CC) -print-multiarch) -c -o $@.unlinked $<
	$(BPFTOOL) gen object $@ $@.unlinked
$(BUILD)/bpf/programs.skel.h: $(BUILD)/bpf/kvmstat.bpf.o
	$(BPFTOOL) gen skeleton $< name programs >$@
$(call objects,$(bpf-src)): CPPFLAGS += -isystem $(BUILD)/bpf
ifneq ($(bpf-libs),)
$(call objects,$(bpf-src)): $(BUILD)/bpf/programs.skel.h
endif
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

### module: built out of tree, so that one checkout serves many kernels

module:
	@tests/module-build "$(KDIR)" "$(BUILD)" $(if $(W),W=$(W)) $(if $(C),C=$(C))

### what the tests and the demo need besides

# A guest userspace for tests/workload/boot, as an initramfs.
workload: $(BUILD)/workload.cpio
$(BUILD)/workload.cpio: tests/workload/init.c module/uapi/kvmstat.h
	@mkdir -p $(BUILD)/workload/dev
	$(CC) -O2 -static -o $(BUILD)/workload/init $<
	cd $(BUILD)/workload && printf 'dev\ninit\n' | cpio --quiet -o -H newc >../workload.cpio
$(BUILD)/tests/%: tests/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $<
$(BUILD)/tests/scenes: $(call objects,tests/scenes/scenes.c tests/scenes/guests.S)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -pthread
$(BUILD)/tests/isolate/filter: $(call objects,tests/isolate/filter.c isolate/confine.c isolate/seccomp.c user/message.c)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lseccomp -pthread
$(BUILD)/tests/isolate/hold: $(call objects,tests/isolate/hold.c $(jail-src) user/message.c)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(BUILD)/tests/leaf: $(call objects,tests/leaf/leaf.c tests/leaf/guests.S)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(BUILD)/tests/spaces: $(call objects,tests/spaces/spaces.c tests/spaces/guests.S)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
# Modules that are wrong about the kernel: about a prototype, and about where an
# exit's reason is and the prototype of a function.
refuse:
	@tests/module-build "$(KDIR)" $(BUILD)/refuse -s KCFLAGS=-DKVMSTAT_WRONG_PROTOTYPE
misread:
	@tests/module-build "$(KDIR)" $(BUILD)/misread -s KCFLAGS='-DKVMSTAT_WRONG_REASON -DKVMSTAT_WRONG_FUNCTION'
test-programs: workload refuse misread $(BUILD)/tests/abi $(BUILD)/tests/leaf $(BUILD)/tests/scenes \
	$(BUILD)/tests/spaces $(BUILD)/tests/caps/refused \
	$(BUILD)/tests/debug/insmod_nth $(addprefix $(BUILD)/tests/isolate/,filter hold tty)

# What tests/bench/run runs, in the lab and here.
bench-programs: $(BUILD)/bench/lab/vcpus $(BUILD)/bench/lab/switches $(BUILD)/bench/core
$(BUILD)/bench/lab/vcpus: $(call objects,tests/bench/vcpus.c user/device.c user/message.c)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(BUILD)/bench/lab/switches: tests/bench/switches.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $<
$(BUILD)/bench/core: tests/bench/core.c module/tally.c $(wildcard module/*.h tests/unit/*.h)
	@mkdir -p $(@D)
	$(CC) -O2 -Itests/unit -o $@ $(filter %.c,$^)

### install: make install DESTDIR=… PREFIX=…, as root or into a directory of one's own

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
INCLUDEDIR ?= $(PREFIX)/include
UNITDIR ?= $(PREFIX)/lib/systemd/system
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
ZSHCOMPDIR ?= $(DATADIR)/zsh/site-functions
# Where DKMS, and where modprobe, look.
DKMSDIR ?= /usr/src/kvmstat-$(VERSION)
MODDIR ?= /lib/modules/$(RELEASE)/updates

VERSION := $(shell sed -n 's/^\#define KVMSTAT_VERSION "\(.*\)"/\1/p' user/version.h)
RELEASE = $(shell sed -n 's/^\#define UTS_RELEASE "\(.*\)"/\1/p' "$(KDIR)/include/generated/utsrelease.h")

# What goes where is said once: $(1) is put, or take. bash looks a completion up by
# its command's name.
define installed-files
	$(call $(1),755,$(BINDIR),$(addprefix $(BUILD)/,kvmstat-report kvmstat-guest isolate))
	$(call $(1),644,$(MANDIR)/man1,$(wildcard man/*.1))
	$(call $(1),644,$(MANDIR)/man4,$(wildcard man/*.4))
	$(call $(1),644,$(INCLUDEDIR),module/uapi/kvmstat.h)
	$(call $(1),644,$(DATADIR)/kvmstat,share/kvmstat.schema.json share/prometheus/kvmstat.rules.yml)
	$(call $(1),644,$(UNITDIR),$(wildcard share/systemd/*))
	$(call $(1),644,$(ZSHCOMPDIR),completion/_kvmstat)
	$(call $(1),644,$(BASHCOMPDIR),completion/kvmstat.bash)
	$(call $(1)-link,$(BASHCOMPDIR),kvmstat.bash,kvmstat-report kvmstat-guest isolate)
endef
define dkms-files
	$(call $(1),644,$(DKMSDIR),dkms.conf Kbuild COPYING)
	$(call $(1),644,$(DKMSDIR)/module,$(wildcard module/*.[ch]))
	$(call $(1),644,$(DKMSDIR)/module/uapi,module/uapi/kvmstat.h)
endef

# MODE, DIRECTORY, FILES
put = install -D -m $(1) -t "$(DESTDIR)$(2)" $(3)
take = rm -f $(foreach file,$(notdir $(3)),"$(DESTDIR)$(2)/$(file)")
# DIRECTORY, FILE in it, NAMES that lead to it, too
put-link = for name in $(3); do ln -sf $(2) "$(DESTDIR)$(1)/$$name" || exit; done
take-link = $(call take,,$(1),$(3))
# Only where nothing of somebody else's is in it.
take-directory = if [ -d "$(DESTDIR)$(1)" ]; then rmdir --ignore-fail-on-non-empty "$(DESTDIR)$(1)"; fi

install: tools
	$(call installed-files,put)
	sed -i 's|^ExecStart=kvmstat-report|ExecStart=$(BINDIR)/kvmstat-report|' \
		"$(DESTDIR)$(UNITDIR)/kvmstat-textfile.service"

uninstall:
	$(call installed-files,take)
	$(call take-directory,$(DATADIR)/kvmstat)

# For DKMS, which builds the module for each kernel that is installed.
install-dkms:
	$(call dkms-files,put)
	@echo 'The sources are there. Next: dkms install kvmstat/$(VERSION)'

uninstall-dkms:
	@if [ -z "$(DESTDIR)" ] && [ -d /var/lib/dkms/kvmstat/$(VERSION) ]; then \
		echo 'kvmstat: DKMS uses these sources: first, dkms remove kvmstat/$(VERSION) --all' >&2; exit 1; fi
	$(call dkms-files,take)
	$(call take-directory,$(DKMSDIR)/module/uapi)
	$(call take-directory,$(DKMSDIR)/module)
	$(call take-directory,$(DKMSDIR))

# Without DKMS: the module for KDIR's kernel.
install-module: module
	$(call put,644,$(MODDIR),$(BUILD)/$(RELEASE)/kvmstat.ko)
	$(if $(DESTDIR),,depmod $(RELEASE))

uninstall-module:
	$(call take,,$(MODDIR),kvmstat.ko)
	$(if $(DESTDIR),,depmod $(RELEASE))

### demo, tests

demo:
	@tests/deps build lab
	@CPU="$(CPU)" tests/demo

check:
	@tests/deps build lab style formats html install
	@tests/check

check-all:
	@tests/deps build lab style formats html install clangs
	@tests/check --all

check-debug:
	@tests/deps build lab debug
	@tests/debug/check

# BENCH='amd core': only these parts
bench:
	@tests/deps build lab bench
	@tests/bench/run $(BENCH)

style:
	@tests/deps build style
	@KDIR="$(KDIR)" tests/style.t

clean:
	rm -rf $(BUILD) kvmstat.ko

help:
	@echo 'make                tools into $(BUILD)/, the module into $(BUILD)/RELEASE/'
	@echo 'make KDIR=DIR       the same for another kernel'
	@echo 'make install        tools, man pages, completions, units: PREFIX=$(PREFIX), DESTDIR='
	@echo 'make install-dkms   the module for DKMS: its sources into $(DKMSDIR)'
	@echo 'make install-module the module for the kernel of KDIR, without DKMS'
	@echo 'make uninstall      and uninstall-dkms, uninstall-module: take away what these put there'
	@echo 'make demo           every exit of a real guest, with and without nested paging'
	@echo 'make demo CPU=intel the same on an Intel machine, for the catalogue of guests'
	@echo 'make check          the tests'
	@echo 'make check-all      and every kernel on every CPU, in both paging modes'
	@echo 'make check-debug    the module on a kernel with KASAN, lockdep, kmemleak, failing memory'
	@echo 'make bench          what it costs, and what others cost, in instructions'
	@echo 'make style          static checks'
	@echo 'make clean          removes what was built'

.PHONY: all tools module workload refuse misread test-programs bench-programs demo bench check check-all check-debug style clean help \
	install uninstall install-dkms uninstall-dkms install-module uninstall-module
