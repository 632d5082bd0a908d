#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that sees its own exits: guests whose exits are known in advance
# (tests/leaf) ask for them by CPUID and by hypercall, and get exactly those
# numbers; which reasons there are and which of them KVM handles, held against
# KVM's own tables; what is off answers as an untouched kernel; VMs do not see
# each other; all of it while probes, the module and KVM come and go.
set -u
self=$(realpath "$0")
. "$(dirname "$self")/tap.sh"
cd "$(dirname "$self")/.." || exit 1
tree=$PWD
version=${KVMSTAT_KERNEL:-6.1}

if [ -z "${LAB_OUT:-}" ]; then
	modules=$(tests/lab/kernel "$version")/lib/modules || exit 1
	mkdir -p build/leaf || exit 1
	for table in kvm-amd:svm_exit_handlers kvm-intel:kvm_vmx_exit_handlers; do
		ko=${table%:*}
		tests/leaf/handlers "$(find "$modules" -name "$ko.ko")" "${table#*:}" >"build/leaf/$ko" || exit 1
	done
	# A 7.2 kernel does not boot in a VM under QEMU's emulated SVM, whoever watches.
	guest=''
	! everything || guest=$(tests/lab/kernel 6.1)/vmlinuz || exit 1
	[ $# -gt 0 ] || set -- amd intel
	for cpu; do
		relay "$cpu" tests/lab/run --cpu "$cpu" --kernel "$version" --timeout 400 \
			--add build/leaf -- "$self" "$cpu" "$guest"
	done
	done_testing
fi

cpu=$1
total=0x4fffffff exits_of=0x4ffffffe cycles_of=0x4ffffffd
number=0x4b564d53
parameters=/sys/module/kvmstat/parameters
if [ "$cpu" = amd ]; then
	rounds=20 vendor=kvm_amd cpuid=0x72 io=0x7b hypercall=0x81 rdtsc=0x6e
	# Beyond tables; the third is SEV's, and no EXITCODE.
	undefined='0xa7 0x3ff 0x80000001 0xfffffffb'
	scan="$(seq 0 180) $(seq 1000 1040) $((0xf0000000)) $((0xffffffff))"
else
	rounds=8 vendor=kvm_intel cpuid=10 io=30 hypercall=18 rdtsc=16
	undefined='35 38 42 65 200 0x8000000a'
	scan="$(seq 0 120)"
fi
cd "$(mktemp -d)" || exit 1

told=$tree/build/tests/leaf
. "$tree/tests/told.sh"
# says VM THING ANSWER NAME
says() {
	tell "$1" "$2"
	is "$answer" "$3" "$4"
}
# exits VM REASON N NAME: leaf 0x4ffffffe has N, of a reason that is handled
exits() { says "$1" "leaf $exits_of $2" "$(printf '%x 1 0 0' "$3")" "$4"; }
report() { kvmstat-report --vm "${pid[$1]}" --format json; }
kernel_cycles() { report "$1" | jq "[.reasons[] | select(.code == $(($2))) | .kernel_cycles] | add"; }
switch() { echo "$1" >$parameters/guest_leaf; }

# What every way to ask is answered.
questions() {
	local mode leaf
	for mode in real long; do
		echo "mode $mode"
		for leaf in 0x4ffffffc $cycles_of $exits_of $total 0x50000000 0; do
			echo "leaf $leaf 0"
			echo "leaf $leaf $cpuid"
		done
		echo "call $number 0 0"
		echo "call $number 2 $cpuid"
	done
}
questions >everything
everything_now() { "$tree/build/tests/leaf" <everything; }

# Off
everything_now >untouched
is "$(sort untouched | grep -c -e fffffffffffffc18 -e '^fffffc18$')" 4 'untouched: the hypercall is unknown'
insmod "$KVMSTAT_KO"
dmesg -C	# it has said that it is no module of the kernel's own
is "$(cat $parameters/guest_leaf) $(cat $parameters/guest_leaf_scope)" 'N vm' 'off by default, and for the VM alone'
everything_now >off
is "$(cat off)" "$(cat untouched)" 'off: all answers as without the module'
start a
ok 'switched on at run time' switch 1
is "$(cat $parameters/guest_leaf)" Y '…and it says so'

# What a guest did is what it is told.
tell a cpuid 7
tell a out 5
exits a $cpuid 8 'N CPUIDs: N, and the one that asks'
exits a $io 5 'M port writes: M'
exits a $cpuid 10 '…and each that asked'
exits a $hypercall 0 'no hypercall yet, but one that KVM would handle'
tell a mode long
says a "call $number 2 $cpuid" b 'the hypercall says the same (64-bit mode)'
says a "call $number 2 $io" 5 '…of port writes, too'
exits a $hypercall 2 '…and is counted itself'
says a "leaf $exits_of $cpuid" 'd 1 0 0' 'in 64-bit mode the same leaf'
tell a mode user
says a "leaf $exits_of $cpuid" 'e 1 0 0' '…and at CPL 3'
says a "call $number 0 0" ffffffffffffffff 'a hypercall at CPL 3: KVM_EPERM, as all have'
tell a mode real
says a "call $number 2 $cpuid" e 'the hypercall in real mode'

# Nothing but a HLT comes between the question and the report (and the host's timer).
tell a leaf $total 0
read -r eax ebx ecx edx <<<"$answer"
report a >a.json
was=$(((0x$edx << 32) + 0x$eax))
late=$(($(jq .totals.exits a.json) - was))
# shellcheck disable=SC2016 # jq's own variables
ok "all exits ($was) = those of the report, less what follows the question ($late)" \
	jq -e --argjson late "$late" '([.reasons[] | select(.class == "INTERRUPT") | .exits] | add // 0) as $timer |
		$late >= 1 and $late <= 1 + $timer' a.json
asked=$(((0x$ebx << 32) + 0x$ecx))
done_before=$(kernel_cycles a $cpuid)
tell a leaf $cycles_of $cpuid
read -r eax ebx ecx edx <<<"$answer"
is "$eax $(((0x$ebx << 32) + 0x$ecx)) $edx" "0 $done_before 0" \
	"cycles of a reason = kernel cycles of all that were over"
done_before=$(kernel_cycles a $cpuid)
tell a call $number 3 $cpuid
is $((0x$answer)) "$done_before" '…by hypercall, too'
tell a mode long
tell a call $number 1 0
later=$((0x$answer))
all=$(report a | jq .totals.kernel_cycles)
ok 'cycles in all: between those before and after' test "$asked" -lt $later -a $later -le "$all"
tell a call $number 0 0
all=$(report a | jq .totals.exits)
ok 'exits in all by hypercall' test $((0x$answer)) -gt "$was" -a $((0x$answer)) -lt "$all"

# Reasons
for reason in $undefined; do
	says a "leaf $exits_of $reason" '0 0 0 ffffffff' "reason $reason is not defined"
done
says a "leaf $cycles_of ${undefined%% *}" '0 0 0 ffffffff' '…nor are its cycles'
says a "leaf $exits_of $rdtsc" '0 0 0 0' 'RDTSC is defined, but not handled by this KVM'
says a "leaf $cycles_of $rdtsc" '0 0 0 0' '…and has no cycles'
says a "call $number 2 ${undefined%% *}" ffffffffffffffea 'by hypercall: KVM_EINVAL for what is not defined'
says a "call $number 2 $rdtsc" 0 '…0 for what is not handled'
says a "call $number 4 0" ffffffffffffffea '…KVM_EINVAL for an operation that there is not'
says a "call $((number + 1)) 0 0" fffffffffffffc18 'another number is KVM_ENOSYS still'
says a "call $((number + (1 << 32))) 0 0" fffffffffffffc18 '…and one with high bits, in 64-bit mode'
for reason in $scan; do echo "leaf $exits_of $reason"; done >codes
"$tree/build/tests/leaf" <codes >scanned
# shellcheck disable=SC2086 # a list of numbers
is "$(printf '%s\n' $scan | paste -d ' ' - scanned | awk '$3 == 1 { print $1 }')" \
	"$(cat "$tree/build/leaf/${vendor/_/-}")" "EBX is 1 for what is in KVM's table of handlers, and for no other"

# More than one vCPU, more than one VM
exits a $io 7 'vCPU 0 alone (at CPL 3 each thing ends with a port write)'
tell a vcpu 1
tell a out 20
tell a mode long
says a "call $number 2 $io" 1b 'two vCPUs: their sum'
start b
tell b out 3
exits b $io 3 'another VM: its own only'
exits a $io 27 '…and the first one its own'
echo host >$parameters/guest_leaf_scope
is "$(cat $parameters/guest_leaf_scope)" host 'scope host'
sum=$(kvmstat-report --format json | jq "[.reasons[] | select(.code == $((io))) | .exits] | add")
ok '…there are those of both, and of VMs that are gone' test "$sum" -ge 30
says b "leaf $exits_of $io" "$(printf '%x 1 0 0' "$sum")" '…and each is told of all'
echo vm >$parameters/guest_leaf_scope
exits b $io 3 'back to scope vm'
for wrong in guest_leaf=2 guest_leaf_scope=all; do
	status=0
	echo "${wrong#*=}" 2>/dev/null >$parameters/${wrong%=*} || status=1
	is $status 1 "$wrong is refused"
	like "$(dmesg | tail -n 1)" "kvmstat: ${wrong%=*} is .*: not changed" '…and the kernel log says so'
done
exits b $io 3 '…and nothing has changed'
echo 1 >/sys/kernel/debug/kvmstat/reset
exits b $cpuid 1 'after a reset: only the one that asks'
exits b $io 0 '…and nothing of before'

# Off again, on again, and what comes and goes
ok 'switched off at run time' switch 0
everything_now >off
is "$(cat off)" "$(cat untouched)" 'off again: all answers as without the module'
finish a
finish b
without_end() { while echo 'mode long' && echo 'ask 300'; do :; done; }
switching() {
	local i
	for i in $(seq $rounds); do
		switch 1 && echo host >$parameters/guest_leaf_scope || return
		switch 0 && echo vm >$parameters/guest_leaf_scope || return
		switch 1 || return
		[ $((i % 4)) -ne 0 ] || { rmmod kvmstat && insmod "$KVMSTAT_KO"; } || return
	done
}
"$tree/build/tests/leaf" < <(without_end 2>/dev/null) >asked &
hammering=$!
ok "$rounds rounds of switching, rmmod and insmod while a guest asks" switching
ok '…and it was asking all the time' kill $hammering
wait $hammering 2>/dev/null
ok "…($(wc -l <asked) times 300)" test -s asked
switch 1
ok "KVM itself is not pinned" modprobe -r $vendor kvm
modprobe $vendor
start a
tell a out 6
exits a $io 6 'KVM was reloaded: its guests are answered'
finish a
rmmod kvmstat
everything_now >off
is "$(cat off)" "$(cat untouched)" 'rmmod while it is on: all answers as before'
modprobe -r $vendor kvm
insmod "$KVMSTAT_KO" guest_leaf=1 guest_leaf_scope=host
is "$(cat $parameters/guest_leaf) $(cat $parameters/guest_leaf_scope)" 'Y host' 'switched on by insmod, before kvm'
modprobe $vendor
start a
tell a out 6
exits a $io 6 '…guests are answered once it is there'
finish a
if [ "$cpu" = intel ]; then
	# Without EPT there is no unrestricted guest either.
	rmmod kvm_intel && modprobe kvm_intel ept=0
	echo vm >$parameters/guest_leaf_scope
	start a
	tell a mode emulated
	tell a cpuid 3
	says a "leaf $exits_of $cpuid" '0 1 0 0' 'a CPUID that KVM emulates without an exit of its own is answered, too'
	tell a leaf $total 0
	ok '…with the exits that no event told of' test "$((0x${answer%% *}))" -gt 0
	finish a
fi
rmmod kvmstat
is "$(dmesg -l emerg,alert,crit,err,warn | grep -v -e 'hrtimer: interrupt took' -e 'not changed$')" '' \
	'no kernel message above notice, but of what was refused'

# Functions that are not what they should be; built for the first of the kernels
wrong=$tree/build/misread/$(uname -r)/kvmstat.ko
if [ -f "$wrong" ]; then
	dmesg -C
	insmod "$wrong" guest_leaf=1
	is "$(cat $parameters/guest_leaf)" N 'a function with another prototype: not switched on'
	like "$(dmesg)" 'kvm_cpuid: in this kernel it is "bool \(struct kvm_vcpu \*, u32 .*guest_leaf stays off' \
		'…and the kernel log says why'
	switch 1 2>/dev/null
	is $? 1 '…nor at run time'
	everything_now >off
	is "$(cat off)" "$(cat untouched)" '…and all answers are as without the module'
	rmmod kvmstat
fi

# A Linux guest
if [ "$cpu" = amd ] && [ -n "$2" ]; then
	insmod "$KVMSTAT_KO" guest_leaf=1
	"$tree/tests/workload/boot" --kernel "$2" --init leaf --console console >boot.log 2>&1 &
	boot=$!
	for _ in $(seq 600); do
		grep -q '^leaf: ' console 2>/dev/null && break
		sleep 0.1
	done
	# The last look before the report, and the first after it: of one the CPUID may be
	# done, while its line is not here yet.
	looks=$(grep -c '^leaf: ' console)
	kvmstat-report --format json >linux.json
	next=$(($(grep -c '^leaf: ' console) + 1))
	wait $boot
	is $? 0 'a Linux guest came and went'
	mapfile -t saw < <(sed -n 's/^leaf: exits \([0-9]*\) cycles \([0-9]*\).*/\1 \2/p' console)
	before=${saw[looks - 1]:-0 0} after=${saw[next]:-0 0}
	echo "# of ${#saw[@]} looks it saw $before and $after, the report $(jq -c '[.totals.exits, .totals.kernel_cycles]' linux.json)"
	# shellcheck disable=SC2016
	ok "…it saw as many exits as the report, but for those between two looks" \
		jq -e --argjson a "${before% *}" --argjson b "${after% *}" \
		'.totals.exits >= $a and .totals.exits <= $b and $a > 10000' linux.json
	# shellcheck disable=SC2016
	ok '…and as many cycles' \
		jq -e --argjson a "${before#* }" --argjson b "${after#* }" \
		'.totals.kernel_cycles >= $a and .totals.kernel_cycles <= $b and $a > 0' linux.json
	rmmod kvmstat
fi
done_testing
