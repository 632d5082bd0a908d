#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: a Linux boot on 2 vCPUs, counted four ways in the same window:
# by kvmstat, by KVM's own 'exits' counter, by perf and by ftrace's histogram.
# And each vCPU's wall clock by ftrace's clock.
set -u
here=$(realpath "$(dirname "$0")")
. "$here/tap.sh"
in_lab --load
tracing=/sys/kernel/tracing
event=$tracing/events/kvm/kvm_exit
dir=$(mktemp -d)
cd "$dir" || exit 1

# exit_reason is the raw code; 'val' sums it up as decimal numbers
echo 'hist:keys=exit_reason:size=1024' >"$event/trigger"
echo x86-tsc >$tracing/trace_clock
echo 'p:vm_gone kvm_arch_pre_destroy_vm' >$tracing/kprobe_events
echo 1 >$tracing/events/kprobes/vm_gone/enable
echo 60000 >$tracing/buffer_size_kb
for name in kvm_exit kvm_entry kvm_fpu kvm_userspace_exit; do
	echo 1 >"$tracing/events/kvm/$name/enable"
done
echo 'prev_comm ~ "qemu*" || next_comm ~ "qemu*"' >$tracing/events/sched/sched_switch/filter
echo 1 >$tracing/events/sched/sched_switch/enable
kvm_before=$(cat /sys/kernel/debug/kvm/exits)
perf stat -a -x, -e kvm:kvm_exit -o perf.csv -- \
	kvmstat-report stat -o window.json -- \
	"$here/workload/boot" --smp 2 --hold "$dir/pid"
is $? 0 'the window over a boot of 2 vCPUs'
kvm_after=$(cat /sys/kernel/debug/kvm/exits)
echo 0 >$tracing/events/enable
kill "$(cat "$dir/pid")"
relay 'clocks' perl "$here/trace.pl" --clocks window.json $tracing/trace

exits=$(jq .totals.exits window.json)
untraced=$(jq .totals.untraced window.json)
traced=$((exits - untraced))
is "$exits" $((kvm_after - kvm_before)) "exits = the increase of KVM's own counter"
is "$traced" "$(awk -F, '/kvm_exit/ { print $1 }' perf.csv)" 'exits less untraced = hits as perf counts them'
is "$(jq .totals.lost window.json)" 0 'none lost'
is "$(jq '.vms | length' window.json)/$(jq '.vms[0].vcpus | length' window.json)" 1/2 'one VM with 2 vCPUs'

# { exit_reason: 1024 } hitcount: 5841
sed -n 's/^{ exit_reason: *\([0-9]*\) } hitcount: *\([0-9]*\)$/\1 \2/p' "$event/hist" | sort >ftrace
jq -r '.reasons[] | select(.exits > 0) | "\(.code % 4294967296) \(.exits)"' window.json | sort >ours
if [ "$untraced" -eq 0 ]; then
	is "$(cat ours)" "$(cat ftrace)" 'the same per reason as the hist trigger'
else
	# Untraced exits are in their reason; only their sum can be compared.
	is "$(awk '{ s += $2 } END { print s }' ours)" \
		"$(awk -v u="$untraced" '{ s += $2 } END { print s + u }' ftrace)" \
		'the same sum as the hist trigger, with the untraced'
fi
# One vCPU that does nothing but exit: what it spent in and out of the guest is
# most of the window, and never more than all of it.
kvmstat-report stat -o busy.json -- kvmstat-guest run --count 200000 cpuid
is "$(jq '(.totals.cycles + .totals.guest_cycles) / (.window_ns * .tsc_khz / 1e6) |
	. > 0.5 and . <= 1' busy.json)" true 'cycles in and out of the guest add up to the time there was'
is "$(jq '.reasons[] | select(.name == "cpuid") | .exits == 200002 and .cycles > .exits * 100' busy.json)" \
	true '…and CPUID has its exits and their cycles'
echo "# $exits exits, $untraced untraced, $(wc -l <ours) reasons"
echo '!hist:keys=exit_reason' >"$event/trigger"
done_testing
