#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What each clang that is installed (clang-13, clang-19, …) makes of the BPF collector's
# programs passes the kernel's verifier, and counts. The verifier sees machine code, and
# compilers differ in what they leave of a check. KVMSTAT_KERNEL chooses; else every kernel.
set -u
self=$(realpath "$0")
. "$(dirname "$self")/../tap.sh"
cd "$(dirname "$self")/../.." || exit 1

if [ -z "${LAB_OUT:-}" ]; then
	clangs=$(compgen -c | grep -xE 'clang-[0-9]+' | sort -uV)
	[ -n "$clangs" ] || { echo 'Bail out! There is no clang-N: run tests/deps clangs'; exit 1; }
	for clang in $clangs; do
		make -s WERROR=1 "CLANG=$clang" "BUILD=build/$clang" tools
		is $? 0 "$clang builds it without a warning"
	done
	for kernel in ${KVMSTAT_KERNEL:-6.1 6.12 7.2}; do
		# shellcheck disable=SC2086 # a list of words
		relay "$kernel" tests/lab/run --kernel "$kernel" --timeout 900 -- "$self" $clangs
	done
	done_testing
fi

tree=$PWD
cd "$(mktemp -d)" || exit 1
for clang; do
	"$tree/build/$clang/kvmstat-report" stat --source bpf -o "$clang.json" -- kvmstat-guest run cpuid 2>err
	is "$?/$(jq -c '[.source, ([.reasons[] | select(.name == "cpuid").exits] | add)]' "$clang.json")$(cat err)" \
		'0/["bpf",1002]' "what $clang makes of it counts"
done
done_testing
