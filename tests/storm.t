#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: the module comes and goes while guests exit without pause, and
# KVM comes and goes while the module stays. The kernel has nothing to say.
#
# One CPU: with two, TCG may translate an instruction while the other CPU pokes
# an int3 over it, and then trap on it for ever (see --smp in tests/lab/run --help).
set -u
. "$(dirname "$0")/tap.sh"
in_lab --timeout 600
ko=$KVMSTAT_KO

# The first load of any out-of-tree module taints the kernel and says so.
insmod "$ko" && rmmod kvmstat
dmesg -C

exits_without_end() {
	while kvmstat-guest run --count 100000 cpuid; do :; done
}

insmod_rounds() {
	local i
	for i in $(seq "$(rounds 200)"); do
		insmod "$ko" || return
		# Every fourth round has a reader in it, too.
		if [ $((i % 4)) -eq 0 ]; then
			cat /sys/kernel/debug/kvmstat/vms >/dev/null || return
		fi
		rmmod kvmstat || return
	done
}

exits_without_end >/dev/null &
load=$!
sleep 0.5
ok "$(rounds 200) rounds of insmod and rmmod under exits" insmod_rounds
insmod "$ko"
sleep 1
is "$(awk '$1 == "cpuid" { print ($2 > 100) }' /sys/kernel/debug/kvmstat/reasons)" 1 \
	'the module then counts the running guest'
kill "$load"
wait "$load" 2>/dev/null
# the last one ends by itself
while pgrep -x kvmstat-guest >/dev/null; do sleep 0.1; done

# Everything that the registry does at once: VMs come and go, most are put away
# at once (history=1), snapshots, resets, and the module itself goes. A reset
# spoils a window by design, so only the reading itself must not fail.
many_vms() { while kvmstat-guest run hello; do :; done; }
resets() { while echo 1 >/sys/kernel/debug/kvmstat/reset; do :; done; }
readings() { while kvmstat-report show --format json; do :; done; }
registry_rounds() {
	local i jobs
	for i in $(seq "$(rounds 10)"); do
		insmod "$ko" history=1 || return
		jobs=''
		for job in many_vms many_vms resets readings; do
			$job >/dev/null 2>&1 &
			jobs="$jobs $!"
		done
		sleep 1
		kvmstat-report show --format json >last.json || return
		# shellcheck disable=SC2086 # a list of numbers
		kill $jobs
		wait
		while pgrep -x kvmstat-guest >/dev/null; do sleep 0.1; done
		rmmod kvmstat || return
		jq -e '.totals.lost == 0 and .totals.exits == ([.reasons[].exits] | add // 0)' \
			last.json >/dev/null || return
	done
}
cd /tmp || exit 1
rmmod kvmstat
ok "$(rounds 10) rounds of VMs, resets, snapshots and evictions at once" registry_rounds
insmod "$ko"

vendor_rounds() {
	for _ in $(seq "$(rounds 20)"); do
		modprobe -r kvm_amd || return
		modprobe kvm_amd || return
	done
}
ok "$(rounds 20) rounds of kvm_amd with the module loaded" vendor_rounds
kvm_rounds() {
	for _ in $(seq "$(rounds 5)"); do
		modprobe -r kvm_amd kvm || return
		modprobe kvm_amd || return
		kvmstat-guest run cpuid || return
	done
}
before=$(awk '$1 == "total" { print $2 }' /sys/kernel/debug/kvmstat/reasons)
ok "$(rounds 5) rounds of kvm itself" kvm_rounds
after=$(awk '$1 == "total" { print $2 }' /sys/kernel/debug/kvmstat/reasons)
is "$((after > before))" 1 'the module counts on after kvm was reloaded'
rmmod kvmstat
# hrtimer's line tells only that the emulator was held up by its own host.
is "$(dmesg -l emerg,alert,crit,err,warn | grep -v 'hrtimer: interrupt took')" '' \
	'no kernel message above notice'
done_testing
