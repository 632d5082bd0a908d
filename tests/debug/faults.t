#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab, on the debug kernel: memory runs out for kvmstat alone (failslab, by
# who is on the stack), at every allocation that loading does, and at random while
# VMs come and go, readers read, and KVM itself is reloaded. Nothing breaks, what was
# not counted is said to be lost, and with memory back all is as it was.
set -u
self=$(realpath "$0")
. "$(dirname "$self")/../tap.sh"
if [ -z "${LAB_OUT:-}" ]; then
	cd "$(dirname "$self")/../.." || exit 1
	dir=$(tests/lab/kernel 6.1-debug) || exit 1
	make -s module test-programs KDIR="$dir/build" || exit 1
	exec tests/lab/run --kernel "$dir" --timeout 1800 -- tests/debug/watched faults "$self"
fi
# tests/debug/watched runs it a second time, in the lab.
tree=$(dirname "$self")/../..
failslab=/sys/kernel/debug/failslab
counters=/sys/kernel/debug/kvm
cd "$(mktemp -d)" || exit 1

# Each failure would come with a stack trace. Allocations that may wait fail, too.
echo 0 >$failslab/verbose
echo N >$failslab/ignore-gfp-wait
relay 'loading' "$tree/build/tests/debug/insmod_nth" "$KVMSTAT_KO" check_prototypes=0
# To read the kernel's BTF takes thousands.
relay 'loading, with BTF' "$tree/build/tests/debug/insmod_nth" "$KVMSTAT_KO" '' 1
insmod "$KVMSTAT_KO"

# fail PERCENT: of the allocations with kvmstat's code among the callers
fail() {
	local size start
	read -r size start < <(awk '$1 == "kvmstat" { print $2, $6 }' /proc/modules)
	echo "$start" >$failslab/require-start
	printf '0x%x\n' $((start + size)) >$failslab/require-end
	echo 1 >$failslab/interval
	echo 1000000 >$failslab/times
	echo "$1" >$failslab/probability
}
# Prints how many have failed.
recover() {
	echo 0 >$failslab/probability
	echo $((1000000 - $(cat $failslab/times)))
}
wait_for_guests() {
	while pgrep -x kvmstat-guest >/dev/null; do sleep 0.1; done
}

# No allocation at all, and more VMs at once than there can be spares for. They stand
# until they were looked at: KVM forgets the counters of one with it.
many=80
mkfifo hold
exec 7<>hold
echo 1 >/sys/kernel/debug/kvmstat/reset
before=$(cat $counters/exits)
fail 100
for _ in $(seq $many); do
	kvmstat-guest run --hold --count 20 cpuid <hold >/dev/null 7>&- &
done
# Each has 20 CPUIDs and the OUT that ends it.
for _ in $(seq 600); do
	[ $(($(cat $counters/exits) - before)) -lt $((many * 21)) ] || break
	sleep 0.5
done
sleep 1
failed=$(recover)
kvmstat-report show --format json >held.json
is "$(jq '.totals.exits + .totals.lost' held.json)" $(($(cat $counters/exits) - before)) \
	"no memory: of $many VMs' exits each is counted or lost"
is "$(jq '.totals.exits == ([.reasons[].exits] | add)' held.json)" true '…and the reasons add up'
echo "# $failed allocations failed; $(jq -c '.totals | {exits, lost}' held.json)"
exec 7>&-
wait_for_guests
wait
ok 'they end' rmmod kvmstat
insmod "$KVMSTAT_KO" history=2

# Half of them fail, whoever asks.
many_vms() { while :; do kvmstat-guest run --count 50 cpuid; done; }
readings() { while :; do cat /sys/kernel/debug/kvmstat/{vms,reasons}; kvmstat-report show --format json; done; }
resets() { while :; do echo 1 >/sys/kernel/debug/kvmstat/reset; sleep 0.2; done; }
fail 50
jobs=''
for job in many_vms many_vms readings resets; do
	$job >/dev/null 2>&1 &
	jobs="$jobs $!"
done
sleep 30
failed=$(recover)
# shellcheck disable=SC2086 # a list of numbers
kill $jobs
wait
wait_for_guests
is $((failed > 0)) 1 'VMs, readers, resets and evictions while half of the allocations fail'
echo "# $failed allocations failed"

relay 'with memory again' kvmstat-guest verify hello cpuid touch
kvmstat-report show --format json >after.json
is "$(jq '.totals.exits > 0 and .totals.exits == ([.reasons[].exits] | add)' after.json)" true \
	'the totals add up'

# KVM comes and goes: the probes are attached anew each time, or are not.
reloads() {
	for _ in $(seq 20); do
		modprobe -r kvm_amd kvm && modprobe kvm_amd || return
		kvmstat-guest run hello >/dev/null || return
	done
}
fail 20
ok '20 rounds of kvm itself while a fifth of the allocations fail' reloads
failed=$(recover)
echo "# $failed allocations failed"
modprobe -r kvm_amd kvm && modprobe kvm_amd
relay 'KVM reloaded, with memory again' kvmstat-guest verify hello cpuid
ok 'rmmod' rmmod kvmstat
done_testing
