#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: the BPF collector against the module, on both vendors (tests/bpf/agree).
# KVMSTAT_KERNEL and KVMSTAT_CPU choose; else Linux 6.1 on AMD and on Intel.
set -u
tests=$(dirname "$(realpath "$0")")
. "$tests/tap.sh"
cd "$tests/.." || exit 1

in_cpu() {
	local options=(--icount --mem 2048)
	[ "$1" = amd ] || options=()
	relay "$1" tests/lab/run --cpu "$1" --kernel "${KVMSTAT_KERNEL:-6.1}" "${options[@]}" --load --timeout 900 -- tests/bpf/agree
}
for cpu in ${KVMSTAT_CPU:-amd intel}; do
	in_cpu "$cpu"
done
done_testing
