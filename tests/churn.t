#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab, on two CPUs: VMs without end, made, run and destroyed by four
# threads, while CPU 1 goes off and on line. No exit is lost or counted twice, no
# two VMs become one, and nothing stays behind but the bounded history.
set -u
self=$(realpath "$0")
. "$(dirname "$self")/tap.sh"
in_lab --smp 2 --timeout 1200
vms=$(rounds 10000)
scenes=$(dirname "$self")/../build/tests/scenes
online=/sys/devices/system/cpu/cpu1/online
cd "$(mktemp -d)" || exit 1

# All patching of code is done before there is load (see --smp in tests/lab/run --help).
exec 7< <("$scenes" hold)
holder=$!
read -r _ <&7
insmod "$KVMSTAT_KO"
"$scenes" churn 50 4 >/dev/null
echo 0 >$online && echo 1 >$online
rmmod kvmstat
insmod "$KVMSTAT_KO" history=1000
dmesg -C

# As many of each cache as are in use (the lab keeps caches apart: slab_nomerge).
records() { awk '$1 == "kvmstat_vcpu" { print $2 }' /proc/slabinfo; }
cells() { awk '$1 == "kvmstat_cell" { print $2 }' /proc/slabinfo; }
# What is kept by the page allocator's clients, in kB.
memory() { awk '/^(Slab|VmallocUsed):/ { s += $2 } END { print s }' /proc/meminfo; }

hotplug() {
	while :; do
		echo 0 >$online
		sleep 0.2
		echo 1 >$online
		sleep 0.2
	done
}

# The first 1,000 VMs stay in the history, each with its own.
exits=0
eval "$("$scenes" churn 1000 4)"
kvmstat-report --format json >first.json
is "$(jq '[.vms[] | select(.retired | not)] | length' first.json)" 1000 '1,000 VMs: as many identities'
is "$(jq '[.vms[].id] | unique | length' first.json)" 1000 '…and ids'
is "$(jq '[.vms[].vcpus[] | .exits] | min == 10 + 2' first.json)" true \
	'…each with its ten CPUIDs, a HLT and at least a page fault'
is "$(jq .totals.exits first.json)" "$exits" "exits = the sum of KVM's statistics of every VM"
before=$exits

hotplug &
plug=$!
kvmstat-report stat -o churn.json -- sh -c "$scenes churn $vms 4 >said"
is $? 0 "$vms VMs by 4 threads, with CPU 1 coming and going"
kill $plug
wait $plug 2>/dev/null
echo 1 >$online
eval "$(cat said)"
is "$(jq .totals.exits churn.json)" "$exits" "$vms VMs: exits = the sum of KVM's statistics"
is "$(jq .totals.lost churn.json)" 0 'none lost'
kvmstat-report --format json >after.json
is "$(jq .totals.exits after.json)" $((before + exits)) '…and since the module was loaded'
is "$(jq '[.vms[] | select(.retired | not)] | length' after.json)" 1000 '1,000 of them are kept one by one'
is "$(jq '[.vms[].id] | max' after.json)" $((1000 + vms)) 'the last one has the number that it should'
is "$(jq '[.vms[] | select(.retired | not) | .vcpus[] |
	.guest_cycles + .kernel_cycles + .user_cycles + .offcpu_cycles == .wall_cycles] | all' after.json)" true \
	'the time of each adds up'
echo "# $(records) records, $(cells) cells in use"
# The history, the retired VM, the spare ones, and what slabs keep per CPU.
ok 'no more records than the history needs' test "$(records)" -le 1150
full=$(memory)

# As many once more would fill as much again if anything stayed.
"$scenes" churn 1000 4 >/dev/null
sleep 1
ok '1,000 more VMs: memory as before, within 2 MB' \
	awk -v a="$full" -v b="$(memory)" 'BEGIN { exit !(b - a < 2048 && a - b < 20480) }'
kill $holder
rmmod kvmstat
is "$(grep -c ^kvmstat_ /proc/slabinfo)" 0 'rmmod: its caches are gone, with all that was in them'
is "$(dmesg -l emerg,alert,crit,err,warn | grep -v 'hrtimer: interrupt took')" '' 'no kernel message above notice'
done_testing
