#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: the BPF collector against the module, on both vendors (tests/bpf/agree).
# KVMSTAT_KERNEL and KVMSTAT_CPU choose; else Linux 6.1 on AMD and on Intel, and with
# make check-all every kernel. In the Intel machine the Linux boot takes minutes: it is
# there with make check-all, or where that machine is chosen.
set -u
tests=$(dirname "$(realpath "$0")")
. "$tests/tap.sh"
cd "$tests/.." || exit 1

image=$(tests/lab/kernel 6.1)/vmlinuz || exit 1

# What QEMU needs to boot it, where this machine's files are not those of the lab.
to_boot=(--mem 1536 --add "$(type -P qemu-system-x86_64)" --add /usr/lib/x86_64-linux-gnu/qemu --add /usr/share/seabios
	--add /usr/share/qemu/linuxboot_dma.bin --add /usr/share/qemu/kvmvapic.bin --add "$image" --add build/workload.cpio)

# QEMU has been seen to spin, with -icount and a VM in its VM, at a point of time that it
# did not get beyond: once in ten. What hangs twice is no accident.
twice() {
	local log status
	log=$(mktemp)
	"$@" >"$log" 2>&1
	status=$?
	if [ $status -eq 124 ]; then
		tail -n 3 "$log" | sed 's/^/# a hang, and once more: /'
		"$@"
		status=$?
	else
		cat "$log"
	fi
	rm -f "$log"
	return $status
}

# kernel CPU
against_module() {
	local options=(--timeout 900)
	if [ "$2" = amd ]; then
		options=(--icount --mem 2048 --timeout 400)
	elif everything || [ -n "${KVMSTAT_CPU:-}" ]; then
		options+=("${to_boot[@]}")
	fi
	# 7.2 does not boot in a VM under QEMU's emulated SVM, whoever watches.
	relay "$1 $2" twice tests/lab/run --cpu "$2" --kernel "$1" "${options[@]}" --load -- \
		env "BOOT_KERNEL=$image" tests/bpf/agree
}
for kernel in ${KVMSTAT_KERNEL:-6.1 ${KVMSTAT_ALL:+6.12 7.2}}; do
	for cpu in ${KVMSTAT_CPU:-amd intel}; do
		against_module "$kernel" "$cpu"
	done
done
done_testing
