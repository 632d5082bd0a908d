#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: whose VMs they are. stat --own keeps the VMs of COMMAND, and of what it
# starts, apart from those of others; a QEMU is told by its -name.
set -u
self=$(realpath "$0")
. "$(dirname "$self")/tap.sh"
in_lab --timeout 300
cd "$(mktemp -d)" || exit 1
insmod "$KVMSTAT_KO"

# One VM of COMMAND, one of a process that nobody waits for, one of a shell's child.
cat >three-vms <<'COMMAND'
#!/bin/sh
kvmstat-guest run --count 300 cpuid
(setsid sh -c 'kvmstat-guest run --count 20 cpuid; : >done' &)
until [ -e done ]; do sleep 0.05; done
rm done
sh -c 'kvmstat-guest run --count 1 cpuid; :'
COMMAND
chmod 755 three-vms
cpuids() { jq '[.reasons[] | select(.class == "CPUID").exits] | add'; }
kvmstat-report stat -o alone.json -- ./three-vms >/dev/null
cpuids=$(cpuids <alone.json)
ok "COMMAND alone: $cpuids CPUIDs" test "$cpuids" -ge 321

others() {
	while :; do
		kvmstat-guest run --count 1000 cpuid
	done >/dev/null
}
others &
other=$!

kvmstat-report stat --own -o own.json -- ./three-vms >/dev/null
is "$?/$(cpuids <own.json)/$(jq '.vms | length' own.json)" "0/$cpuids/3" "--own: COMMAND's VMs, while others run"
kvmstat-report stat -o all.json -- ./three-vms >/dev/null
ok 'without it: the others, too' test "$(cpuids <all.json)" -ge $((cpuids + 1000))
kvmstat-report stat --own --format json -r 3 -- ./three-vms >several.json
is "$(jq -c '.reasons[] | select(.class == "CPUID") | [.per_run.exits.mean, .per_run.exits.sd]' several.json)" "[$cpuids,0]" \
	'in each of several runs'
kvmstat-report stat --own --format json -- true >none.json
is "$(jq -c '[.totals.exits, (.vms | length)]' none.json)" '[0,0]' 'COMMAND without VMs'
kvmstat-report stat --own -- sh -c 'kvmstat-guest run cpuid >/dev/null; exit 9' >/dev/null 2>&1
is $? 9 "COMMAND's exit status"
chmod 666 /dev/kvmstat
setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all \
	kvmstat-report stat --own -- true >out 2>err
is "$?/$(wc -l <err)" 1/1 'without rights: status 1, one message'
like "$(cat err)" 'CAP_NET_ADMIN.*sudo' 'which says what is missing'
kill $other
wait $other 2>/dev/null

qemu-system-x86_64 -accel kvm -m 32 -nodefaults -display none -name 'guest=web,,1,debug-threads=on' -daemonize -pidfile pid
qemu-system-x86_64 -accel kvm -m 32 -nodefaults -display none -daemonize -pidfile pid2
until [ "$(kvmstat-report --format json | jq '[.vms[] | select(.alive)] | length')" = 2 ]; do sleep 0.1; done
is "$(kvmstat-report --by vm --format json | jq -c --argjson pid "$(cat pid)" '[.vms[] | select(.pid == $pid).name]')" '["web,1"]' \
	"QEMU's -name"
is "$(COLUMNS=120 kvmstat-report --by vm | awk -v pid="$(cat pid)" '$2 == pid { print $4 }')" web,1 'in the table'
is "$(kvmstat-report --format json | jq -c --argjson pid "$(cat pid2)" '[.vms[] | select(.pid == $pid).name]')" '[null]' \
	'none where it has none'
kill "$(cat pid)"
kill "$(cat pid2)"
done_testing
