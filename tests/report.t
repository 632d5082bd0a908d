#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kvmstat-report without a module, without rights, without KVM: usage, exit
# statuses, files that are not what they should be, selection, comparison.
# With a device that is preloaded (tests/unit/fake_device.c), a tree instead
# of /sys and a modprobe of our own: stat, and every way out of paging.
set -u
tests=$(realpath "$(dirname "$0")")
tree=$(dirname "$tests")
. "$tests/tap.sh"
report=${REPORT:-$tree/build/kvmstat-report}
data=$tests/data
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
chmod 755 "$tmp"

cc=${CC:-cc}
user=$tree/user
"$cc" -std=gnu11 -O1 -shared -fPIC -o fake.so "$tests/unit/fake_device.c" -ldl || exit 1
"$cc" -std=gnu11 -O1 -o run_test "$tests/unit/run_test.c" \
	"$user"/{run,select,window,sample,compare,histogram,reasons,device,message,memory,terminal,text}.c \
	-lm || exit 1
"$cc" -std=gnu11 -O1 -o histogram_test "$tests/unit/histogram_test.c" "$user/histogram.c" -lm || exit 1

# embedded PAGE: the report in it, of --html
embedded() { sed -n '/<script type="application\/json"/{n;p}' "$1"; }

# column N ROW FILE: field N of the table's row that begins with ROW
column() {
	awk -v n="$1" -v row="$2" 'index($0, row " ") == 1 {
		print $(n + split(row, words) - 1); exit }' "$3"
}

relay 'histogram' ./histogram_test
relay 'arithmetic' ./run_test

echo '# usage'
succeeds '--help' "$report" --help
like "$(cat out)" 'show .*stat .*paging .*diff .*reset' '--help lists the commands'
succeeds '--version' "$report" --version
for command in show stat paging diff reset; do
	succeeds "$command --help" "$report" $command --help
done
fails 2 "'frobnicate'.*--help" 'unknown command' "$report" frobnicate
fails 2 '--frob.*--help' 'unknown option' "$report" --frob
fails 2 '-Z.*--help' 'unknown letter' "$report" show -Z
fails 2 '--runs.*--help' 'an option of another command' "$report" show --runs 3
fails 2 '--top.*value' 'option without its value' "$report" show --top
fails 2 '--sort.*"size"' 'bad --sort' "$report" --sort size
fails 2 '--by.*"colour"' 'bad --by' "$report" --by colour
fails 2 '--format.*"xml".*table\|json' 'bad --format' "$report" --format xml
fails 2 '--top.*"0"' '--top 0' "$report" --top 0
fails 2 '--vm.*"-1"' '--vm -1' "$report" --vm -1
fails 2 '--vcpu.*"1x"' '--vcpu 1x' "$report" --vcpu 1x
fails 2 '--sort.*p99' '--sort p99 of VMs' "$report" --by vm --sort p99
fails 2 '-i.*"nan"' '-i nan' "$report" -i nan
fails 2 '-n.*-i' '-n without -i' "$report" -n 3
fails 2 '-i.*file' '-i with a file' "$report" -i 1 --source "$data/amd.json"
fails 2 '-r.*"0"' '-r 0' "$report" stat -r 0 -- true
fails 2 'COMMAND' 'stat without COMMAND' "$report" stat --
fails 2 'COMMAND' 'paging without COMMAND' "$report" paging
fails 2 '--by' 'paging --by vm' "$report" paging --by vm -- true
fails 2 '--by' 'stat -r 2 --by vm' "$report" stat -r 2 --by vm -- true
fails 2 "'three'" 'diff with three files' "$report" diff one two three
fails 2 'BEFORE' 'diff with none' "$report" diff
fails 2 "'now'" 'reset with an argument' "$report" reset now

echo '# no module, no rights'
preload() { LD_PRELOAD=$tmp/fake.so "$@"; }
enoent=2 eacces=13
export FAKE_KVMSTAT=$tmp/state
fake_tree() {
	rm -rf "$tmp/root"
	mkdir -p "$tmp/root/proc" "$tmp/root/sys/module/kvm_amd/parameters"
	echo 0 >"$tmp/root/sys/module/kvm_amd/refcnt"
	echo "$1" >"$tmp/root/sys/module/kvm_amd/parameters/npt"
	echo Y >"$tmp/root/sys/module/kvm_amd/parameters/avic"
	echo 3000 >"$tmp/root/sys/module/kvm_amd/parameters/pause_filter_count"
	echo N >"$tmp/root/sys/module/kvm_amd/parameters/sev"
	echo '(null)' >"$tmp/root/sys/module/kvm_amd/parameters/odd"
}
fake_tree Y
for command in show 'stat -- true' 'paging -- true' reset; do
	# shellcheck disable=SC2086 # words
	FAKE_ERRNO=$enoent KVMSTAT_SYSROOT=$tmp/root fails 1 \
		'no module loaded: run "sudo insmod kvmstat.ko"' "$command, no module" \
		preload "$report" $command
	# shellcheck disable=SC2086
	FAKE_ERRNO=$eacces KVMSTAT_SYSROOT=$tmp/root fails 1 'Permission denied.*sudo' \
		"$command, no rights" preload "$report" $command
done
FAKE_ERRNO=$enoent preload "$report" 2>err
is "$(cat err)" 'kvmstat: no module loaded: run "sudo insmod kvmstat.ko" or use --source bpf (after "kvmstat-report bpf start") or --source FILE' \
	'show names the other ways'
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 .
	cp "$report" report
	fails 1 'sudo' 'paging as nobody' \
		setpriv --reuid=65534 --regid=65534 --clear-groups ./report paging -- true
fi
echo 'head 1 0 0 2' >state
FAKE_HOOKS=8 fails 1 'dmesg' 'a module that refused this kvm' preload "$report"

echo '# files'
fails 1 'nowhere.json: .*No such file' 'no such file' "$report" --source nowhere.json
fails 1 '/: .*directory' 'a directory' "$report" --source /
: >empty.json
fails 1 'empty.json: is empty' 'an empty file' "$report" --source empty.json
head -c 700 "$data/amd.json" >cut.json
fails 1 'cut.json:[0-9]+:[0-9]+: .*cut short' 'a truncated file' "$report" --source cut.json
fails 1 'cut.json:[0-9]+' 'diff with a truncated file' "$report" diff "$data/amd.json" cut.json
head -c 4096 /bin/sh >binary
fails 1 'binary:[0-9]+:[0-9]+: not valid JSON' 'a binary file' "$report" --source binary
is "$(LC_ALL=C tr -d '\n -~' <err | wc -c)" 0 'its bytes are kept off the terminal'
truncate -s 70M huge.json
fails 1 'huge.json: is larger' 'a huge file' "$report" --source huge.json
head -c 100000 /dev/zero | tr '\0' '[' >deep.json
fails 1 'deep.json:[0-9]+' 'a deep file' "$report" --source deep.json
# with FILTER: a run that was changed by that jq filter
with() { jq "$1" "$data/amd.json" >changed.json; }
# refused FILTER PLACE NAME
refused() {
	with "$1"
	fails 1 "changed.json: $2" "$3" "$report" --source changed.json
}
refused '[1]' '\$: want an object' 'an array'
refused 'del(.schema)' '\$.schema: want a string, found nothing' 'no schema'
refused '.schema = "kvmstat/9"' '\$.schema: is "kvmstat/9"' 'another schema'
refused '.schema = "kvmstat-diff/1"' '\$.schema: .*diff FILE' 'a comparison is no run'
refused '.isa = "arm"' '\$.isa' 'another isa'
refused '.totals = 3' '\$.totals: want an object, found a number' 'totals of another type'
refused 'del(.totals.exits)' '\$.totals.exits: .*found nothing' 'a field is missing'
refused '.reasons[2].exits = "30"' '\$.reasons\[2\].exits: .*found a string' 'a count in a string'
refused '.reasons[2].exits = -30' '\$.reasons\[2\].exits: is negative' 'a negative count'
refused '.reasons[2].exits = 1.5' '\$.reasons\[2\].exits: .*fraction' 'half an exit'
refused '.reasons[2].name = ("x" * 500)' '\$.reasons\[2\].name: is too long' 'a long name'
refused '.reasons = {}' '\$.reasons: want an array' 'reasons of another type'
refused '.reasons[0].exits = 9223372036854774784' '\$.totals: .*fewer' 'totals that do not fit'
refused '.vms[1].vcpus[0].reasons[1] = null' \
	'\$.vms\[1\].vcpus\[0\].reasons\[1\]: want an object, found null' 'a hole'
refused '.vms[0].pid = 4294967296' '\$.vms\[0\].pid: is too big' 'a pid too big'
echo '{"schema":"kvmstat/1","schema":"kvmstat/1"}' >twice.json
fails 1 'twice.json:1' 'a field twice' "$report" --source twice.json

echo '# output that cannot be written'
fails 1 'No space left' 'table onto a full disk' \
	sh -c "'$report' --source '$data/amd.json' >/dev/full"
fails 1 'No space left' 'JSON onto a full disk' \
	sh -c "'$report' --source '$data/amd.json' --format json >/dev/full"
fails 1 'No space left' 'diff onto a full disk' \
	sh -c "'$report' diff '$data/amd.json' '$data/intel.json' >/dev/full"
fails 1 'No space left' '--help onto a full disk' sh -c "'$report' --help >/dev/full"
mkfifo pipe
# Opened and closed before the report begins to write.
{ read -r _ <pipe; } 2>/dev/null &
exec 9>pipe
echo >&9
wait
fails 1 'Broken pipe' 'a closed pipe' sh -c "'$report' --source '$data/amd.json' >&9"
exec 9>&-
fails 1 'Bad file descriptor' 'a closed stdout' sh -c "'$report' --source '$data/amd.json' >&-"

echo '# show'
file() { "$report" --source "$data/amd.json" "$@"; }
succeeds 'a file as a table' file
is "$(column 2 cpuid out)/$(column 2 'PF excp' out)/$(column 2 total out)" 1000/10/1160 'its counts'
is "$(awk 'length > 80' out)" '' 'in 80 columns'
like "$(cat out)" 'untraced: 2 ' 'untraced exits are told'
like "$(cat out)" 'Linux 6.1.0-test, AMD SVM, nested paging \(npt\)' 'of which machine'
like "$(cat out)" 's since the module was loaded or reset;' 'since when'
jq '.source = "bpf"' "$data/amd.json" >bpf.json
like "$("$report" --source bpf.json)" 's since the collector was started;' 'since when, counted by BPF'
is "$(file --format json | jq -cS .)" "$(jq -cS 'del(.comment)' "$data/amd.json")" 'JSON comes out as it went in'
file --sort name >out
is "$(awk 'NR > 5 && NF > 5 { print $1 }' out | head -4 | tr '\n' ' ')" 'PF cpuid msr npf ' '--sort name'
is "$(file --sort mean | awk 'NR == 6 { print $1 }')" npf '--sort mean'
is "$(file --sort cycles | awk 'NR == 7 { print $1 }')" npf '--sort cycles'
file --top 2 >out
is "$(grep -c '%' out)/$(grep -o '([0-9]* more' out)" '3/(3 more' '--top 2'
is "$(file --top 2 --format json | jq '.reasons | length')" 2 '--top 2 in JSON'
file --top 2 --format json >top.json
fails 0 'top.json: 60 of its exits are .*--top' 'which can be read back' "$report" --source top.json
is "$(column 2 cpuid out)" 1000 'and shown'
fails 1 'top.json: [0-9]+ of its exits .*without --top' '…but not compared: the rest would look changed' \
	"$report" diff "$data/amd.json" top.json
file --by class >out
is "$(column 2 CR_WRITE out)" 30 '--by class'
file --by vm >out
is "$(awk '$3 == "kvmstat-guest" { print $1, $2, $4, $6 }' out)" '2 4200 gone 30' '--by vm'
file --by vcpu >out
is "$(awk '$1 == 1 && $2 == 1 { print $5 }' out)" 30 '--by vcpu'
is "$(file --by class --format json | jq -c '[.by, .groups[0].class, (.reasons | length)]')" \
	'["class","CPUID",5]' '--by class in JSON: groups besides the reasons'
is "$(file --vm 2 --format json | jq -c '[.totals.exits, (.vms | length)]')" '[30,1]' '--vm ID'
is "$(file --vm 4100 --format json | jq .totals.exits)" 1130 '--vm PID'
is "$(file --vm 1 --vcpu 1 --format json | jq -c '[.reasons[].name]')" '["write_cr3"]' '--vcpu'
fails 1 'no VM .*77.*1 \(pid 4100 qemu-system-x86\), 2 \(pid 4200 kvmstat-guest, gone\)' \
	'an unknown VM: lists those there are' file --vm 77
fails 1 'no vCPU 9' 'an unknown vCPU' file --vcpu 9
with '.vms = [{"id": 0, "pid": 0, "comm": "", "alive": false, "retired": true,
	"vcpus": [{"id": 0, "exits": 7, "cycles": 1, "reasons": []}]}] + .vms'
fails 0 'left out: 7 exits' '--vcpu tells what it cannot take apart' "$report" --source changed.json --vcpu 0
fails 1 'no VM was seen' 'no VM at all' "$report" --source "$data/intel.json" --vm 1
with '.vms[0].comm = "a\u001b[31mb"'
is "$("$report" --source changed.json --by vm | grep -c $'\e')" 0 'escape sequences are kept off the terminal'
with '.reasons += [{"code": 1911, "name": "0x777", "class": "OTHER", "exits": 0, "cycles": 9}]'
succeeds 'an unknown code' "$report" --source changed.json
is "$(column 2 0x777 out)" 0 'is shown by its number'
succeeds 'a pipe as a file' sh -c "'$report' --source /dev/stdin <'$data/intel.json'"

is "$(file --vm 1 --vcpu 0 --format json | jq -r .selection)/$(file --vm 1 | sed -n 's/^Source: *//p')" \
	"--vm 1 --vcpu 0/module, --vm 1, saved in $data/amd.json" 'a selection is told'
file --vm 1 --format json >one.json
is "$("$report" --source one.json --vcpu 1 --format json | jq -r .selection)" '--vm 1 --vcpu 1' 'and one of a selection'

echo '# details, levels, histograms'
# A run with all of it, from a device that is preloaded.
cat >state <<'STATE'
head 1 0 0 2
vm 1 4100 1 qemu
vcpu 0 6000000 0
wall 20000000
cell 0x72 1000 2000000
ended 900 1000
ended 100 11000
cell 0x72 50 500000
l2
ended 50 10000
cell 0x7c 30 30000
detail 1
ended 30 1000
cell 0x7c 20 60000
detail 2
ended 10 2000
ended 10 4000
cell 0x400 7 70000
detail 3
ended 7 10000
cell 0x400 5 5000
detail 4
time 900000 0
ended 5 1000
cell 0x78 10 90000
time 0 10000000
ended 9 10000
STATE
preload "$report" --format json >split.json
split() { "$report" --source split.json "$@"; }
split --format json >again.json
is "$(cat again.json)" "$(cat split.json)" 'JSON comes back as it went out'
is "$(jq -c '.totals | [.exits, .cycles, .kernel_cycles, .user_cycles, .offcpu_cycles, .guest_cycles, .wall_cycles]' split.json)" \
	'[1122,13655000,2755000,900000,10000000,6000000,20000000]' 'totals tell where the time went'
is "$(jq -c '.reasons[0] | del(.histogram, .name, .class, .code) | map_values(. * 1000 | round / 1000)' split.json)" \
	'{"exits":1000,"cycles":2000000,"kernel_cycles":2000000,"user_cycles":0,"offcpu_cycles":0,"ended":1000,"min":1000,"mean":2000,"sd":3001.501,"p50":1000,"p90":1000,"p99":11000,"max":11000}' \
	'a reason tells how it spread'
is "$(jq -c '.reasons[0].histogram' split.json)" '[[896,900],[10240,100]]' 'its histogram'
is "$(jq -c '.reasons[] | select(.name == "hlt") | [.exits, .ended, .mean, .offcpu_cycles]' split.json)" \
	'[10,9,10000,10000000]' 'the mean is of what ended, and of the kernel'
is "$(jq -c '.reasons | map(select(.level == 2)) | map([.name, .exits])' split.json)" '[["cpuid",50]]' \
	'exits of L2 are apart'
is "$(jq -c '.reasons[] | select(.name == "msr") | [.class, .exits, .ended, .max, (.details | map([.detail, .class, .exits, .p99]))]' split.json)" \
	'["MSR",50,50,4000,[["read","MSR_READ",30,1000],["write","MSR_WRITE",20,3839]]]' 'a reason has its details'
is "$(jq -c '.vms[0].vcpus[0] | [.wall_cycles, .offcpu_cycles, (.reasons | map(select(.details)) | map(.name))]' split.json)" \
	'[20000000,10000000,["msr","npf"]]' 'and so it is per vCPU'
is "$(jq 'del(.reasons[].histogram | select(. != null)) | .vms = []' split.json >slim.json
	"$report" --source slim.json --format json | jq -c '.reasons[] | select(.name == "msr") | [.ended, .histogram]')" \
	'[50,[[896,30],[1792,10],[3584,10]]]' 'without a histogram a reason has that of its details'
split >out
is "$(column 2 cpuid out)/$(column 2 'cpuid (L2)' out)/$(column 2 npf out)" 1000/50/12 'the table'
is "$(column 4 cpuid out) $(column 5 cpuid out) $(column 8 cpuid out) $(column 9 cpuid out) $(column 10 cpuid out)" \
	'1.00ms 72.6% 1.00us 5.50us 5.50us' 'kernel time and its share, mean, p99, max'
is "$(column 6 npf out)/$(column 7 hlt out)/$(column 4 total out)" 450us/5.00ms/1.38ms \
	'time of the VMM, of sleep, and in all'
is "$(awk 'length > 80' out)" '' 'in 80 columns'
is "$(grep '^vCPU time' out)" 'vCPU time: guest 30.5%, kernel 14.0%, user 4.6%, off CPU 50.9%' 'where the time went'
is "$(file | grep -c '^vCPU time')/$(file | grep -c KERNEL)" 0/0 'an older file cannot tell'
split --by detail >out
is "$(column 2 'msr write' out)/$(column 2 'npf mmio' out)/$(column 2 cpuid out)" 20/5/1000 '--by detail'
for key in p99 max; do
	is "$(split --by detail --sort $key | awk 'NR > 5 && NF > 5 { print $1 }' | head -5 | tr '\n' ' ')" \
		'cpuid cpuid hlt npf msr ' "--sort $key"
done
is "$(split --by detail --sort max --top 1 --format json | jq -c '[.by, .groups[0].name, .groups[0].detail, .groups[0].max]')" \
	'["detail","cpuid","none",11000]' '--sort max, details in JSON'

echo '# as wide as there is room'
titles() { awk '$1 == "REASON" || $1 == "CLASS" || $1 == "VM" || $1 == "total" && !n++ { print }' out | tr -s ' '; }
jq '.window_ns = 5000000000' split.json >five.json
COLUMNS=200 "$report" --source five.json >out
is "$(titles | head -n 1)" \
	'REASON EXITS SHARE RATE/s KERNEL SHARE USER SHARE OFFCPU SHARE MEAN P50 P99 MAX' 'all columns'
is "$(column 4 cpuid out)/$(column 12 cpuid out)/$(column 4 total out)" 200/500ns/224 'exits per second, and the median'
is "$(column 8 npf out) $(column 8 total out)/$(column 10 hlt out) $(column 10 total out)" '100.0% 100.0%/100.0% 100.0%' \
	"shares of the VMM's time, and of sleep"
COLUMNS=100 split >out
is "$(titles | head -n 1)" 'REASON EXITS SHARE RATE/s KERNEL SHARE USER OFFCPU MEAN P50 P99 MAX' 'at 100 columns'
is "$(awk 'length > 100' out)" '' 'which is kept to'
COLUMNS=20 split >out
is "$(titles | head -n 1)" 'REASON EXITS KERNEL MEAN MAX' 'without what can be done without'
for columns in '' 0 -1 x 99999999999999999999; do
	is "$(COLUMNS=$columns split | md5sum)" "$(split | md5sum)" "COLUMNS=$columns is no width"
done
# on_terminal COLUMNS COMMAND…: what it prints on a terminal of that width
on_terminal() {
	local columns=$1
	shift
	printf -v command '%q ' "$@"
	script -qec "stty cols $columns; $command" /dev/null </dev/null | tr -d '\r'
}
on_terminal 200 env TERM=xterm "$report" --source split.json >out
like "$(cat out)" $'\e\\[1mREASON .*P50 .*MAX\e\\[m' "a terminal's width, and titles in bold"
on_terminal 70 env TERM=xterm NO_COLOR=1 COLUMNS=200 "$report" --source split.json >out
is "$(titles | head -n 1)" 'REASON EXITS KERNEL USER OFFCPU MEAN P99 MAX' 'which goes before COLUMNS'
is "$(grep -c $'\e' out)" 0 'no colours under NO_COLOR'
is "$(on_terminal 80 env TERM=xterm NO_COLOR= "$report" --source split.json | grep -c $'\e')" 1 'which has to be something'
is "$(on_terminal 80 env TERM=dumb "$report" --source split.json | grep -c $'\e')" 0 'nor on a dumb terminal'
is "$(on_terminal 80 env -u TERM "$report" --source split.json | grep -c $'\e')" 0 'or an unknown one'
is "$(TERM=xterm split | grep -c $'\e')" 0 'or in a file'

echo '# TSC cycles'
split --cycles >out
is "$(column 3 cpuid out) $(column 7 cpuid out) $(column 9 cpuid out)" '2000000 2000 11000' '--cycles: all digits'
is "$(split --cycles | column 2 cpuid /dev/stdin)" 1000 'of times alone'
is "$(split --cycles --format json)" "$(split --format json)" 'which JSON has in any case'

echo '# names of VMs'
mkdir -p root/proc/4100
# named NAME REGEX ARGUMENT…: the name of a VM of a process with these arguments
named() {
	local wanted=$1 name=$2
	shift 2
	printf '%s\0' "$@" >root/proc/4100/cmdline
	is "$(KVMSTAT_SYSROOT=$tmp/root preload "$report" --format json | jq -r '.vms[0].name // "none"')" "$wanted" "$name"
}
echo qemu >root/proc/4100/comm
named web 'a name' qemu-system-x86_64 -m 64 -name web -nographic
named web 'with a path' /usr/bin/qemu-system-x86_64 -name web
named web "and QEMU's options" kvm --name web,process=x,debug-threads=on
named web "as libvirt has it" qemu-kvm -name guest=web,debug-threads=on
named 'a,b' 'with a comma' qemu -name 'a,,b,process=x'
named none 'no name' qemu-system-x86_64 -m 64
named none 'an option without its value' qemu-system-x86_64 -name
named none 'an empty one' qemu-system-x86_64 -name ''
named none 'another program' firecracker -name web
named '?[31mred' 'nothing that drives a terminal' qemu -name $'\e[31mred'
named "$(printf '%039d' 0)" 'a long one is cut' qemu -name "$(printf '%050d' 0)"
echo bash >root/proc/4100/comm
named none 'a pid that is another process here' qemu -name web
echo qemu >root/proc/4100/comm
printf 'qemu\0-name\0web\0' >root/proc/4100/cmdline
KVMSTAT_SYSROOT=$tmp/root preload "$report" --format json >named.json
"$report" --source named.json --by vm >out
is "$(titles | head -n 1)/$(awk '$1 == 1 { print $3, $4 }' out)" ' VM PID COMMAND NAME STATE EXITS SHARE GUEST KERNEL USER OFFCPU/qemu web' \
	'in the table'
is "$("$report" --source named.json --by vm --format csv | cut -d , -f 1-4 | tail -n 1)" '1,4100,qemu,web' 'in CSV'
is "$("$report" --source named.json --by vm --format openmetrics | grep -c '^kvmstat_exits_total.*comm="qemu",name="web"')" "$(jq '.reasons | length' named.json)" \
	'in metrics'
is "$(split --by vm | grep -c NAME)" 0 'where there is none there is no column'
rm root/proc/4100/cmdline
KVMSTAT_SYSROOT=$tmp/root succeeds 'a process that is gone' preload "$report"

echo '# reasons of each VM'
split --by vm,reason >out
is "$(titles | head -n 1)" ' VM COMMAND REASON EXITS KERNEL USER OFFCPU MEAN P99 MAX' '--by vm,reason'
is "$(awk '$1 == "VM" { on = 1; next } /^---/ { on = 0 } on { n += $(NF - 6) } END { print n }' out)" \
	"$(column 2 total out)" 'its exits add up to the total'
is "$(file --by vcpu,reason --sort name | awk '$1 == "VM" { on = 1; next } /^---/ { exit } on { print $1 "/" $2 "/" $4 "/" $(NF - 4) }' |
	tr '\n' ' ')" '1/0/cpuid/1000 1/0/msr/100 1/1/write_cr3/30 2/0/PF/10 2/0/npf/20 ' 'each vCPU has its own'
is "$(file --by vm,reason --sort exits --top 2 | grep -c '^(3 more')" 1 'and --top cuts them'
for by in vm,reason vm,class vm,detail vcpu,reason vcpu,class vcpu,detail; do
	is "$(split --by $by --format json | jq -c '[.by, ([.groups[].exits] | add), ([.groups[].kernel_cycles] | add)]')" \
		"$(jq -c --arg by $by '[$by, .totals.exits, .totals.kernel_cycles]' split.json)" "--by $by: all there is"
	is "$(split --by $by --format csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "exits") at = i; next }
		{ n += $at } END { print n }')" "$(jq .totals.exits split.json)" "--by $by in CSV"
done
is "$(split --by vcpu,reason --format json | jq -c '[.groups[] | select(.vm == 1 and .vcpu == 0)] |
	map([.name, .level // 1, .exits]) | sort')" \
	"$(jq -c '[.vms[] | select(.id == 1).vcpus[] | select(.id == 0).reasons[]] | map([.name, .level // 1, .exits]) | sort' split.json)" \
	'a vCPU has its own'
is "$(split --by vm,reason --format json | jq -c '[.groups[] | select(.vm == 1 and .name == "msr")] | map([.exits, .p50, .max])')" \
	"$(split --vm 1 --format json | jq -c '[.reasons[] | select(.name == "msr")] | map([.exits, .p50, .max])')" \
	'and a VM the percentiles that --vm has'
is "$(split --by vm,reason --sort p99 --top 1 | awk '$1 == "VM" { getline; print $3 }')" cpuid '--sort p99, too'
is "$(split --by vm,reason --sort name --format json | jq -c '[.groups[] | [.vm, .name]] | . == sort_by(.[0])')" true '--sort name'
is "$(split --by vm,reason --format json | jq 'del(.by, .groups)')" "$(split --format json | jq .)" 'beside the reasons'
for by in reason,vm vm,vcpu 'vm,' ,reason vm,reason,class 'vm, reason'; do
	fails 2 '--by.*"vm,reason"|--by.*like vm,reason' "--by '$by'" "$report" --by "$by"
done
fails 2 '--by.*VMs in common' 'diff --by vm,reason' "$report" diff --by vm,reason split.json split.json
fails 2 '--by.*VMs of its own' 'stat -r 2 --by vcpu,class' "$report" stat -r 2 --by vcpu,class -- true
fails 2 '--by vm.*Enter' 'top --by vm,reason' "$report" top --by vm,reason

split --by class >out
is "$(column 2 MSR_READ out)/$(column 2 MSR_WRITE out)/$(column 2 MMIO out)/$(column 2 L2_CPUID out)" 30/20/5/50 \
	'--by class: as fine as the details are'
is "$(grep ^CLASS out | tr -s ' ')" 'CLASS EXITS KERNEL SHARE USER OFFCPU MEAN P99 MAX' \
	'what can best be done without is left out'
is "$(awk 'length > 80' out)" '' 'in 80 columns'
is "$(split --by vm | awk '$3 == "qemu" { print $8, $9, $10, $11 }')" '3.00ms 1.38ms 450us 5.00ms' '--by vm'
is "$(split --by vcpu --format json | jq -c '.groups[0] | [.vm, .vcpu, .kernel_cycles, .wall_cycles]')" \
	'[1,0,2755000,20000000]' '--by vcpu in JSON'

# was_refused FILTER PLACE NAME: as refused, of the run with details
was_refused() {
	jq "$1" split.json >changed.json
	fails 1 "changed.json: $2" "$3" "$report" --source changed.json
}
msr='.reasons[2]'
is "$(jq -r "$msr.name" split.json)" msr 'which is'
was_refused '.totals.kernel_cycles += 1' '\$.totals.cycles: is not the sum' 'cycles that do not add up'
was_refused 'del(.reasons[0].kernel_cycles) | .reasons[0].user_cycles = 1' \
	'\$.reasons\[0\].cycles: is not the sum' 'nor do these'
was_refused '.reasons[0].offcpu_cycles = "1"' '\$.reasons\[0\].offcpu_cycles: want' 'cycles in a string'
was_refused '.vms[0].vcpus[0].wall_cycles = -1' '\$.vms\[0\].vcpus\[0\].wall_cycles: is negative' \
	'a time that is negative'
was_refused '.reasons[0].level = 3' '\$.reasons\[0\].level: is neither' 'a level that there is not'
was_refused '.reasons[0].histogram = {}' '\$.reasons\[0\].histogram: want an array' 'a histogram of another type'
was_refused '.reasons[0].histogram[1] = 7' '\$.reasons\[0\].histogram\[1\]: want an array' 'a bucket of another type'
was_refused '.reasons[0].histogram[1][1] = -7' '\$.reasons\[0\].histogram\[1\]\[1\]: is negative' \
	'a bucket with less than nothing'
was_refused '.reasons[0].histogram[1] = [10240]' '\$.reasons\[0\].histogram\[1\]\[1\]: want .*nothing' \
	'half a bucket'
was_refused '.reasons[0].histogram[1][0] = 10241' '\$.reasons\[0\].histogram\[1\]\[0\]: is not where' \
	'a bucket that there is not'
was_refused '.reasons[0].histogram[1] = [896, 100]' '\$.reasons\[0\].histogram\[1\]: .*twice' 'a bucket twice'
was_refused 'del(.reasons[0].ended) | .reasons[0].histogram[0][1] = 9223372036854774784 |
	.reasons[0].histogram[1][1] = 2048' '\$.reasons\[0\].histogram\[1\]\[1\]: is too big' \
	'a histogram that overflows'
was_refused '.reasons[0].ended = 5' '\$.reasons\[0\].ended: is not the sum' 'other exits than buckets'
was_refused '.reasons[0].min = 500' '\$.reasons\[0\].min: is not in' 'a minimum in no bucket'
was_refused '.reasons[0].max = 500' '\$.reasons\[0\].max: is not in' 'a maximum in no bucket'
was_refused '.reasons[0].sd = 1e300' '\$.reasons\[0\].sd: is too big' 'a spread out of bounds'
was_refused '.reasons[0].bounds = 1' '\$.reasons\[0\].bounds: want true' 'a flag of another type'
was_refused "$msr.details = 1" '\$.reasons\[2\].details: want an array' 'details of another type'
was_refused "$msr.details[0] = 1" '\$.reasons\[2\].details\[0\]: want an object' 'a detail of another type'
was_refused "$msr.details[0].detail = \"sideways\"" '\$.reasons\[2\].details\[0\].detail: is no detail' \
	'an unknown detail'
was_refused "del($msr.details[0].exits)" '\$.reasons\[2\].details\[0\].exits: .*nothing' 'a detail without exits'
was_refused "$msr.details[0].exits = 31" '\$.reasons\[2\].details: have other exits' 'details that do not add up'
# 2 * (2^63 - 1024) + 2098 is 50, the exits of the reason, in 64 bits.
jq "$msr.details |= [.[0] * {exits: 9223372036854774784},
	{detail: \"touch\", exits: 9223372036854774784, cycles: 0}, .[1] * {exits: 2098}]" split.json >changed.json
fails 1 'changed.json: .*details: have too many' 'details that add up by overflow' "$report" --source changed.json
with '.runs = 2 | .vms = [] | .reasons[].per_run = {exits: {mean: 1, sd: 1}, cycles: {mean: 1, sd: 2000}}'
"$report" --source changed.json >out
is "$(column 3 cpuid out)/$(column 7 cpuid out)" 1/1.00us 'an older mean of runs: its spreads'
jq 'del(.reasons[0] | .min, .max, .sd, .ended)' split.json >changed.json
succeeds 'a histogram alone' "$report" --source changed.json --format json
is "$(jq -c '.reasons[0] | [.ended, .min, .max, .bounds, .sd]' out)" '[1000,896,12287,true,null]' \
	'bounds its extremes, and tells no spread'
"$report" --source changed.json >out
is "$(awk '$1 == "cpuid" { print $NF; exit }' out)" '<6.14us' 'which the table says'

jq '.reasons[4] |= (.exits = 20 | .cycles += 90000 | .kernel_cycles += 90000) |
	.totals |= (.exits += 10 | .cycles += 90000 | .kernel_cycles += 90000)' split.json >more.json
"$report" diff split.json more.json >out
is "$(column 5 hlt out)/$(column 6 hlt out)/$(column 7 hlt out)" 45.0us/90.0us/2.00x 'diff: kernel cycles, without sleep'
is "$(grep -o 'KERNEL before' out)" 'KERNEL before' 'as it says'
is "$("$report" diff split.json more.json --format json | jq -c '.reasons[] | select(.name == "hlt") |
	[.before.cycles.mean, .before.kernel_cycles.mean, .kernel_ratio, .cycles_ratio < 1.01]')" \
	'[10090000,90000,2,true]' 'in JSON both'
"$report" diff split.json more.json --by detail >out
is "$(column 2 'msr write' out)/$(column 3 'cpuid (L2)' out)" 20/50 'diff --by detail'
is "$("$report" diff split.json more.json --by detail --format json |
	jq -c '[(.details[] | select(.detail == "write") | [.name, .after.exits.mean]), (.reasons | length)]')" \
	'[["msr",20],5]' 'in JSON'
"$report" diff split.json more.json --by class >out
is "$(column 2 MSR_READ out)/$(column 2 MSR_WRITE out)/$(grep -c merged out)" 30/20/0 'classes that both tell apart'
"$report" diff split.json "$data/amd.json" --by class >out
is "$(column 2 MSR out)/$(column 3 MSR out)/$(column 2 NESTED_PAGE_FAULT out)/$(grep -c merged out)" 50/100/12/1 \
	'are merged where one run does not'
is "$(grep -c 'TIME unknown' out)/$(column 5 HLT out)" 1/5.04ms 'and all cycles are compared where one has no others'
"$report" diff split.json "$data/intel.json" >out
is "$(column 2 MSR_READ out)/$(column 3 MSR_READ out)/$(column 2 MMIO out)/$(column 2 NESTED_PAGE_FAULT out)" \
	30/50/5/7 'AMD and Intel: MSRs and MMIO'

echo 'bad 999 0 1' >>state
fails 1 'names buckets that are not there' 'a snapshot with buckets that are not there' preload "$report"
sed -i 's/^bad.*/bad 0 139 2/' state
fails 1 'more buckets than a histogram' 'or with too many' preload "$report"
sed -i '$d' state
FAKE_HOOKS=3 fails 0 'does not tell the module' 'a module that cannot see userspace' preload "$report"

echo '# diff'
jq '.paging = "shadow" | .reasons[4] |= (.exits = 1010 | .cycles = 1010000) |
	.reasons[3].exits = 0 | .totals.exits = 2140' "$data/amd.json" >shadow.json
succeeds 'diff' "$report" diff "$data/amd.json" shadow.json
is "$(column 2 'PF excp' out)/$(column 3 'PF excp' out)/$(column 4 'PF excp' out)" \
	10/1010/101x 'a reason in both modes'
is "$(column 2 npf out)/$(column 3 npf out)/$(column 4 npf out)" 20/0/gone 'a reason that is gone'
is "$(column 4 total out)" 1.84x 'the total'
is "$(awk 'length > 80' out)" '' 'in 80 columns'
"$report" diff --format json "$data/amd.json" shadow.json >pair.json
is "$(jq -c '[.schema, .before.paging, .after.paging, .after.totals.exits, .runs]' pair.json)" \
	'["kvmstat-diff/1","npt","shadow",2140,1]' 'diff as JSON'
is "$(jq -c '.reasons[] | select(.name == "PF excp") |
	[.class, .before.exits.mean, .after.exits.mean, .ratio, .significant]' pair.json)" \
	'["PAGE_FAULT",10,1010,101,false]' 'a row of it'
"$report" diff "$data/amd.json" shadow.json >out
"$report" diff pair.json >out2
is "$(cat out2)" "$(cat out)" 'a saved comparison is shown as the two were'
succeeds 'an AMD and an Intel run' "$report" diff "$data/amd.json" "$data/intel.json"
is "$(column 2 MSR out)/$(column 3 MSR out)" 100/110 'are compared by class'
is "$(column 2 CR_ACCESS out)/$(column 3 CR_ACCESS out)" 30/40 'as far as both can tell'
fails 1 'before.schema|schema' 'diff of one run' "$report" diff "$data/amd.json"
fails 1 'nowhere' 'diff with no such file' "$report" diff "$data/amd.json" nowhere.json
jq '.after.totals.exits = "x"' pair.json >bad.json
fails 1 'bad.json: \$.after.totals.exits' 'a comparison with a flaw' "$report" diff bad.json


echo '# what to know before believing a comparison'
"$report" diff "$data/amd.json" "$data/amd.json" >out
is "$(grep ^Note out)" 'Note: with one run on a side nobody can tell a change from chance: measure both' 'single runs'
# of each reason the same spread
jq '.runs = 5 | .vms = [] | .command = "make -j2" | .reasons[] |=
	(.per_run = {exits: {mean: .exits, sd: 10}, cycles: {mean: .cycles, sd: 2000}})' "$data/amd.json" >five.json
jq '.reasons |= map(if .name == "cpuid" then .exits += 14 elif .name == "msr" then .exits += 15 else . end |
	.per_run.exits.mean = .exits) | .totals.exits += 29' five.json >six.json
"$report" diff five.json six.json >out
# t for 97.5 % and 8 degrees of freedom is 2.306; 2.306 * sqrt(2 * (100 + 1 / 12) / 5) = 14.59
is "$(column 5 cpuid out)/$(column 6 cpuid out)/$(column 5 msr out)/$(column 6 msr out)" '14.6/1.00ms/14.6/*' \
	'a change of 14 +- 14.6 may be chance, one of 15 is none'
is "$(grep -c ^Note out)/$(grep -c '^+- half' out)" 0/1 'which needs no note'
is "$("$report" diff five.json six.json --format json | jq -c '.notes, (.reasons[] | select(.name == "msr") |
	[.change.exits.mean, (.change.exits.ci95 | map(. * 100 | round / 100)), .significant, .cycles_significant])' | tr '\n' ' ')" \
	'[] [15,[0.41,29.59],true,false] ' 'in JSON'
is "$("$report" diff five.json six.json --format csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
	$at["name"] == "msr" { printf "%s %.2f %s", $at["exits_change"], $at["exits_change_ci95"], $at["significant"] }')" '15 14.59 1' 'in CSV'
is "$("$report" diff "$data/amd.json" six.json --format json | jq -c '.reasons[0].change.exits.ci95, .notes[-1]' | cut -c 1-29 | tr '\n' ' ')" \
	'null "with one run on a side nobod ' 'one run and five'
on_terminal 80 env TERM=xterm "$report" diff five.json six.json >out
is "$(grep -c $'^\e\\[31mmsr ' out)/$(grep -c $'^\e\\[3.mcpuid ' out)" 1/0 'more is red'
on_terminal 80 env TERM=xterm "$report" diff six.json five.json >out
is "$(grep -c $'^\e\\[32mmsr ' out)" 1 'less is green'
# note FILTER REGEX NAME: the same run, changed so
note() {
	jq "$1" five.json >other.json
	"$report" diff five.json other.json >out
	like "$(sed -n '/^Note/,/^$/p' out | tr '\n' ' ')" "$2" "$3"
	is "$("$report" diff five.json other.json --format json | jq '.notes | length')" 1 'and nothing else'
}
note '.command = "make -j4"' '"make -j2" before, "make -j4" after' 'other commands'
note 'del(.command)' 'before.*"make -j2".*the other is not' 'a command and none'
note '.kernel = "6.12.0"' '6.1.0-test before, 6.12.0 after' 'other kernels'
note '.source = "bpf"' 'module before, bpf after' 'other sources'
note '.tsc_khz = 3000000' '2000 MHz before, 3000 MHz after' 'other TSCs'
is "$(column 8 cpuid out)/$("$report" diff five.json other.json --cycles | column 8 cpuid /dev/stdin)" 0.67x/1.00x 'whose times compare'
# The same times, in cycles of half the length, are no change; the same cycles are one.
jq '.tsc_khz *= 2 | .reasons[] |= (.cycles *= 2 | .per_run.cycles |= map_values(. * 2)) | .totals.cycles *= 2' \
	five.json >same.json
for pair in 'five.json same.json 1 false' 'same.json five.json 1 false' 'five.json other.json 0.667 true'; do
	read -r before after ratio mark <<<"$pair"
	is "$("$report" diff "$before" "$after" --format json | jq -c '.reasons[] | select(.name == "cpuid") |
		[(.cycles_ratio * 1000 | round / 1000), .cycles_significant]')" "[$ratio,$mark]" "cpuid, $before and $after: by time"
	is "$("$report" diff "$before" "$after" --format csv | tr -d '\r' | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
		$at["name"] == "cpuid" { printf "%.3g/%s", $at["cycles_ratio"], $at["cycles_significant"] }')" \
		"$ratio/$([ "$mark" = true ] && echo 1 || echo 0)" 'in CSV, too'
done
note '.selection = "--vm 1"' 'all before, --vm 1 after' 'other VMs'
note '.window_ns *= 2' '5.00 s before, 10.0 s after' 'another length of time'
is "$(jq '.window = "command" | .window_ns *= 2' five.json >other.json; jq '.window = "command"' five.json >again.json
	"$report" diff again.json other.json | grep -c ^Note)" 0 'which of a command is a result'
note '.runs = 2' '2 runs on a side are few' 'two runs'
jq '.tsc_khz += 1' five.json >other.json
is "$("$report" diff five.json other.json | grep -c ^Note)" 0 'the same TSC, measured again'
"$report" diff five.json "$data/intel.json" >out
like "$(sed -n '/^Note/,/^$/p' out | tr '\n' ' ')" 'svm before, vmx after' 'other CPUs'

echo '# stat, on a device that is preloaded'
# The guest: a VM more in the state, with the exits of the mode in force.
cat >guest <<'GUEST'
#!/bin/sh
if [ "$(cat "$KVMSTAT_SYSROOT/sys/module/kvm_amd/parameters/npt")" = Y ]; then
	cells='cell 0x72 100 100000
ended 60 500
ended 40 1750
cell 0x400 5841 9000000'
else
	cells='cell 0x72 100 100000
cell 0x4e 28286 90000000
cell 0x13 17227 400000000
cell 0x79 41074 800000000'
fi
n=$(($(grep -c '^vm' "$FAKE_KVMSTAT") + 1))
printf 'vm %s 77 0 guest\nvcpu 0 1000 0\n%s\n' "$n" "$cells" >>"$FAKE_KVMSTAT"
exit "${1:-0}"
GUEST
chmod 755 guest
export KVMSTAT_SYSROOT=$tmp/root
new_state() {
	cat >state <<-STATE
		head 1 0 0 2
		vm 1 4100 1 qemu
		vcpu 0 5000 3
		cell 0x72 1000 2000000
		cell 0x78 10 90000000
	STATE
}
new_state
fake() { preload "$report" "$@"; }
succeeds 'show' fake
is "$(column 2 cpuid out)/$(column 2 hlt out)" 1000/10 'its counts'
fake --format json >show.json
is "$(jq -c '[.source, .isa, .paging, .tsc_khz, .totals.untraced]' show.json)" \
	'["module","svm","npt",2000000,3]' 'show as JSON'
succeeds 'stat' fake stat -o stat.json -- ./guest
is "$(cat out)" '' '-o: nothing on stdout'
is "$(jq -c '[.totals.exits, .totals.untraced, (.vms | length), .vms[0].comm, .window]' stat.json)" \
	'[5941,0,1,"guest","command"]' 'the window has what COMMAND caused, and no more'
is "$(stat -c %a stat.json)" "$(printf '%o' $((0666 & ~0$(umask))))" 'the file has the usual permissions'
succeeds "COMMAND's output" fake stat -- echo hello
like "$(head -n 1 out)" '^hello$' 'comes first'
succeeds 'stat -r 3' fake stat -r 3 --format json -- ./guest
is "$(jq -c '[.runs, .totals.exits, (.vms | length), .reasons[0].per_run.exits]' out)" \
	'[3,5941,0,{"mean":5841,"sd":0}]' 'is the mean run'
is "$(jq -c '.reasons[] | select(.name == "cpuid") | [.exits, .kernel_cycles, .ended, .ended_cycles, .mean, .p50, .p90, .max]' out)" \
	'[100,100000,300,300000,1000,500,1663,1750]' 'with the histogram of all three'
cp out mean.json
for format in openmetrics prometheus; do
	fails 1 'mean of 3 runs, and no counter' "the mean of runs as $format" "$report" --source mean.json --format $format
	fails 2 '--format.*not' "stat -r as $format" fake stat -r 3 --format $format -- true
done
is "$("$report" --source mean.json --format json)" "$(cat mean.json)" 'which can be read back'
cat >busier <<'BUSIER'
#!/bin/sh
sed -i 's/^cell 0x72 1000 .*/cell 0x72 1005 2015000/; s/^ended 1000 .*/ended 1000 2000\nended 5 3000/' "$FAKE_KVMSTAT"
BUSIER
chmod 755 busier
new_state
sed -i '/^cell 0x72 1000 /a ended 1000 2000' state
succeeds 'stat, of a VM that was there before' fake stat --format json -- ./busier
is "$(jq -c '.reasons[0] | [.exits, .kernel_cycles, .ended, .min, .max, .bounds, .p50]' out)" \
	'[5,15000,5,2560,3000,true,2815]' 'has the histogram of the window, its extremes as bounds'
new_state
fails 3 "'./guest' exited with status 3" 'COMMAND fails' fake stat -- ./guest 3
is "$(column 2 npf out)" 5841 'the report is there all the same'
# shellcheck disable=SC2016 # $$ is COMMAND's
fails 137 'ended by signal 9' 'COMMAND is killed' fake stat -- sh -c 'kill -9 $$'
fails 1 "cannot run './nothing': No such file" 'no such COMMAND' fake stat -- ./nothing
is "$(cat out)" '' 'no report'
fails 1 'nodir/x.json: .*No such file' '-o where there is no directory' \
	fake stat -o nodir/x.json -- touch ran
ok 'COMMAND was not run' test ! -e ran
fails 1 '/dev/full: .*No space' '-o onto a full disk' fake stat -o /dev/full -- ./guest
is "$(jq .totals.exits out)" 5941 'the report is on stdout instead'
succeeds 'stat --html' fake stat -o stat.json --html stat.html -- ./guest
is "$(embedded stat.html | jq -S .)" "$(jq -S . stat.json)" 'the page has the same'
fails 1 '/dev/full: .*No space' '--html onto a full disk' fake stat --html /dev/full -- ./guest
is "$(column 2 npf out)" 5841 'the report is there all the same'
fails 1 'nodir/x.html: .*No such file' '--html where there is no directory' \
	fake stat -o unmade.json --html nodir/x.html -- touch ran
is "$(find . -name ran -o -name 'unmade.json*')" '' 'nothing was run, and no report is left'
fails 3 "status 3" '--html, COMMAND fails' fake stat --html failed.html -- ./guest 3
is "$(embedded failed.html | jq .totals.exits)" 5941 'the page has it, too'
echo old >kept.json
fails 1 'not a thing' 'an older file' fake stat -o kept.json -- './not a thing'
is "$(cat kept.json)/$(find . -name 'kept.json.*')" old/ 'stays, nothing else is left'
ln -s kept.json link.json
fake stat -o link.json -- ./guest
is "$(test -L link.json && jq .totals.exits kept.json)" 5941 'a symbolic link is followed'
fails 1 'reset' 'a reset in the window' fake stat -- \
	sh -c "sed -i 's/^head 1 0/head 1 1/' state"
new_state
fails 1 'no VM .*99' 'stat of an unknown VM' fake stat --vm 99 -- ./guest
is "$(fake stat --vm 1 --format json -- ./guest | jq .totals.exits)" 0 'stat of an idle VM'
is "$(fake -i 0.01 -n 3 --format json | jq -s -c 'map(.window)')" \
	'["interval","interval","interval"]' 'intervals are a line each'
fails 1 'No space left' 'intervals onto a full disk' sh -c \
	"LD_PRELOAD=$tmp/fake.so '$report' -i 0.01 >/dev/full"
succeeds 'reset' fake reset
is "$(fake --format json | jq .totals.exits)" 0 'all is 0'
new_state
fails 1 '/dev/full: .*No space' 'COMMAND fails, and the disk is full' fake stat -o /dev/full -- ./guest 3
fails 1 'in run 2: the report is of the 1 before it' 'the second of three runs fails' fake stat -r 3 -- \
	sh -c './guest; [ ! -e once ] || exit 1; : >once'

echo '# stat --own'
fails 2 '--own.*--help' 'show --own' fake show --own
# Tells where its VM is, and has one made by a process that it leaves behind.
cat >own <<'OWN'
#!/bin/sh
rm -f left-behind last
vm() {
	n=$(($(grep -c '^vm' "$FAKE_KVMSTAT") + 1))
	printf 'vm %s %s 0 %s\nvcpu 0 1000 0\ncell 0x72 %s 100\n' "$n" "$1" "$2" "$3" >>"$FAKE_KVMSTAT"
}
vm $$ direct 1
vm 77 stranger 10
(setsid sh -c 'echo $$ >left-behind' &)
until [ -s left-behind ]; do sleep 0.01; done
vm "$(cat left-behind)" orphan 100
vm "$PPID" reporter 1000
i=0
while [ $((i += 1)) -le 300 ]; do (:); done
sh -c 'echo $$' >last
vm "$(cat last)" last 10000
OWN
chmod 755 own
new_state
if fake stat --own -- true >out 2>err; then
	fake stat --own --format json -- ./own >out
	is "$(jq -r .selection out)" --own '--own is told'
	is "$(jq -c '.vms | map(.comm)' out)/$(jq .totals.exits out)" '["direct","orphan","last"]/10101' \
		'VMs of COMMAND, and of what it started'
	is "$(fake stat --format json -- ./own | jq '.vms | length')" 5 'all of them without it'
	new_state
	is "$(fake stat --own -r 2 --format json -- ./own | jq -c '[.runs, .totals.exits]')" '[2,10101]' 'in each of several runs'
	new_state
	succeeds 'no VM of its own' fake stat --own -- true
	fails 7 'status 7' 'its status, too' fake stat --own -- sh -c 'exit 7'
	fails 1 'not in a container' 'in a pid namespace' preload unshare --pid --fork "$report" stat --own -- true
else
	like "$(cat err)" 'CAP_NET_ADMIN|in a container' "--own: why it cannot be, here"
fi
new_state

# Ctrl-C: to COMMAND, whose window so far is reported.
cat >interrupt <<'INTERRUPT'
#!/bin/bash
# With SIGINT at its default, as a shell that a person types at has it.
env --default-signal=INT LD_PRELOAD=$FAKE "$1" stat --format json -- sh -c '
	trap "exit 5" INT; ./guest; : >up; while :; do sleep 0.05; done' &
while ! [ -e up ]; do sleep 0.05; done
kill -INT $!
wait $!
INTERRUPT
chmod 755 interrupt
FAKE=$tmp/fake.so fails 5 'exited with status 5' 'SIGINT in stat' ./interrupt "$report"
is "$(jq .totals.exits out)" 5941 'the window so far is reported'

echo '# paging, on a tree and with a modprobe of our own'
mkdir bin
cat >bin/rmmod <<'RMMOD'
#!/bin/sh
echo "rmmod $*" >>log
[ -e "$KVMSTAT_SYSROOT/sys/module/$1" ] || exit 1
rm -r "$KVMSTAT_SYSROOT/sys/module/$1"
RMMOD
cat >bin/modprobe <<'MODPROBE'
#!/bin/sh
# Takes what is set, else has defaults that are not the tree's.
echo "modprobe $*" >>log
[ -z "$MODPROBE_FAILS" ] || ! [ -e break-now ] || { echo 'modprobe: broken' >&2; exit 1; }
case "$*" in *"${MODPROBE_REFUSES:-nothing at all}"*) exit 1 ;; esac
dir=$KVMSTAT_SYSROOT/sys/module/$1
mkdir -p "$dir/parameters"
echo 0 >"$dir/refcnt"
for default in npt=Y avic=N pause_filter_count=0 sev=Y; do
	echo "${default#*=}" >"$dir/parameters/${default%%=*}"
done
shift
for setting; do
	value=${setting#*=}
	case $setting in npt=0) value=${NPT_STUCK:-N} ;; npt=1) value=Y ;; esac
	echo "$value" >"$dir/parameters/${setting%%=*}"
done
MODPROBE
chmod 755 bin/*
export PATH=$tmp/bin:$PATH MODPROBE_FAILS='' MODPROBE_REFUSES='' NPT_STUCK=''
mode() { cat root/sys/module/kvm_amd/parameters/npt; }
parameters() { (cd root/sys/module/kvm_amd/parameters && cat npt avic pause_filter_count) | tr '\n' ' '; }
fresh() {
	fake_tree "$1"
	new_state
	rm -f log up break-now
}
fresh Y
succeeds 'paging' fake paging -o paging.json -- ./guest
ok "the issue's own check" jq -e '.before.paging == "npt" and .after.paging == "shadow" and
	.before.totals.exits > 5000 and .after.totals.exits > 2 * .before.totals.exits' paging.json
is "$(grep -c . log)/$(sed -n 2p log)/$(sed -n 4p log | grep -o npt=.)" \
	'6/modprobe kvm_amd npt=1 avic=Y pause_filter_count=3000 sev=N/npt=0' 'nested first, then shadow' ||
	cat log
is "$(parameters)" 'Y Y 3000 ' 'mode and parameters are as before'
fresh Y
succeeds 'paging -r 3' fake paging -r 3 -- ./guest
for row in 'npf 5841 0 gone' 'invlpg 0 41074 new' 'write_cr3 0 17227 new' 'PF excp 0 28286 new' \
	'cpuid 100 100 1.00x'; do
	name=${row% * * *}
	is "$name $(column 2 "$name" out) $(column 3 "$name" out) $(column 4 "$name" out)" "$row" \
		"the table has $name"
done
like "$(cat out)" 'verified before and after each run' 'it says that the mode was verified'
fresh N
succeeds 'paging, from shadow paging' fake paging -- ./guest
is "$(parameters)" 'N Y 3000 ' 'back to shadow paging'
is "$(sed -n 2p log | grep -c sev)/$(sed -n 4p log | grep -c sev=N)" 0/1 \
	"what shadow paging switched off is not carried into nested paging"

# left_as_before NAME: the mode is, whoever restores it gets ten seconds
left_as_before() {
	local i
	for i in $(seq 100); do
		tail -n 1 log | grep -q "npt=${2:-1}" && ! pgrep -f "^$report paging" >/dev/null && break
		sleep 0.1
	done
	is "$(parameters)" "${3:-Y} Y 3000 " "$1: the mode is as before (after $i tries)"
}
fresh Y
fails 1 "'./guest' exited with status 3.*put back" 'COMMAND fails' fake paging -- ./guest 3
is "$(cat out)" '' 'nothing is reported'
left_as_before 'COMMAND fails'
fresh Y
fails 1 'exited with status 4' 'COMMAND fails under shadow paging' \
	fake paging -- sh -c 'grep -q Y root/sys/module/kvm_amd/parameters/npt || exit 4'
left_as_before 'COMMAND fails under shadow paging'
fresh Y
fails 1 'cannot run' 'no such COMMAND' fake paging -- ./nothing
left_as_before 'no such COMMAND'
fresh Y
fails 1 'mode is "shadow" after the run' 'somebody else changes the mode' \
	fake paging -- sh -c 'echo N >root/sys/module/kvm_amd/parameters/npt'
left_as_before 'somebody else changes the mode'

# Signals, in either mode: while COMMAND runs, and has a child that outlives it.
for paging in Y N; do
	for signal in INT TERM KILL HUP QUIT; do
		[ $paging$signal != NHUP ] || break	# the same as the others by now
		fresh Y
		# Jobs of a script ignore SIGINT: kept so once, to be made to end.
		defaults=--default-signal=INT,QUIT
		[ $signal$paging != INTY ] || defaults=
		# shellcheck disable=SC2086 # none, or one
		LD_PRELOAD=$tmp/fake.so env $defaults "$report" paging -- sh -c "
			grep -q $paging root/sys/module/kvm_amd/parameters/npt || exit 0
			sleep 31.5 & echo \$! >left; : >up; wait" >out 2>err &
		pid=$!
		while ! [ -e up ]; do sleep 0.05; done
		kill -$signal $pid
		wait $pid 2>/dev/null
		status=$?
		is "$status" "$([ $signal = KILL ] && echo 137 || echo 1)" "SIG$signal under npt=$paging: status"
		left_as_before "SIG$signal under npt=$paging"
		sleep 0.1
		kill -0 "$(cat left)" 2>/dev/null && grep -q 'State:.*[RSD]' "/proc/$(cat left)/status"
		is $? 1 "SIG$signal under npt=$paging: nothing of COMMAND is left"
	done
done

# A slow modprobe is not cut in the middle.
fresh Y
mv bin/modprobe bin/real
printf '#!/bin/sh\n: >up\nsleep 0.5\nexec real "$@"\n' >bin/modprobe
chmod 755 bin/modprobe
LD_PRELOAD=$tmp/fake.so "$report" paging -- ./guest >out 2>err &
pid=$!
while ! [ -e up ]; do sleep 0.05; done
kill -KILL $pid
wait $pid 2>/dev/null
left_as_before 'SIGKILL in the middle of a reload'
mv bin/real bin/modprobe

fresh Y
mkdir -p root/proc/4321/fd
echo qemu-system-x86 >root/proc/4321/comm
ln -s anon_inode:kvm-vm root/proc/4321/fd/11
fails 1 'in use by: pid 4321 \(qemu-system-x86\)' 'a VM holds the module' fake paging -- ./guest
ok 'nothing was touched' test ! -e log
fresh Y
echo 2 >root/sys/module/kvm_amd/refcnt
fails 1 'in use \(2 times\)' 'a VM that cannot be seen holds it' fake paging -- ./guest
fresh Y
rm -r root/sys/module/kvm_amd
fails 1 'no KVM vendor module' 'no vendor module' fake paging -- ./guest
fresh Y
rm root/sys/module/kvm_amd/refcnt
fails 1 'built into' 'a vendor module that is built in' fake paging -- ./guest
fresh Y
NPT_STUCK=Y fails 1 'mode in force is "npt"' 'a mode that is not to be had' fake paging -- ./guest
left_as_before 'a mode that is not to be had'
fresh Y
MODPROBE_REFUSES=avic fails 1 'did not accept' 'parameters that are refused' fake paging -- ./guest
like "$(cat err)" 'parameter avic was Y before' 'what could not be restored is named'
is "$(column 2 npf out)" 5841 'the report is there all the same'
fresh Y
MODPROBE_FAILS=1 fails 1 'cannot load' 'modprobe fails' fake paging -- sh -c ': >break-now'
like "$(cat err)" 'NOT AS IT WAS.*sudo rmmod kvm_amd; sudo modprobe kvm_amd npt=1' 'the command to type is named'
fresh Y
fails 1 'nodir.*No such file' 'paging -o where there is no directory' \
	fake paging -o nodir/p.json -- ./guest
ok 'nothing was touched' test ! -e log
fresh Y
fails 1 'No space' 'paging -o onto a full disk' fake paging -o /dev/full -- ./guest
is "$(jq .after.totals.exits out)" 86687 'the report is on stdout instead'
left_as_before 'paging -o onto a full disk'
fresh Y
succeeds 'paging --html' fake paging -o paging.json --html paging.html -- ./guest
is "$(embedded paging.html | jq -S .)" "$(jq -S . paging.json)" 'the page has the same'
fresh Y
fails 1 '/dev/full: .*No space' 'paging --html onto a full disk' fake paging --html /dev/full -- ./guest
is "$(column 2 npf out)" 5841 'the report is there all the same'
left_as_before 'paging --html onto a full disk'
fresh Y
fails 1 'nodir/x.html: .*No such file' 'paging --html where there is no directory' \
	fake paging -o unmade.json --html nodir/x.html -- ./guest
is "$(test -e log; echo $?)/$(find . -name 'unmade.json*')" 1/ 'nothing was touched, and no report is left'
done_testing
