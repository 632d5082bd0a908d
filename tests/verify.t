#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: every guest of the catalogue, under nested and shadow paging, and
# beyond its default count.
set -u
. "$(dirname "$0")/tap.sh"
in_lab --load

is "$(kvmstat-guest run hello)" 'Hello, world!' 'a guest that speaks'
relay 'npt=1' kvmstat-guest verify
relay 'npt=1, one operation' kvmstat-guest verify --count 1
modprobe -r kvm_amd && modprobe kvm_amd npt=0
relay 'npt=0' kvmstat-guest verify
relay 'npt=0, one operation' kvmstat-guest verify --count 1
relay 'npt=0, as many as there is room for' kvmstat-guest verify --count 15000 touch touch-again
modprobe -r kvm_amd && modprobe kvm_amd npt=1
relay 'npt=1, as many as there is room for' kvmstat-guest verify --count 15000 touch touch-again

# A comparison that cannot fail proves nothing: exits of another guest of
# ours in the same window must not be mistaken for the verified one's.
kvmstat-guest run --count 50000 cpuid &
relay 'beside another VM' kvmstat-guest verify cpuid msr-read touch
wait
rmmod kvmstat
out=$(kvmstat-guest verify hello 2>&1)
is $? 1 'without the module, verify fails'
like "$out" 'no module loaded' '…and says why'
done_testing
