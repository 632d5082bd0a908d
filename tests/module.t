#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: loading in either order, refusing what does not match, the
# device's ABI, VMs that are gone, resets, debugfs.
set -u
. "$(dirname "$0")/tap.sh"
in_lab
tree=$(realpath "$(dirname "$0")/..")
debugfs=/sys/kernel/debug/kvmstat
total() { awk '$1 == "total" { print $2 }' $debugfs/reasons; }
count() { awk -v r="$1" '$1 == r { print $2 }' $debugfs/reasons; }
vms() { grep -c '^vm .*'"$1" $debugfs/vms; }

# Before kvm, and after it.
modprobe -r kvm_amd kvm
ok 'insmod without kvm' insmod "$KVMSTAT_KO"
modprobe kvm_amd
kvmstat-guest run hello >/dev/null
is "$(count io)/$(count hlt)" 14/1 'kvm loaded later: its exits are counted'
ok 'rmmod' rmmod kvmstat
ok 'insmod with kvm there' insmod "$KVMSTAT_KO"
kvmstat-guest run hello >/dev/null
is "$(count io)/$(count hlt)" 14/1 'its exits are counted'
ok 'kvmstat does not pin kvm' modprobe -r kvm_amd kvm
modprobe kvm_amd
insmod "$KVMSTAT_KO" 2>/dev/null
is $? 1 'a second copy is refused'

relay 'device' "$tree/build/tests/abi"

# VMs that are gone keep their numbers, pid and name.
echo 1 >$debugfs/reset
is "$(total)" 0 'reset through debugfs'
kvmstat-guest run hello >/dev/null &
pid=$!
wait $pid
is "$(awk '/^vm /' $debugfs/vms | sed 's/^vm [0-9]* *//; s/  */ /g')" \
	"pid $pid comm kvmstat-guest gone" 'a VM that is gone keeps its pid and name'
ok 'rmmod' rmmod kvmstat

# A bounded number of them is kept; the totals keep everything.
ok 'insmod history=3' insmod "$KVMSTAT_KO" history=3
for _ in 1 2 3 4 5 6 7; do
	kvmstat-guest run hello >/dev/null
done
sleep 1		# the oldest are put away by a worker
is "$(vms gone)" 3 'the last 3 VMs are kept one by one'
is "$(vms 'no longer kept')" 1 '…the others in sum'
is "$(count io)/$(count hlt)" 98/7 '…and every exit is still there'
before=$(total)
kvmstat-guest run hello >/dev/null
sleep 1
is "$(count io)/$(count hlt)" 112/8 'a further VM only adds'
is "$(($(total) > before))" 1 'the total grows'
rmmod kvmstat

# Prototypes: what does not match is refused, by name.
dmesg -C
insmod "$tree/build/refuse/$(uname -r)/kvmstat.ko" 2>/dev/null
is $? 1 'a wrong prototype: insmod fails'
like "$(dmesg)" 'kvm_exit: this kernel calls probes as "void \(void \*, struct kvm_vcpu \*, u32\)", kvmstat expects "void \(void \*, int\)"' \
	'…and the kernel log names the mismatch'
is "$(lsmod | grep -c kvmstat)" 0 '…and nothing is loaded'
modprobe -r kvm_amd kvm
insmod "$tree/build/refuse/$(uname -r)/kvmstat.ko" && modprobe kvm_amd
is "$(dmesg | grep -c 'not attached to kvm')" 2 'kvm coming later: the same refusal'
kvmstat-guest run hello >/dev/null
is "$(total)" 0 '…nothing is counted, nothing breaks'
done_testing
