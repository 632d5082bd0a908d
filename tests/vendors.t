#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests on an AMD and on an Intel machine, side by side by class: what the
# architectures share has the same count on both. (Where they differ by design, or
# a count is a bound, kvmstat-guest list says so: those guests are not here.)
set -u
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

shared='hello trespass cpuid port-out port-in ioeventfd mmio mmio-coalesced msr-read msr-write
	hlt hypercall touch touch-again touch-large cr3-write cr3-switch invlpg pte-edit
	dirty-log drop rdtsc sidt sgdt bp de page-fault self-ipi'

for cpu in amd intel; do
	mkdir "$dir/$cpu"
	# shellcheck disable=SC2016,SC2086 # expanded in the lab; a list of words
	ok "$cpu: what both have" tests/lab/run --cpu $cpu --load --out "$dir/$cpu" -- \
		sh -c 'kvmstat-report stat -o $LAB_OUT/run.json -- kvmstat-guest verify "$@"' sh $shared
done
report=build/kvmstat-report
ok 'diff' "$report" diff "$dir/amd/run.json" "$dir/intel/run.json" --by class
"$report" diff "$dir/amd/run.json" "$dir/intel/run.json" --by class --format json >"$dir/diff.json"
jq -r '.classes[] | "# \(.class): \(.before.exits.mean) \(.after.exits.mean)"' "$dir/diff.json"
is "$(jq -r '[.before.isa, .after.isa, .by] | join(" ")' "$dir/diff.json")" 'svm vmx class' 'both ISAs, by class'
for class in CPUID IO HLT HYPERCALL MSR_READ MSR_WRITE NESTED_PAGE_FAULT MMIO; do
	is "$(jq --arg c $class '.classes[] | select(.class == $c) |
		.before.exits.mean > 0 and .before.exits.mean == .after.exits.mean' "$dir/diff.json")" true \
		"$class: as many on SVM as on VMX"
done
# INTERRUPT is the host's timer, which asks nobody.
is "$(jq -r '[.classes[].class] - ["CPUID", "IO", "HLT", "HYPERCALL", "MSR_READ", "MSR_WRITE",
	"NESTED_PAGE_FAULT", "MMIO", "INTERRUPT"] |
	join(" ")' "$dir/diff.json")" '' 'and nothing else on either'
done_testing
