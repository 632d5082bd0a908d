#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where a second goes. In each scene (tests/scenes) one second belongs in one
# column, and is found there to within 2 %, and in no other. Then the exits that
# fire no event.
#
# On both machines time is counted in instructions here, so a busy host does not
# show. What is left of the 2 % is the timer's own exits and how exactly the
# scene itself can tell a second.
set -u
self=$(realpath "$0")
. "$(dirname "$self")/tap.sh"
cd "$(dirname "$self")/.." || exit 1
scenes=$PWD/build/tests/scenes

if [ -z "${LAB_OUT:-}" ]; then
	relay amd tests/lab/run --icount --load -- "$self" amd
	relay intel tests/lab/run --cpu intel --load --timeout 600 -- "$self" intel
	done_testing
fi
cpu=$1
dmesg -C
event=/sys/kernel/tracing/events/kvm/kvm_exit
cd "$(mktemp -d)" || exit 1

# window SCENE…: window.json, and what the scene says of itself in $ns and $exits
ns='' exits='' reason=''
window() {
	# shellcheck disable=SC2016 # for the inner shell
	kvmstat-report stat -o window.json -- sh -c '"$0" "$@" >said' "$scenes" "$@"
	is $? 0 "$1: the scene"
	eval "$(cat said)"
	is "$(jq .totals.exits window.json)" "$exits" "$1: as many exits as KVM's statistics say"
	is "$(jq '.vms | length' window.json)" 1 "$1: one VM"
	is "$(jq '.vms[0].vcpus[0] | .guest_cycles + .kernel_cycles + .user_cycles + .offcpu_cycles ==
		.wall_cycles' window.json)" true "$1: the four add up to the wall clock"
}

# second_in COLUMN SCENE: the second, and less than 2 % of it in the other columns.
# A guest that waits for nothing needs the CPU itself, too: OTHER=ns.
second_in() {
	local column=$1 scene=$2 also=${3:-} seconds
	seconds=$(jq -r --arg ns "$ns" '.tsc_khz as $k | .totals |
		[.guest_cycles, .kernel_cycles, .user_cycles, .offcpu_cycles] |
		map(. / $k * 1e6 / ($ns | tonumber)) | map(. * 10000 | round / 10000) |
		"guest=\(.[0]) kernel=\(.[1]) user=\(.[2]) offcpu=\(.[3])"' window.json)
	echo "# $scene: $seconds"
	ok "$scene: the second is $column time, and none of it is anything else" \
		awk -v want="$column" -v also="$also" -v s="$seconds" 'BEGIN {
			n = split(s, parts, /[ =]/)
			for (i = 1; i < n; i += 2) {
				if (parts[i] == also)
					continue
				wanted = parts[i] == want
				if (parts[i + 1] > wanted + 0.02 || parts[i + 1] < wanted - 0.02)
					exit 1
			}
		}'
}

iterations=$("$scenes" calibrate)
window halt
second_in offcpu halt
is "$(jq '[.reasons[] | select(.class == "HLT") | .offcpu_cycles > 0 and .kernel_cycles < .offcpu_cycles / 100] | all' window.json)" \
	true "halt: the sleep is HLT's, and is no handling cost"
window think
second_in user think
is "$(jq '[.reasons[] | select(.class == "IO") | .user_cycles > 0] | all' window.json)" true 'think: it is the OUT that asked for it'
window doze
second_in user doze
window compute "$iterations"
second_in guest compute

# A window that begins and ends while the vCPU is away has the time between the two,
# no more and no less. Who reads is there all the time: to start a program takes long
# here, and the vCPU is away for a second only: where the machine is busy with something
# else few windows fit into that, and it is away again. meanwhile COLUMN SCENE
meanwhile() {
	local column=$1 scene=$2 reader shares
	: >shares
	for _ in 1 2 3 4 5 6; do
		: >intervals
		kvmstat-report -i 0.2 --format json >intervals &
		reader=$!
		until [ -s intervals ]; do sleep 0.1; done
		"$scenes" "$scene" >said
		kill -INT $reader
		wait $reader
		# Of each interval without an exit: the first and the last of a scene may have one
		jq --arg c "${column}_cycles" 'select(.totals.exits == 0 and .totals[$c] > 0) |
			.totals[$c] / .tsc_khz * 1e6 / .window_ns | . * 10000 | round / 10000' intervals >>shares
		[ "$(wc -l <shares)" -lt 3 ] || break
	done
	shares=$(jq -s -c . shares)
	# shellcheck disable=SC2016 # jq's own $
	ok "$scene: each window in the midst of it is $column time ($shares of it)" \
		jq -e -n --argjson s "$shares" '($s | length) >= 3 and ($s | all(. > 0.98 and . < 1.02))'
}
meanwhile offcpu halt
meanwhile user doze

# Bochs does not take the host's timer out of a guest: nothing preempts one there.
if [ "$cpu" = amd ]; then
	window preempt $((iterations * 3 / 2))
	second_in offcpu preempt guest
	is "$(jq '.tsc_khz as $k | .totals.guest_cycles / $k / 1000 | . > 1.47 and . < 1.53' window.json)" true \
		'preempt: the guest had its second and a half, too'
fi

# Exits that no event shows, and how they are found all the same.
traced() {
	echo 'hist:keys=exit_reason:size=1024' >"$event/trigger"
	window "$@"
	is "$(sed -n 's/^ *Hits: //p' "$event/hist")" "$(jq '.totals.exits - .totals.untraced' window.json)" \
		"$1: exits less untraced = hits of the kvm_exit event"
	echo '!hist:keys=exit_reason' >"$event/trigger"
}
if [ "$cpu" = intel ]; then
	traced fail 7
	is "$reason" 2147483681 'fail: the CPU refused the guest state (33, with the failed-entry bit)'
	is "$(jq --argjson r "$reason" '[.reasons[] | select(.code == $r) | .exits]' window.json | tr -d ' \n')" '[7]' \
		'fail: its entry failures are counted under their reason'
	rmmod kvm_intel && modprobe kvm_intel ept=0
	traced emulate 100
	is "$(jq '.totals.untraced > 0 and .totals.untraced == .totals.exits' window.json)" true \
		'emulate: no event at all, and yet counted'
	is "$(jq -r '[.reasons[].name] | join(" ")' window.json)" untraced 'emulate: as untraced'
fi
rmmod kvmstat
is "$(dmesg -l emerg,alert,crit,err,warn | grep -v -e 'hrtimer: interrupt took' -e dump_invalid_vmcs)" '' \
	'no kernel message above notice'
done_testing
