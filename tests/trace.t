#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: guests of the catalogue, one after the other, while something else
# wants the CPU, too, with every event traced. What kvmstat says in sums and
# histograms is computed from the trace again, event by event (tests/trace.pl):
# each vCPU's wall clock, its four parts, percentiles.
#
# The trace's clock is the TSC, which counts instructions here. A trace event's
# time is not quite ours: each of them is taken some hundred instructions off the
# other.
set -u
here=$(realpath "$(dirname "$0")")
. "$here/tap.sh"
in_lab --icount --load
tracing=/sys/kernel/tracing
dir=$(mktemp -d)
cd "$dir" || exit 1

echo x86-tsc >$tracing/trace_clock
echo 'p:vm_gone kvm_arch_pre_destroy_vm' >$tracing/kprobe_events
echo 1 >$tracing/events/kprobes/vm_gone/enable
echo 60000 >$tracing/buffer_size_kb
for event in kvm/kvm_exit kvm/kvm_entry kvm/kvm_fpu kvm/kvm_userspace_exit; do
	echo 1 >"$tracing/events/$event/enable"
done
echo 'prev_comm ~ "kvmstat-guest*" || next_comm ~ "kvmstat-guest*"' >$tracing/events/sched/sched_switch/filter
echo 1 >$tracing/events/sched/sched_switch/enable
guests() {
	local guest
	for guest in cpuid hlt port-out mmio msr-read msr-write touch; do
		kvmstat-guest run --count 4000 $guest || return
	done
}
export -f guests
while :; do :; done &
busy=$!
kvmstat-report stat -o window.json -- bash -c guests
is $? 0 'a window over guests'
kill $busy
echo 0 >$tracing/tracing_on
is "$(cat $tracing/per_cpu/cpu*/stats | awk '/overrun|dropped|lost/ { s += $NF } END { print s }')" 0 'the trace is whole'
relay 'trace' perl "$here/trace.pl" window.json $tracing/trace
done_testing
