# shellcheck shell=bash disable=SC2154 # sourced by tests/lab/run
# SPDX-License-Identifier: GPL-2.0-or-later
# No emulation: the command runs on this machine and its own kernel, where
# that has KVM and loads modules. The paging mode may change while it runs.

run_on_host() {
	local status
	release=$(uname -r)
	ko=$tree/build/$release/kvmstat.ko
	[ "$kernel/$smp/$mem$icount$console" = 6.1/1/ ] ||
		misuse '--cpu host takes this machine as it is: no --kernel, --smp, --mem, --icount, --console'
	[ "$(id -u)" -eq 0 ] || die 1 '--cpu host loads modules: run it as root'
	if ! [ -d /sys/module/kvm_amd ] && ! [ -d /sys/module/kvm_intel ]; then
		die 1 'this machine has no KVM with hardware virtualization (no kvm_amd, no kvm_intel): use --cpu amd or intel'
	fi
	if [ -w "$tree" ]; then
		make -s -C "$tree" tools module >&2 || die "$broken" 'the module or the tools could not be built, see above'
	fi
	out=${out:-$(mktemp -d)} || exit 1
	export PATH=$tree/build:$PATH LAB_OUT=$out KVMSTAT_KO=$ko LAB_KERNEL=/boot/vmlinuz-$release
	if [ -n "$load" ]; then
		insmod "$ko" || exit 1
	fi
	timeout --foreground "$timeout" "$@"
	status=$?
	[ -z "$load" ] || rmmod kvmstat
	[ "$status" -ne 124 ] || die "$hung" "hang: the command took longer than $timeout s (--timeout)"
	exit "$status"
}
