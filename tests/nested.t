#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: a Linux guest (L1, in QEMU) that is a hypervisor itself, and runs a
# guest of its own (L2) whose exits are known. Its exits are counted apart.
set -u
self=$(realpath "$0")
. "$(dirname "$self")/tap.sh"
cd "$(dirname "$self")/.." || exit 1
initrd=$PWD/build/nested/initrd
count=1000

if [ -z "${LAB_OUT:-}" ]; then
	kernel=$(tests/lab/kernel "${KVMSTAT_KERNEL:-6.1}") || exit 1
	rm -rf build/nested
	mkdir -p build/nested/root/{dev,modules} || exit 1
	"${CC:-gcc}" -O2 -static -o build/nested/root/init tests/workload/nested_init.c || exit 1
	make -s tools CLANG= LDFLAGS=-static BUILD=build/nested/static build/nested/static/kvmstat-guest || exit 1
	cp build/nested/static/kvmstat-guest build/nested/root/guest
	n=0
	for module in irqbypass ccp kvm kvm-amd; do
		n=$((n + 1))
		find "$kernel/lib/modules" -name "$module.ko" -exec cp {} "build/nested/root/modules/$n-$module.ko" \;
	done
	(cd build/nested/root && find . | cpio --quiet -o -H newc) >"$initrd" || exit 1
fi
in_lab --load
cd "$(mktemp -d)" || exit 1

cat >boot <<-'BOOT'
	#!/bin/sh
	timeout 200 qemu-system-x86_64 -accel kvm -cpu host -m 256 -nodefaults \
		-no-user-config -display none -net none -no-reboot -serial file:console \
		-kernel "$LAB_KERNEL" -initrd "$1" \
		-append "console=ttyS0 loglevel=4 panic=-1 tsc=reliable -- run --count $2 cpuid"
BOOT
kvmstat-report stat -o window.json -- sh ./boot "$initrd" $count
is $? 0 'an L1 guest came and went'
like "$(tail -n 3 console)" 'nested: status 0' '…and its own guest did'
grep -v 'nested: status' console | tail -n 5 | sed 's/^/# /'
rows() { jq "[.reasons[] | select($1) | .exits] | add // 0" window.json; }
# CPUID of L2 is L1's business: each of them is an exit, and L1 enters L2 again.
is "$(rows '.level == 2 and .name == "cpuid"')" $((count + 2)) "L2's CPUIDs are counted, each once"
is "$(rows '.level == 2 and .name == "vmrun"')" 0 'L2 runs nothing'
ok "L1's VMRUNs, one for each of them, are L1's" \
	test "$(rows '.level == null and .name == "vmrun"')" -ge $((count + 2))
is "$(jq '.totals.exits == ([.reasons[].exits] | add)' window.json)" true 'both levels are in the total'
is "$(jq '[.vms[].vcpus[].reasons[] | select(.level == 2)] | length > 0' window.json)" true '…and in the vCPU'
jq -r '.reasons[] | select(.level == 2) | "# L2 \(.name): \(.exits)"' window.json
kvmstat-report show --source window.json --by class | grep L2_CPUID >by_class
is "$(awk '{ print $2 }' by_class)" "$((count + 2))" 'by class they have a row of their own'
kvmstat-report show --source window.json >table
like "$(cat table)" "cpuid \(L2\) +$((count + 2)) " 'in the table, too'
done_testing
