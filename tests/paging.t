#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: however 'kvmstat-report paging' ends, the vendor module is as it
# was, with the mode and the parameters it had.
set -u
. "$(dirname "$0")/tap.sh"
in_lab --load --timeout 600
parameters=/sys/module/kvm_amd/parameters
dir=$(mktemp -d)
cd "$dir" || exit 1

# All that can be read, in one line each.
state() { grep -r . $parameters 2>/dev/null | sort; }
# As an administrator may have set it: not the defaults.
load_with() { modprobe -r kvm_amd && modprobe kvm_amd "$@"; }
restored() { is "$(state)" "$before" "$1: the module is as before"; }
# The tool and its guardian are done.
settle() { while pgrep -x kvmstat-report >/dev/null; do sleep 0.1; done; }

for mode in npt=1 npt=0; do
	load_with $mode nested=0
	before=$(state)

	kvmstat-report paging -o out.json -- kvmstat-guest run cpuid >out 2>err
	is $? 0 "$mode: paging"
	is "$(jq -r '.before.paging + " " + .after.paging' out.json)" 'npt shadow' "$mode: both modes were measured"
	is "$(jq -c '[.before, .after] | map(.reasons[] | select(.name == "cpuid").exits)' out.json)" \
		'[1002,1002]' "$mode: CPUIDs are the same in both, and exact"
	restored "$mode, success"

	kvmstat-report paging -- sh -c 'kvmstat-guest run cpuid; exit 5' >out 2>err
	is $? 1 "$mode: a failing command fails"
	like "$(cat err)" '5' "$mode: …and its status is named"
	restored "$mode, failing command"

	kvmstat-report paging -- /nonexistent >out 2>err
	is $? 1 "$mode: a command that is not there"
	restored "$mode, no such command"

	# In the middle of either half.
	for signal in INT TERM HUP KILL; do
		for mark in nested shadow; do
			rm -f started
			# shellcheck disable=SC2016 # expanded by the sh that is started
			script='[ "$1" = nested ] || [ "$(cat '$parameters'/npt)" = N ] || exit 0
				: >started; exec kvmstat-guest run --count 100000000 cpuid'
			# setsid and a trap of its own: bash starts background jobs with SIGINT ignored.
			env --default-signal=INT setsid kvmstat-report paging -- sh -c "$script" sh $mark >out 2>err &
			tool=$!
			while ! [ -e started ]; do sleep 0.05; done
			sleep 0.2
			pkill -$signal -x -o kvmstat-report
			wait $tool 2>/dev/null
			status=$?
			settle
			if [ $signal = KILL ]; then
				is $status 137 "$mode: SIG$signal in the $mark half kills"
			else
				is $status 1 "$mode: SIG$signal in the $mark half is a failure"
			fi
			restored "$mode, SIG$signal in the $mark half"
			is "$(pgrep -cx kvmstat-guest)" 0 "$mode: …and the command is gone"
		done
	done
done

# A second copy would take the first one's mode for the original.
load_with npt=1
before=$(state)
kvmstat-report paging -o first.json -- sh -c 'kvmstat-guest run touch; sleep 2' >/dev/null 2>&1 &
first=$!
while ! [ "$(cat $parameters/npt 2>/dev/null)" = N ]; do sleep 0.05; done
kvmstat-report paging -- true >out 2>err
is $? 1 'a second copy stops'
like "$(cat err)" 'another kvmstat-report paging is at work' '…and says why'
wait $first
is $? 0 '…the first goes on'
is "$(jq '[.after.reasons[] | select(.name == "npf")] | length' first.json)" 0 '…and measured shadow paging'
restored 'two copies'

# Somebody else reloads the module, to the same mode.
kvmstat-report paging -- sh -c 'rmmod kvm_amd; modprobe kvm_amd npt=1' >out 2>err
is $? 1 'a reload from outside fails the measurement'
like "$(cat err)" 'was reloaded by somebody else after the run' '…and is said'
restored 'reload from outside'

# A VM that runs keeps the module.
load_with npt=1
before=$(state)
kvmstat-guest run --count 100000000 cpuid &
vm=$!
sleep 0.5
kvmstat-report paging -- true >out 2>err
is $? 1 'with a VM running, paging stops'
like "$(cat err)" "$vm.*kvmstat-guest|kvmstat-guest.*$vm" '…naming its pid and command'
is "$(kill -0 $vm && echo runs)" runs '…and leaves it running'
kill $vm
wait $vm 2>/dev/null
restored 'VM running'
done_testing
