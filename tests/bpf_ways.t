#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: the ways by which the BPF collector gets at an exit, each against the
# module (KVMSTAT_CPU: amd, or intel): without CAP_SYS_ADMIN, without the BTF of the
# vendor module, without that of kvm.
set -u
self=$(realpath "$0")
tests=$(dirname "$self")
. "$tests/tap.sh"
cpu=${KVMSTAT_CPU:-amd}
if [ -z "${LAB_OUT:-}" ]; then
	cd "$tests/.." || exit 1
	kernel=$(tests/lab/kernel "${KVMSTAT_KERNEL:-6.1}") || exit 1
	# Modules as a kernel without CONFIG_DEBUG_INFO_BTF_MODULES has them.
	mkdir -p build/nobtf
	for module in kvm kvm-amd kvm-intel; do
		find "$kernel/lib/modules" -name "$module.ko" -exec objcopy --remove-section .BTF {} "build/nobtf/$module.ko" \; || exit 1
	done
	exec tests/lab/run --cpu "$cpu" --kernel "$kernel" --load --timeout 600 --add build/nobtf \
		--add "$(type -P setpriv)" --add "$(type -P bpftool)" -- "$self"
fi
vendor=kvm_amd reason=cpuid
[ -e /sys/module/kvm_amd ] || { vendor=kvm_intel reason=CPUID; }
nobtf=$tests/../build/nobtf
cd "$(mktemp -d)" || exit 1
chmod 755 .

# same NAME WAY COMMAND…: counts by BPF, by COMMAND's rights, while guests run
same() {
	local name=$1 way=$2
	shift 2
	rm -f go window.json
	# shellcheck disable=SC2016 # expanded by the sh that is started
	"$@" kvmstat-report stat --source bpf --format json -- sh -c 'echo ready >&2; sleep 100' >window.json 2>err &
	tool=$!
	until grep -q ready err; do
		kill -0 $tool 2>/dev/null || break
		sleep 0.1
	done
	kvmstat-report stat --source module -o module.json -- sh -c '
		kvmstat-guest run --count 500 cpuid && kvmstat-guest run --count 100 touch && kvmstat-guest run msr-read &&
			kvmstat-guest run msr-write && kvmstat-guest run cr3-write && kvmstat-guest run ud'
	pkill -x sleep
	wait $tool 2>/dev/null
	like "$(grep '^kvmstat: BPF' err)" "$way" "$name: says so"
	is "$(numbers window.json)" "$(numbers module.json)" "$name: the same as the module has"
	is "$(jq "[.reasons[] | select(.name == \"$reason\").exits] | add > 500" window.json)" true "$name: …which are these guests' exits"
}
# By VM, reason, level and detail
numbers() {
	kvmstat-report --source "$1" --by vm,detail --format csv | awk -F, '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		{ print $at["pid"], $at["name"], $at["level"], $at["detail"], $at["exits"] }' | sort
}

# As systemd mounts it: only root sees what is pinned.
umount /sys/fs/bpf 2>/dev/null
mount -t bpf -o mode=0700 bpf /sys/fs/bpf
user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
same 'root' '^$' env
same 'CAP_BPF and CAP_PERFMON' 'BPF: raw tracepoints' "${user[@]}" --inh-caps +bpf,+perfmon --ambient-caps +bpf,+perfmon
for lacking in bpf perfmon; do
	other=perfmon
	[ $lacking = bpf ] || other=bpf
	"${user[@]}" --inh-caps +$other --ambient-caps +$other kvmstat-report stat --source bpf -- true 2>err
	is $? 1 "without CAP_${lacking^^}"
	like "$(cat err)" "CAP_${lacking^^} missing" '…it is said what is missing'
done
"${user[@]}" kvmstat-report stat --source bpf -- true 2>err
is $? 1 'without any capability'
like "$(cat err)" 'CAP_BPF and CAP_PERFMON missing' '…it is said what is missing'
kvmstat-report bpf start 2>/dev/null
same "root's own is pinned" 'BPF: raw tracepoints' "${user[@]}" --inh-caps +bpf,+perfmon --ambient-caps +bpf,+perfmon
kvmstat-report bpf stop

grep -q " /sys/kernel/tracing tracefs " /proc/mounts || mount -t tracefs tracefs /sys/kernel/tracing
rmmod $vendor && insmod "$nobtf/${vendor/_/-}.ko"
is "$(find /sys/kernel/btf -name "$vendor")" '' 'a vendor module without BTF'
same 'no BTF of the vendor module' 'BPF: classic tracepoint \(no BTF of the vendor module\)' env
reader=+bpf,+perfmon,+dac_read_search	# the event's format is root's
same '…and no CAP_SYS_ADMIN' 'BPF: classic tracepoint \(no BTF of kvm, or no right to it\)' \
	"${user[@]}" --inh-caps $reader --ambient-caps $reader
rmmod $vendor kvmstat && rmmod kvm && insmod "$nobtf/kvm.ko" && insmod "$nobtf/${vendor/_/-}.ko"
insmod "$KVMSTAT_KO" check_prototypes=0
is "$(find /sys/kernel/btf -name 'kvm*')" '' 'neither has any'
same 'no BTF of kvm' 'BPF: classic tracepoint \(no BTF of kvm, or' env
rmmod $vendor kvmstat
kvmstat-report stat --source bpf -- true 2>err
is $? 1 'without a vendor module'
like "$(cat err)" "KVM's vendor module is not loaded: load it first \\(modprobe kvm_amd, or kvm_intel\\)" '…says so'
rmmod kvm
kvmstat-report stat --source bpf -- true 2>err
is $? 1 'without KVM'
like "$(cat err)" 'KVM is not loaded: load it first \(modprobe kvm_amd, or kvm_intel\)' '…says so'
done_testing
