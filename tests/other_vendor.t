#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: the other vendor's KVM module comes and goes while VMs run. Its init
# refuses, but for a moment it is there, with functions that are not for this CPU. On an
# Intel machine, too, with make check-all.
set -u
self=$(realpath "$0")
. "$(dirname "$self")/tap.sh"
cd "$(dirname "$self")/.." || exit 1
scenes=$PWD/build/tests/scenes

if [ -z "${LAB_OUT:-}" ]; then
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	kernel=$(tests/lab/kernel "${KVMSTAT_KERNEL:-6.1}") || exit 1
	find "$kernel/lib/modules" \( -name 'kvm-*.ko' -o -name ccp.ko -o -name rng-core.ko \) \
		-exec cp {} "$dir" \;
	for cpu in amd $(everything && echo intel); do
		relay "$cpu" tests/lab/run --kernel "$kernel" --cpu "$cpu" --load --add "$dir" \
			--add "$scenes" -- "$self" "$dir" "$cpu"
	done
	done_testing
fi
modules=$1
case $2 in amd) other=kvm-intel ;; *) other=kvm-amd ;; esac
cd "$(mktemp -d)" || exit 1
dmesg -C

insmod "$modules/rng-core.ko" 2>/dev/null
insmod "$modules/ccp.ko" 2>/dev/null
"$scenes" churn 120 1 >said &
churn=$!
times=0
while kill -0 $churn 2>/dev/null; do
	insmod "$modules/$other.ko" 2>/dev/null && break
	times=$((times + 1))
done
wait $churn
is $? 0 'VMs run'
ok "$other came, and was refused, $times times" test $times -ge 5
exits=0
eval "$(cat said)"
kvmstat-report --format json >report.json
is "$(jq .totals.exits report.json)" "$exits" "exits = the sum of KVM's statistics of every VM"
is "$(jq -r '[.reasons[].class] | unique - ["INTERRUPT"] | join(" ")' report.json)" \
	'CPUID HLT NESTED_PAGE_FAULT' 'each under its own reason'
is "$(dmesg | grep -c 'its accessor is used')" 0 'reasons are still read the fast way'
done_testing
