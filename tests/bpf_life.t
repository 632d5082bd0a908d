#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab, without the module: the BPF collector's whole life. VMs come and go, by
# the thousand; all its room is taken; the vendor module is reloaded below it; it is
# read at any moment; it is started, stopped, killed.
set -u
self=$(realpath "$0")
tests=$(dirname "$self")
. "$tests/tap.sh"
if [ -z "${LAB_OUT:-}" ]; then
	(cd "$tests/.." && make -s bench-programs KDIR="$("$tests/lab/kernel" 6.1)/build") || exit 1
fi
in_lab --mem 8192 --timeout 900
scenes=$tests/../build/tests/scenes
vcpus=$tests/../build/bench/lab/vcpus
cd "$(mktemp -d)" || exit 1
mount -t bpf bpf /sys/fs/bpf
report() { kvmstat-report --source bpf --format json; }
kvm_exits() { cat /sys/kernel/debug/kvm/exits; }

# Without the module, and without being asked.
kvmstat-report stat -o own.json -- kvmstat-guest run cpuid 2>err
is "$?/$(jq -c '[.source, ([.reasons[] | select(.name == "cpuid").exits] | add)]' own.json)" '0/["bpf",1002]' \
	'stat, with no module loaded, counts by BPF'
like "$(cat err)" '^kvmstat: no module loaded: counted by BPF, tp_btf$' '…and says so'
is "$(bpftool prog list | grep -c 'name exit_btf')" 0 '…and leaves nothing behind'
kvmstat-report 2>err
is $? 1 'show, with nothing that counts'
like "$(cat err)" 'no module loaded: run "sudo insmod kvmstat.ko" or use --source bpf' '…says what to do'
kvmstat-report stat --source module -- true 2>err
is $? 1 'the module, when it is asked for, is not BPF'

# The vendor module comes and goes below it.
kvmstat-report paging --source bpf -o paging.json -- kvmstat-guest run --count 300 touch 2>err
is "$?/$(cat err)" 0/ 'paging'
is "$(jq -c '[.before.source, .before.paging, .after.source, .after.paging]' paging.json)" \
	'["bpf","npt","bpf","shadow"]' '…in both modes, by BPF'
is "$(jq -c '[.before, .after] | map([.reasons[] | select(.class == "NESTED_PAGE_FAULT").exits] | add // 0) | .[0] >= 300 and .[1] == 0' paging.json)" true \
	'…with the exits of each'
is "$(cat /sys/module/kvm_amd/parameters/npt)" Y '…and the mode is as it was'

# Pinned, it counts without us, and through a reload.
ok 'start' kvmstat-report bpf start
fails 1 'a collector is there already' 'start again' kvmstat-report bpf start
before=$(kvm_exits)
mkfifo hold
exec 7<>hold
kvmstat-guest run --hold cpuid <hold 7>&- >guest.out &
until [ "$(report | jq .totals.exits)" = $(($(kvm_exits) - before)) ] || ! kill -0 $!; do sleep 0.1; done
is "$(report | jq .totals.exits)" $(($(kvm_exits) - before)) "exits = the increase of KVM's own counter"
is "$(report | jq -c '[.vms[] | [.comm, .alive, (.vcpus | length)]]')" '[["kvmstat-guest",true,1]]' 'a VM that lives'
exec 7>&-
wait
is "$(report | jq -c '[.vms[] | .alive]')" '[false]' '…and is known when it is gone'
rmmod kvm_amd && modprobe kvm_amd npt=0
kvmstat-guest run cpuid
rmmod kvm_amd && modprobe kvm_amd npt=1
is "$(report | jq -c '[.vms[] | [.reasons[]?, (.vcpus[].reasons[])] | map(select(.name == "cpuid").exits) | add]')" '[1002,1002]' \
	'it counts on where the vendor module was reloaded'
kvmstat-report >out 2>err
is "$?/$(sed -n 's/^Source: *//p' out)" 0/bpf 'it is read where there is no module'
like "$(kvmstat-report bpf status)" $'Attached: *tp_btf\n.*Counted: *2[0-9]{3} exits of 2 VMs \\(0 alive\\); 0 lost' 'status'
insmod "$KVMSTAT_KO"
is "$(kvmstat-report --format json | jq -r .source)" module 'the module comes first where it is loaded'
rmmod kvmstat

# By the thousand: each exit is counted, in a VM of its own or in the sum of the oldest.
exits=0
count=$(report | jq .totals.exits)
vms=$(rounds 2000)
eval "$("$scenes" churn "$vms" 4)"
report >churn.json
is "$(jq .totals.exits churn.json)" $((count + exits)) "$vms VMs: exits = the sum of KVM's statistics of every VM"
is "$(jq -c '[([.vms[] | select(.retired | not)] | length), .totals.lost, ([.vms[].id] | unique | length) == (.vms | length)]' churn.json)" \
	'[128,0,true]' '…of which 128 are still known one by one'
is "$(jq '[.vms[] | select(.retired | not) | .vcpus[] | .exits] | min >= 12' churn.json)" true '…each with its own'

# At any moment, and many at once.
"$scenes" churn 500 2 >/dev/null &
churn=$!
kvmstat-report --source bpf -i 0.01 -n 100 >out 2>err &
first=$!
kvmstat-report --source bpf -i 0.003 -n 300 --by vm,reason --format csv >out2 2>err2
is "$?/$(cat err2)" 0/ 'read as fast as it goes, while VMs come and go'
wait $first
is "$?/$(cat err)" 0/ '…and by another one'
wait $churn
# Stopped under somebody who reads it.
kvmstat-report stat --source bpf -- kvmstat-report bpf stop 2>err
is $? 1 'stop, in the midst of a window'
like "$(cat err)" 'the collector was stopped meanwhile: run it again' '…which is said'
is "$(bpftool prog list | grep -c 'name exit_btf')" 0 '…and it is gone'
mkdir /sys/fs/bpf/kvmstat
fails 1 'did not get to its end' 'start after half a start' kvmstat-report bpf start
ok 'stop mends that' kvmstat-report bpf stop
fails 1 'no collector is pinned' 'stop again' kvmstat-report bpf stop

# Somebody who measures is killed: nothing stays.
kvmstat-report stat --source bpf -- sleep 100 2>/dev/null &
tool=$!
until [ "$(bpftool prog list | grep -c 'name entry_btf')" = 1 ]; do sleep 0.1; done
kill -KILL $tool
pkill -x sleep
wait $tool 2>/dev/null
sleep 0.5
is "$(bpftool prog list | grep -c 'name entry_btf')" 0 'killed in the midst: the programs are gone'

# It comes while VMs run: what they did before it came is not its own.
kvmstat-guest run --count 100000000 port-out &
guest=$!
sleep 0.5
for _ in 1 2 3 4 5; do
	kvmstat-report bpf start 2>/dev/null
	report >running.json
	kvmstat-report stat --source bpf -o window.json -- sleep 0.2
	kvmstat-report bpf stop
	jq -c '[.totals.untraced, (.totals.exits > 0)]' window.json
done >windows
kill $guest
wait $guest 2>/dev/null
is "$(sort -u windows)" '[0,true]' 'started among VMs that run: nothing is untraced'

# More vCPUs than there is room for: theirs are lost, and said to be.
kvmstat-report bpf start 2>/dev/null
before=$(kvm_exits)
"$vcpus" --vcpus 2400 --exits 100 --rounds 1 >out 2>err &
pid=$!
wait $pid
is $? 0 '2,400 vCPUs at once'
report >full.json
is "$(jq '.totals.lost > 0' full.json)" true '…are too many: what is lost is counted'
like "$(kvmstat-report --source bpf)" 'lost' '…and said'
kvmstat-guest run cpuid
is "$(report | jq -c '[.vms[-1].vcpus[].reasons[] | select(.name == "cpuid").exits] | add')" 1002 'when they are gone there is room again'
kvmstat-report bpf stop
done_testing
