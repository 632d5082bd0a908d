#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The forms that results come in: table, CSV, JSON and metrics have the same numbers,
# JSON follows its schema, CSV is RFC 4180's, OpenMetrics is what others take for
# it. Runs of a device that is preloaded, which has all there may be, and runs of
# the lab.
set -u
tests=$(realpath "$(dirname "$0")")
tree=$(dirname "$tests")
. "$tests/tap.sh"
"$tests/deps" formats || exit 1
report=${REPORT:-$tree/build/kvmstat-report}
data=$tests/data
schema=$tree/share/kvmstat.schema.json
promtool=$("$tests/prometheus/fetch")/promtool || exit 1
tmp=$(mktemp -d)
trap 'cleanup' EXIT
cleanup() {
	mountpoint -q "$tmp/readonly" && umount "$tmp/readonly"
	rm -rf "$tmp"
}
cd "$tmp" || exit 1
chmod 755 .
${CC:-cc} -std=gnu11 -O1 -shared -fPIC -o fake.so "$tests/unit/fake_device.c" -ldl || exit 1
export FAKE_KVMSTAT=$tmp/state
fake() { LD_PRELOAD=$tmp/fake.so "$report" "$@"; }

echo '# all there may be'
# Two VMs and the sum of earlier ones, details, L2, codes that are not known, exits
# that did not end, and a name that has to be quoted.
cat >state <<'STATE'
head 1 0 7 2
vm 0 0 2
vcpu 0 1000000 0
wall 3000000
cell 0x72 77 154000
ended 77 2000
vm 1 4100 1 q,"u\e
vcpu 0 6000000 2
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
cell 0x777 3 9000000
ended 3 3000000
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
vcpu 1 5000000 1
wall 9000000
cell 0x72 10 30000
ended 10 3000
cell 0x7b 4 4000
vm 2 4200 0 guest
vcpu 0 100000 0
wall 1000000000
cell 0x7b 1 900000000
ended 1 900000000
STATE
fake --format json >full.json
is "$(jq -c '[.vms[] | [.retired, .comm, (.vcpus | length)]]' full.json)" \
	'[[true,"",1],[null,"q,\"u\\e",2],[null,"guest",1]]' 'the run is what it is meant to be'
jq '.reasons |= map(select(.ended != 0) | del(.min, .max, .sd))' full.json >bounded.json
jq 'del(.. | objects | .kernel_cycles?, .user_cycles?, .offcpu_cycles?, .histogram?, .ended?) | .tsc_khz = 2000000' \
	"$data/intel.json" >old.json
cat >guest <<'GUEST'
#!/bin/sh
# More exits in each run, by an amount of its own.
n=$(($(grep -c '^vm' "$FAKE_KVMSTAT") + 1))
printf 'vm %s 77 0 guest\nvcpu 0 1000 0\ncell 0x72 %s %s\nended %s 1003\ncell 0x400 %s 70000\nended 7 10000\ncell 0x7b %s 4000\n' \
	$n $((100 + n)) $((1003 * (100 + n))) $((100 + n)) "$1" $((n % 3 + 5)) >>"$FAKE_KVMSTAT"
GUEST
chmod 755 guest
fake stat -r 3 -o mean.json -- ./guest 7
fake stat -r 3 -o mean2.json -- ./guest 4711
"$report" diff mean.json mean2.json --format json >pair.json
"$report" diff full.json "$data/intel.json" --format json >classes.json
is "$(jq '[.reasons[] | .significant] | sort | unique | length' pair.json)" 2 'a comparison with both verdicts'
for run in full bounded old mean pair classes; do
	relay "$run" "$tests/formats/agree" "$report" $run.json
done

echo '# views'
# rows FORMAT OPTIONS…: what the rows are called
rows() {
	case $1 in
	csv) "$report" --source full.json --format csv "${@:2}" | awk -F, 'NR > 1 { print $1 }' ;;
	openmetrics) "$report" --source full.json --format openmetrics "${@:2}" |
		sed -n 's/^kvmstat_exits_total.*reason="\([^"]*\)".*/\1/p' ;;
	esac | tr '\n' ' '
}
for format in csv openmetrics; do
	is "$(rows $format --top 3 --sort mean)" 'io 0x777 cpuid ' "$format: --top and --sort"
	is "$(rows $format --vm 2)" 'io ' "$format: --vm"
	is "$(rows $format --vm 1 --vcpu 1)" 'cpuid io ' "$format: --vcpu"
done

echo '# CSV'
"$report" --source full.json --format csv --by vm >out
is "$(sed -n 2p out | cut -d, -f1-6)" '1,4100,"q,""u\e",,1' 'quotes and commas are quoted'
is "$(grep -c $'\r$' out)/$(grep -c . out)" 4/4 'lines end with CR and LF'
is "$(sed -n 3p out | cut -d, -f1-3)" ',,(earlier VMs)' \
	'the sum of earlier VMs has no id'
# A guest with an exit every 10 ms or so, as long as it is watched.
busy() {
	local n=1
	while sleep 0.01; do
		n=$((n + 1))
		sed "s/^cell 0x7b 4 4000/cell 0x7b $((4 * n)) $((4000 * n))/" idle >next && mv next state
	done
}
cp state idle
busy &
guest=$!
fake -i 0.5 -n 6 --format csv --by vcpu >intervals.csv
kill $guest
wait $guest 2>/dev/null
cp idle state
is "$(grep -n '^time,window_ns,vm,vcpu' intervals.csv | cut -d: -f1)" 1 'intervals: one header'
# A busy machine may leave the guest without an exit in some.
rows=$(($(grep -c . intervals.csv) - 1))
ok 'and a row for each in which there were exits' test $rows -ge 2 -a $rows -le 6
is "$(awk -F, 'NR > 1 { print $1 }' intervals.csv | sort -u | wc -l)" $rows 'each has its time'
now=$(date -u +%s)
is "$(awk -F, 'NR > 1 { print $1 }' intervals.csv | sort -u | while read -r time; do
	[[ $time =~ ^20[0-9-]{8}T[0-9:]{8}\.[0-9]{3}Z$ ]] || echo "form: $time"
	at=$(date -u -d "$time" +%s)
	[ $((now - at)) -ge 0 ] && [ $((now - at)) -lt 60 ] || echo "not now: $time"
done)" '' 'which is now, by the wall clock'
is "$(awk -F, 'NR > 1 && ($2 < 200000000 || $2 > 30000000000)' intervals.csv)" '' 'and its length'

echo '# an interval, in each form at once'
# in_an_interval: all of them at once; what the device tells changes in its middle. Each
# has a length of its own, so there is no room for the rate.
in_an_interval() {
	local forms=() by format
	local -x COLUMNS=72
	cp idle state
	for by in reason class detail vm vcpu; do
		for format in table csv json; do
			fake -i 3 -n 1 --by $by --format $format >"interval-$by.$format" &
			forms+=($!)
		done
	done
	sleep 1.5
	sed 's/^cell 0x7b 4 4000/cell 0x7b 11 21000/; s/^cell 0x72 10 30000/cell 0x72 14 44000/
		s/^ended 10 3000/ended 14 3000/' idle >next
	mv next state
	wait "${forms[@]}"
}
cp state idle
# A busy machine may start one of them too late.
for _ in 1 2 3; do
	in_an_interval
	[ "$(grep -c '^total .* 11 ' interval-*.table | grep -c :1)" -ne 5 ] ||
		[ "$(jq -c .totals.exits interval-*.json | sort -u)" != 11 ] || break
done
cp idle state
is "$(jq -c '[.window, .totals.exits]' interval-reason.json)" '["interval",11]' 'what there was in it'
for by in reason class detail vm vcpu; do
	interval=interval-$by.json
	is "$(cut -d, -f3- interval-$by.csv)" "$("$report" --source $interval --by $by --format csv | cut -d, -f3-)" \
		"CSV by $by has what JSON has"
	is "$(sed 1,3d interval-$by.table)" "$(COLUMNS=72 "$report" --source $interval --by $by | sed 1,3d)" "so has the table by $by"
	is "$("$report" --source $interval --by $by --format csv | sed 1d | grep -cv "^,$(jq .window_ns $interval),")" 0 \
		"a saved one has its length, and no time"
	is "$(jq -c '.totals, .reasons' $interval)" "$(jq -c '.totals, .reasons' interval-reason.json)" "so has JSON by $by"
	relay "an interval by $by" "$tests/formats/agree" "$report" $interval
done

echo '# metrics'
for by in reason class detail vm vcpu; do
	"$report" --source full.json --by $by --format prometheus >out
	ok "promtool check metrics, --by $by" sh -c "'$promtool' check metrics <out"
	"$report" --source full.json --by $by --format openmetrics >out
	ok "and of OpenMetrics, --by $by" sh -c "'$promtool' check metrics <out"
done
for per in vm vcpu; do
	"$report" --source full.json --format openmetrics --by $per >out
	for what in reason class detail; do
		is "$("$report" --source full.json --format openmetrics --by $per,$what | diff - out | head)" '' "--by $per,$what is --by $per"
	done
done
"$report" --source full.json --format openmetrics --by vm >out
is "$(grep -c 'comm="q,\\"u\\\\e"' out)" 30 'labels are escaped'
is "$(grep -c '_bucket' out)" 0 'no histograms by VM'
# The same family under both of a counter's names, "# HELP kvmstat_exits", is refused by either.
is "$("$report" --source full.json --format openmetrics | grep '^# [TU]' | tr '\n' '/')" \
	'# TYPE kvmstat_info gauge/# TYPE kvmstat_exit_kernel_duration_seconds histogram/'\
'# UNIT kvmstat_exit_kernel_duration_seconds seconds/' 'OpenMetrics: types and units'
is "$("$report" --source full.json --format prometheus | grep -c '^# TYPE kvmstat_.*_total counter$')" 7 \
	'the older format: counters have their type'
is "$(jq '.tsc_khz = 0' full.json >unknown.json; "$report" --source unknown.json --format openmetrics |
	grep -c seconds)" 0 'no times where the frequency is not known'
fails 2 'prometheus.*use table, csv or json' 'metrics of a comparison' "$report" diff a b --format prometheus
fails 2 'openmetrics.*use table, csv or json' 'metrics of paging' "$report" paging --format openmetrics -- true
fails 2 'openmetrics.*use table, csv or json' 'metrics of intervals' fake -i 1 -n 1 --format openmetrics

echo '# JSON and its schema'
# conforms NAME FILE…
conforms() {
	local name=$1
	shift
	ok "$name" "$tests/schema_check" "$schema" "$@"
}
for by in class detail vm vcpu; do
	fake --by $by --format json >by-$by.json
	"$report" diff full.json full.json --by $by --format json >diff-$by.json 2>/dev/null
done
fake -i 0.05 -n 3 --format json >intervals.json
jq 'del(.comment)' "$data/amd.json" >amd.json
conforms 'runs' full.json by-*.json mean.json intervals.json amd.json
"$report" reasons --format json >reasons.json
"$report" reasons --isa svm npf --format json >npf.json
"$report" caps --msrs "$data/bochs.msrs" --format json >caps.json
mkdir -p older/proc/sys/kernel
echo 6.1.0 >older/proc/sys/kernel/osrelease
KVMSTAT_SYSROOT=$tmp/older "$report" reasons --format json >older.json
is "$(jq '[.reasons[].handled] | unique' -c older.json)" '[null,false,true]' 'reasons of a release, not all of which are known'
conforms 'reasons' reasons.json npf.json older.json
conforms 'capabilities' caps.json
conforms 'comparisons' pair.json classes.json diff-class.json diff-detail.json
# wrong FILE FILTER WHERE NAME: the document, changed so, is refused, there
wrong() {
	jq "$2" "$1" >changed.json
	"$tests/schema_check" "$schema" changed.json >out
	is "$?" 1 "$4 is wrong"
	like "$(cat out)" "$3" "…and where"
}
wrong full.json 'del(.schema)' "'schema'" 'no schema'
wrong full.json '.schema = "kvmstat/2"' '\$.schema' 'another schema'
wrong full.json 'del(.totals.exits)' '\$.totals: .exits' 'a total that is missing'
wrong full.json '.reasons[1].exits = "3"' '\$.reasons\[1\].exits' 'a count in a string'
wrong full.json '.vms[1].vcpus[0].reasons[0].exits = -3' '\$.vms\[1\].vcpus\[0\].reasons\[0\].exits' 'a negative count'
wrong full.json '.reasons[0].histogram[0] = [1]' '\$.reasons\[0\].histogram\[0\]' 'half a bucket'
wrong full.json '.isa = "arm"' '\$.isa' 'another isa'
wrong full.json '.reasons[0].colour = "red"' 'colour' 'a field that the schema does not name'
wrong reasons.json '.reasons[3].handled = "no"' '\$.reasons\[3\].handled' 'handled in a string'
wrong reasons.json 'del(.reasons[3].cause)' "'cause'" 'a reason without a cause'
wrong caps.json '.groups[0].controls[0].in_use = true' '\$.groups\[0\].controls\[0\].in_use' 'a use that is none'
wrong caps.json '.groups[0].features = []' '\$.groups\[0\]' 'both controls and features'
wrong pair.json 'del(.after)' "'after'" 'a comparison with one side'
wrong pair.json '.reasons[0].ratio = "2x"' '\$.reasons\[0\].ratio' 'a ratio in a string'
wrong pair.json '.before.totals.lost = null' '\$.before.totals.lost' 'a wrong run in a comparison'

echo '# output that cannot be written'
# cannot NAME REGEX COMMAND…: status 1, and one message, like that
cannot() {
	local status
	timeout 30 "${@:3}" 2>err >&2
	status=$?
	is "$status/$(grep -c . err)" 1/1 "$1: status 1, one message" || cat err
	like "$(cat err)" "^kvmstat: .*standard output: $2" "$1: says so"
}
# A line for each: what it is, and its arguments.
while IFS='|' read -r name arguments; do
	# Of what is measured, and shown live, the device is preloaded.
	preload=''
	[[ $arguments != stat* && $arguments != -i* ]] || preload="export LD_PRELOAD=$tmp/fake.so;"
	cannot "$name onto a full disk" 'No space left' bash -c "$preload exec '$report' $arguments >/dev/full"
	cannot "$name to a closed output" 'Bad file descriptor' bash -c "$preload exec '$report' $arguments >&-"
	cannot "$name into a closed pipe" 'Broken pipe' bash -c "
		exec 9> >(exec true); wait \$!; $preload exec '$report' $arguments >&9"
done <<LIST
table|--source full.json
CSV|--source full.json --format csv
JSON|--source full.json --format json
OpenMetrics|--source full.json --format openmetrics
the older metrics|--source full.json --format prometheus
a comparison|diff pair.json
a comparison as CSV|diff pair.json --format csv
a comparison as JSON|diff pair.json --format json
intervals|-i 0.05
intervals as CSV|-i 0.05 --format csv
intervals as JSON|-i 0.05 --format json
a window|stat -- true
a window as CSV|stat --format csv -- true
a window as JSON|stat --format json -- true
windows|stat -r 2 -- true
reasons|reasons
reasons as JSON|reasons --format json
capabilities|caps --msrs $data/bochs.msrs
capabilities as JSON|caps --msrs $data/bochs.msrs --format json
usage|--help
version|--version
LIST
# A reader that has enough after a line.
for arguments in '-i 0.05 --format json' 'reasons --format json'; do
	LD_PRELOAD=$tmp/fake.so timeout 30 bash -c "'$report' $arguments | head -n 1 >/dev/null
		exit \${PIPESTATUS[0]}" 2>err
	is "$?/$(cat err)" '1/kvmstat: cannot write the results to standard output: Broken pipe' "$arguments, of which one line is read"
done
is "$(fake stat -o closed.json -- echo hello 2>/dev/null >&-; jq -r .schema closed.json)" kvmstat/1 \
	'what COMMAND prints to a closed output is not in the report'
ok 'where nothing is printed a closed output is none of our business' bash -c "'$report' textfile --source full.json . >&-"
for path in /dev/full nodir/x; do
	why='No space left'
	[ $path = /dev/full ] || why='No such file'
	fails 1 "$path: .*$why" "-o $path" fake stat -o $path -- true
	fails 1 "$path: .*$why" "--html $path" "$report" --source full.json --html $path
	fails 1 "$path: .*$why" "diff --html $path" "$report" diff pair.json --html $path
done

echo '# textfile'
mkdir metrics
textfile() { "$report" textfile --source full.json "$@"; }
(umask 077 && textfile metrics)
is "$(cat metrics/kvmstat.prom)" "$("$report" --source full.json --format prometheus)" 'the metrics, whole'
is "$(stat -c %a metrics/kvmstat.prom)/$(ls -A metrics)" 644/kvmstat.prom 'readable for all, and nothing else'
textfile --by vm metrics
is "$(cat metrics/kvmstat.prom)" "$("$report" --source full.json --format prometheus --by vm)" '--by vm'
: >metrics/.kvmstat.prom.new
chmod 600 metrics/.kvmstat.prom.new
textfile metrics
is "$(stat -c %a metrics/kvmstat.prom)/$(ls -A metrics)" 644/kvmstat.prom 'what a killed one left is taken over'
is "$(LC_ALL=C strace -f -e trace=openat,fsync,rename,renameat,renameat2 "$report" textfile --source full.json metrics 2>&1 |
	grep -A9 'openat.*prom.new' | grep -o '^[a-z0-9]*' | tr '\n' ' ')" 'openat fsync renameat ' 'on the disk before it is renamed'
mkfifo metrics/.kvmstat.prom.new
ok 'a FIFO in its way' timeout 10 "$report" textfile --source full.json metrics
echo precious >precious
ln -s ../precious metrics/.kvmstat.prom.new
ok 'a symbolic link in its way' textfile metrics
is "$(cat precious)/$(ls -A metrics)" precious/kvmstat.prom 'is not followed'
fails 2 'DIR' 'without DIR' "$report" textfile
fails 1 'nowhere: .*No such file' 'no such directory' textfile nowhere
fails 1 'full.json: .*Not a directory' 'a file' textfile full.json
fails 1 'mean.json: .*mean of 3 runs' 'a mean' "$report" textfile --source mean.json metrics
cp metrics/kvmstat.prom before.prom
fails 1 'nowhere.json' 'no such source' "$report" textfile --source nowhere.json metrics
is "$(cat metrics/kvmstat.prom)" "$(cat before.prom)" 'the older file stays'
mkdir metrics2 metrics2/kvmstat.prom
fails 1 'metrics2/kvmstat.prom: cannot replace' 'a directory of that name' textfile metrics2
is "$(ls -A metrics2)" kvmstat.prom 'nothing is left'
if [ "$(id -u)" -eq 0 ]; then
	mkdir closed
	chmod 755 closed
	cp "$report" report
	fails 1 'closed/kvmstat.prom: .*Permission denied' 'a directory of others' \
		setpriv --reuid=65534 --regid=65534 --clear-groups ./report textfile --source full.json closed
	is "$(ls -A closed)" '' 'nothing is left'
	mkdir readonly
	if mount -t tmpfs -o size=16k tmpfs readonly 2>/dev/null; then
		fails 1 'readonly/kvmstat.prom: .*No space left' 'a full file system' textfile readonly
		is "$(ls -A readonly)" '' 'nothing is left'
		mount -o remount,ro readonly
		fails 1 'readonly/kvmstat.prom: .*Read-only' 'a read-only file system' textfile readonly
		fails 1 'readonly/x.json: .*Read-only' '-o there' fake stat -o readonly/x.json -- true
		fails 1 'readonly/x.html: .*Read-only' '--html there' "$report" --source full.json --html readonly/x.html
		fails 1 'readonly/x.html: .*Read-only' 'diff --html there' "$report" diff pair.json --html readonly/x.html
		umount readonly
	fi
fi

echo '# the lab'
cat >lab.sh <<'LAB'
cd "$LAB_OUT" || exit
echo 1 >/sys/module/kvmstat/parameters/guest_spaces
kvmstat-report stat -o touch.json -- kvmstat-guest run touch >/dev/null &&
	kvmstat-report stat -o runs.json -r 2 -- kvmstat-guest run hello >/dev/null &&
	kvmstat-report paging -o paging.json -- kvmstat-guest run hello >/dev/null &&
	kvmstat-report --by vcpu --format json >all.json &&
	kvmstat-report spaces --format json >spaces.json &&
	kvmstat-report spaces --format csv >spaces.csv &&
	for format in table csv json; do
		kvmstat-report spaces --format $format 2>&1 >/dev/full | tr '\n' ' ' && echo "${PIPESTATUS[0]}"
	done >spaces.full &&
	kvmstat-report -i 0.2 -n 2 --format json >live.json &&
	kvmstat-report reasons --format json >reasons.json &&
	kvmstat-report caps --format json >caps.json &&
	kvmstat-report textfile . && kvmstat-report --format prometheus >twice.prom
LAB
ok 'reports of a guest in the lab' "$tree/tests/lab/run" --load --timeout 200 --out lab --add "$tmp/lab.sh" -- \
	bash "$tmp/lab.sh"
conforms 'follow the schema' lab/*.json
wrong lab/spaces.json 'del(.vms[0].list[0].cr3)' 'cr3' 'an address space without its CR3'
is "$(sed -n 's/\r$//; 2,$p' lab/spaces.csv)" "$(jq -r '.vms[] | . as $vm | .list[] | [$vm.id, $vm.pid, $vm.comm,
	($vm.complete, $vm.folded | if . then 1 else 0 end), .cr3, .first_tsc, .last_tsc, .switches, .entries] |
	map(tostring) | join(",")' lab/spaces.json | while IFS=, read -r vm pid comm complete folded cr3 rest; do
		printf '%s,%s,%s,%s,%s,%#x,%s\n' "$vm" "$pid" "$comm" "$complete" "$folded" "$cr3" "$rest"; done)" \
	'address spaces: CSV has what JSON has'
is "$(uniq -c lab/spaces.full | sed 's/^ *//')" \
	'3 kvmstat: cannot write the results to standard output: No space left on device 1' 'address spaces onto a full disk'
like "$(cat lab/spaces.csv)" '^vm,pid,.*'$'\r'$'\n''[0-9]+,' '…and there are some'
for run in touch runs paging all; do
	relay "the lab: $run" "$tests/formats/agree" "$report" lab/$run.json
done
is "$(grep -v '^#' lab/kvmstat.prom)" "$(grep -v '^#' lab/twice.prom)" 'textfile from the module' 
ok 'promtool takes it' sh -c "'$promtool' check metrics <lab/kvmstat.prom"
done_testing
