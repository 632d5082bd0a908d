#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The BPF collector's command line: wrong usage, missing rights, nothing pinned, start
# and stop, and a build without it. No VM runs, and no lab: as root all of it is in a
# mount namespace of its own, where no collector of the machine is in sight.
set -u
tests=$(realpath "$(dirname "$0")")
tree=$(dirname "$tests")
if [ "$(id -u)" -eq 0 ] && [ -z "${KVMSTAT_PRIVATE-}" ]; then
	KVMSTAT_PRIVATE=1 exec unshare --mount "$tests/bpf_cli.t"
fi
. "$tests/tap.sh"
"$tests/deps" build lab || exit 1
report=$tree/build/kvmstat-report
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
chmod 755 .
echo '{}' >run.json
pins=/sys/fs/bpf/kvmstat

echo '# usage'
fails 2 'start\|stop\|status' 'bpf without a word' "$report" bpf
fails 2 '"foo" is not one of start, stop, status' 'another word' "$report" bpf foo
fails 2 'one argument too many: .stop.' 'two words' "$report" bpf start stop
fails 2 'no option --format' 'an option that it has not' "$report" bpf --format json status
for command in stat paging; do
	fails 2 '"run.json" counts nothing while COMMAND runs: use module or bpf' "$command of a file" \
		"$report" "$command" --source run.json -- true
done
fails 2 'option -i .*a file does not' 'intervals of a file' "$report" show -i 1 --source run.json
fails 2 '--source: "" is not module, bpf or a file' 'no source' "$report" show --source ''
fails 2 'no option --source' 'reasons has no source' "$report" reasons --source bpf
succeeds 'bpf --help' "$report" bpf --help
like "$(cat out)" 'start\|stop\|status' '…has its words'

echo '# a build without it'
make -s -C "$tree" CLANG= BUILD=build/no-bpf build/no-bpf/kvmstat-report >log 2>&1
is "$?$(cat log)" 0 'make CLANG='
none=$tree/build/no-bpf/kvmstat-report
for arguments in 'show --source bpf' 'show -i 1 --source bpf' 'stat --source bpf -- true' 'bpf start' 'bpf stop' 'bpf status'; do
	# shellcheck disable=SC2086 # words
	fails 1 'BPF: this program was built without it: install clang, bpftool and libbpf-dev, and run make again' "without it: $arguments" \
		"$none" $arguments
done
if [ ! -e /dev/kvmstat ]; then
	for arguments in show 'stat -- true'; do
		# shellcheck disable=SC2086
		fails 1 'no module loaded: run "sudo insmod kvmstat.ko"( or use --source FILE)?$' "without it: $arguments" "$none" $arguments
	done
	fails 1 'no module loaded: .*; a BPF collector begins anew by "kvmstat-report bpf stop" and "bpf start"' \
		'reset is of the module' "$report" reset
fi
succeeds 'a saved run' "$none" --source "$tests/data/amd.json"

[ "$(id -u)" -eq 0 ] || done_testing
cp "$report" report
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
# with CAPABILITIES COMMAND…: as nobody, but for these
with() {
	local capabilities=$1
	shift
	nobody --inh-caps="-all,$capabilities" --ambient-caps="-all,$capabilities" "$@"
}

echo '# rights'
ok 'a BPF filesystem, with nothing in it' mount -t bpf bpf /sys/fs/bpf
mount -t tracefs none /sys/kernel/tracing
for arguments in 'show -i 1 --source bpf' 'stat --source bpf -- true' 'bpf start'; do
	# shellcheck disable=SC2086
	fails 1 'no rights: CAP_BPF and CAP_PERFMON missing: run with sudo.* setcap' "$arguments, as nobody" \
		nobody ./report $arguments
	# shellcheck disable=SC2086
	fails 1 'no rights: CAP_PERFMON missing: ' "$arguments, with CAP_BPF alone" with +bpf ./report $arguments
	# shellcheck disable=SC2086
	fails 1 'no rights: CAP_BPF missing: ' "$arguments, with CAP_PERFMON alone" with +perfmon ./report $arguments
done

fails 1 'the programs may not be loaded .*: .*something forbids bpf\(2\): a container' 'in a user namespace' \
	unshare --user --map-root-user "$report" stat --source bpf -- true

echo '# nothing is pinned'
fails 1 "no collector is pinned at $pins: start one" 'status' "$report" bpf status
fails 1 "no collector is pinned at $pins" 'stop' "$report" bpf stop
fails 1 'nothing counts yet: start it \(kvmstat-report bpf start\), or count from now on' 'show' \
	"$report" show --source bpf
mkdir dir
fails 1 'nothing counts yet: start it' 'textfile' "$report" textfile --source bpf dir
is "$(ls dir)" '' 'it leaves no file'

# What there is no KVM for, or no BTF, only says so.
if [ ! -e /sys/kernel/btf/vmlinux ] || [ ! -e /sys/module/kvm ]; then
	echo '# no BTF, or no KVM, on this machine: start'
	fails 1 '(no /sys/kernel/btf/vmlinux|KVM is not loaded): ' 'start' "$report" bpf start
	done_testing
fi

echo '# start, status, stop'
"$report" bpf start 2>err
is $? 0 'start'
like "$(cat err)" '^kvmstat: counting by BPF, .*"kvmstat-report" shows it, "kvmstat-report bpf stop" ends it$' 'it says what now'
is "$(stat -c '%a %U' $pins)" '700 root' "its counters are root's"
age() { "$report" show --source bpf --format json | jq .window_ns; }
before=$(age)
fails 1 'a collector is there already: kvmstat-report bpf status, or stop' 'start again' "$report" bpf start
older() {
	[ "$(age)" -gt "$before" ]
	verdict $? "$1"
}
older 'the one that is there counts on'
succeeds 'status' "$report" bpf status
is "$(cut -d : -f 1 out | paste -sd ' ')" 'Collector Attached Counting Counted Memory' 'what it tells'
way=$(sed -n 's/^Attached: *//p' out)
like "$(cat err)$way" '^(tp_btf|raw tracepoints|classic tracepoint)' 'how it is attached'
# What a way leaves out is told besides.
told() {
	"$@" >out 2>err
	is "$?$(grep -vxF "kvmstat: BPF: $way" err)" 0 "$(basename "$1") $2"
}
told "$report" show --source bpf
like "$(head -n 1 out)" '^Source: +bpf$' 'its source'
like "$(cat out)" 's since the collector was started; VMs: 0 ' 'since when it counted'
told "$report" textfile --source bpf dir
ok 'its metrics' grep -q 'kvmstat_info{.*source="bpf"' dir/kvmstat.prom
if [ ! -e /dev/kvmstat ]; then
	"$report" show >out 2>err
	is "$?$(head -n 1 out)" '0Source:  bpf' 'without a module it is the default'
	is "$(cat err)" "kvmstat: no module loaded: counted by BPF, $way" '…and that is said'
fi
# A kernel that has KVM built in, rather than as a module: whatever CPU it emulates
# here, each of the guest's entries is an event.
if [ ! -e /sys/module/kvm/initstate ] && [ -w /dev/kvm ]; then
	is "$("$tree/build/kvmstat-guest" run hello)" 'Hello, world!' 'KVM is built in: a guest runs'
	"$report" show --source bpf --format json >vm.json 2>err
	is "$(jq -c '[.totals.exits > 0, .totals.lost, [.vms[] | [.comm, .alive, (.vcpus | length)]]]' vm.json)" \
		'[true,0,[["kvmstat-guest",false,1]]]' '…and was seen to enter, and to end'
fi
is "$("$report" bpf status | grep -o 'of [0-9]* VMs')" "of $("$report" show --source bpf --format json | jq '.vms | length') VMs" \
	'status counts the VMs'
for command in 'bpf status' 'bpf stop' 'show --source bpf'; do
	# shellcheck disable=SC2086
	fails 1 "$pins: .*Permission denied.*run with sudo" "$command, as nobody" nobody ./report $command
done
older 'nobody has stopped it'
# Without CAP_SYS_ADMIN; the format of events is root's in tracefs.
told with +bpf,+perfmon,+dac_read_search ./report stat --source bpf -- true
if [[ $way = classic* ]]; then
	fails 1 'kvm_exit/format may not be read: run with sudo, or with CAP_DAC_READ_SEARCH' 'stat, and tracefs is root'"'"'s' \
		with +bpf,+perfmon ./report stat --source bpf -- true
fi
fails 1 "$pins: cannot be opened: Permission denied: run with sudo" 'start again, as another user' \
	with +bpf,+perfmon ./report bpf start
[ -e /dev/kvmstat ] || fails 1 'no module loaded, and whether BPF counts is for root to see: run with sudo' \
	'show, by default, as nobody' nobody ./report show
before=$(age)
succeeds 'stop' "$report" bpf stop
ok 'nothing is left' test ! -e $pins
fails 1 "no collector is pinned at $pins" 'stop again' "$report" bpf stop
# As systemd mounts it, nobody sees whether there is one.
umount /sys/fs/bpf
mount -t bpf -o mode=0700 bpf /sys/fs/bpf
fails 1 "$pins: Permission denied: its counters are for root: run with sudo" 'show, as nobody' \
	nobody ./report show --source bpf
umount /sys/fs/bpf
mount -t bpf bpf /sys/fs/bpf
"$report" bpf start 2>/dev/null
[ "$(age)" -lt "$before" ]
verdict $? 'start after stop: another one'
mv $pins/memory $pins/else
fails 1 'did not get to its end: kvmstat-report bpf stop' 'one without its memory' "$report" bpf status
mv $pins/else $pins/memory
rm $pins/settings
fails 1 'did not get to its end: kvmstat-report bpf stop' 'a start that did not get to its end' "$report" bpf status
fails 1 'a start or stop is under way, or one did not get to its end: kvmstat-report bpf stop' '…is in the way' \
	"$report" bpf start
succeeds '…until stop' "$report" bpf stop
ok '…which takes all away' test ! -e $pins
# One at a time.
flock /sys/fs/bpf sleep 1 &
sleep 0.2
"$report" bpf start 2>/dev/null
is "$?/$(jobs -r | wc -l)" 0/0 'start waits for another start or stop'
mkdir $pins/else
fails 1 "$pins: holds what is not kvmstat's: remove that" 'stop, with something else in there' "$report" bpf stop
rmdir $pins/else
succeeds '…and without it' "$report" bpf stop
exec 9</sys/fs/bpf
flock 9
fails 1 '/sys/fs/bpf is locked: another start or stop is under way' 'start does not wait for ever' "$report" bpf start
ok '…and leaves nothing' test ! -e $pins
exec 9<&-
# Where anybody may put something there.
mkdir victim
: >victim/settings
: >victim/else
ln -s "$tmp/victim" $pins
for command in 'bpf stop' 'bpf status' 'show --source bpf'; do
	# shellcheck disable=SC2086
	fails 1 "$pins: is no directory of the BPF filesystem: remove it" "$command, of a link" "$report" $command
done
fails 1 "$pins: is no directory of the BPF filesystem: remove it" 'bpf start, of a link' "$report" bpf start
is "$(cd victim && echo *)" 'else settings' 'what it leads to is not touched'
rm $pins
# Another user's is not believed, but may be ended.
mkdir $pins && chown 65534 $pins
for command in 'bpf start' 'bpf status' 'show --source bpf'; do
	# shellcheck disable=SC2086
	fails 1 "$pins is of user 65534, neither root's nor yours: end it with" "$command, of another user's" "$report" $command
done
succeeds "bpf stop, of another user's" "$report" bpf stop
ok '…takes it away' test ! -e $pins
# Who may start with what capabilities allow, not with what the user is, may look, too.
as_owner=+bpf,+perfmon,+dac_override
umount /sys/fs/bpf
mount -t bpf -o mode=0700 bpf /sys/fs/bpf
with $as_owner ./report bpf start 2>err
is "$?$(cut -d , -f 1 err)" '0kvmstat: counting by BPF' 'start, by capabilities alone'
succeeds '…status' with $as_owner ./report bpf status
fails 1 'a collector is there already' '…start again' with $as_owner ./report bpf start
succeeds '…stop' with $as_owner ./report bpf stop
umount /sys/fs/bpf
if [ "$(stat -f -c %T /sys/fs/bpf)" != bpf_fs ]; then
	fails 1 'no BPF filesystem to pin to: mount -t bpf -o mode=0700 bpf /sys/fs/bpf' 'no BPF filesystem' "$report" bpf start
fi
done_testing
