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

# The host swaps a guest's pages out, into memory.
if modprobe -q zram; then
	ok 'swap' sh -c 'echo 128M >/sys/block/zram0/disksize && mkswap /dev/zram0 && swapon /dev/zram0'
	out=$(kvmstat-guest verify page-out)
	is "$?/$(grep -c SKIP <<<"$out")" 0/0 'npt=1: pages that the host swapped out'
	modprobe -r kvm_amd && modprobe kvm_amd npt=0
	relay 'npt=0, with swap' kvmstat-guest verify page-out
	modprobe -r kvm_amd && modprobe kvm_amd npt=1
	swapoff /dev/zram0
else
	ok 'pages that the host swapped out # SKIP this kernel has no zram' true
fi

# A comparison that cannot fail proves nothing: exits of another guest of
# ours in the same window must not be mistaken for the verified one's.
kvmstat-guest run --count 50000 cpuid &
relay 'beside another VM' kvmstat-guest verify cpuid msr-read touch
wait
rmmod kvmstat
out=$(kvmstat-guest verify --source module hello 2>&1)
is $? 1 'without the module, verify --source module fails'
like "$out" 'no module loaded' '…and says why'
done_testing
