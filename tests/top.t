#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kvmstat-report top, in a real terminal (tmux): a saved run, a device that is preloaded
# (tests/unit/fake_device.c), and in the lab guests whose exits are known. What is on the
# screen is compared; the terminal is as it was on every way out.
# tests/top.t no-lab: without those in the lab; on Intel, too, with make check-all.
# shellcheck disable=SC2317 # functions called by name
set -u
self=$(realpath "$0")
. "$(dirname "$self")/tap.sh"
cd "$(dirname "$self")/.." || exit 1
tree=$PWD
report=${REPORT:-$tree/build/kvmstat-report}
tmp=$(mktemp -d)
export LC_ALL=C.UTF-8
unset NO_COLOR TMUX

# A server for each terminal: one that is at its end takes nobody any more.
terminals=0
tm() { tmux -S "$tmp/tmux.$terminals" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; rm -rf "$tmp"' EXIT

# open_terminal WIDTH HEIGHT [NAME=VALUE…]: one with an interactive shell in it
open_terminal() {
	local size=(-x "$1" -y "$2")
	shift 2
	[ "$terminals" -eq 0 ] || tm kill-server 2>/dev/null
	terminals=$((terminals + 1))
	tm new-session -d "${size[@]}" \
		"cd '$tmp' && exec env PS1='\$ ' LC_ALL=C.UTF-8 $* bash --norc --noprofile"
	tm set-option -g status off >/dev/null
	sees '^\$' || { echo 'Bail out! No shell in a terminal'; exit 1; }
}
screen() { tm capture-pane -p "$@"; }
keys() { tm send-keys "$@"; }
type_line() { tm send-keys -l "$1" && tm send-keys Enter; }
# sees REGEX: it comes on the screen, all of which is drawn; the lab is slow
tries=60
[ -z "${LAB_OUT:-}" ] || tries=400
sees() {
	local i
	for ((i = 0; i < tries; i++)); do
		screen >"$tmp/screen" 2>/dev/null
		sleep 0.05
		grep -qE -e "$1" "$tmp/screen" && screen | cmp -s - "$tmp/screen" && return
	done
	return 1
}
# shows REGEX NAME
shows() {
	sees "$1"
	verdict $? "$2" "no /$1/ in:" "$(cat "$tmp/screen")"
}
# row NAME [N]: the first N fields (all) of the row of that name, as last seen
row() { awk -v name="$1" -v n="${2:-99}" 'index($0, name " ") == 1 {
	for (i = 1; i <= NF && i <= n; i++) printf "%s%s", (i > 1 ? " " : ""), $i; print ""; exit }' "$tmp/screen"; }
# order: what the rows begin with, from the titles on
order() { awk '/^(VM|VCPU|REASON|CLASS) / { on = 1; next } /^$/ || /^q quit/ || /kernel time of|: of no exit/ { on = 0 }
	on { printf "%s ", $1 }' "$tmp/screen"; }
# selected: the name of the row that is in reverse
selected() { screen -e | sed '$d' | sed -nE $'s/^(\e\\[[0-9;]*m)*\e\\[([0-9]*;)*7m(\e\\[[0-9;]*m)*([^ ]+).*/\\4/p'; }
# selects ROW NAME: in a moment
selects() {
	local i
	for ((i = 0; i < tries; i++)); do
		[ "$(selected)" = "$1" ] && break
		sleep 0.1
	done
	is "$(selected)" "$1" "$2"
}
terminal() { tm display -p '#{alternate_on}#{cursor_flag}'; }

shells_child() { pgrep -P "$(tm display -p '#{pane_pid}')"; }

# run_top COMMAND…: with what stty says before and after it
run_top() {
	type_line "clear; stty -a >before; $*; status=\$?; stty -a >after; echo status \$status"
}
# in_top COMMAND…: runs it, and waits until it has drawn
in_top() {
	run_top "$@"
	shows '^(VM|VCPU|REASON|CLASS) ' "$*: opens"
	is "$(terminal)" 10 '…on the alternate screen, without a cursor'
}
# left NAME STATUS: the shell is back, and the terminal as before
left() {
	shows "^status $2\$" "$1: status $2"
	is "$(terminal)" 01 '…the alternate screen is left, the cursor is back'
	# The window may have another size by now.
	is "$(sed 's/rows [0-9]*; columns [0-9]*;//' "$tmp/after")" \
		"$(sed 's/rows [0-9]*; columns [0-9]*;//' "$tmp/before")" '…stty says what it said before'
}

fake_device() {
	"${CC:-cc}" -std=gnu11 -O1 -shared -fPIC -o "$tmp/fake.so" tests/unit/fake_device.c -ldl
}
# state [EXITS OF CPUID] [INSTANCE] [GENERATION]
state() {
	cat >"$tmp/state.new" <<-STATE
		head ${2:-1} ${3:-0} 0 2
		vm 1 4100 1 qemu-system-x86
		vcpu 0 6000000 0
		wall 20000000
		cell 0x72 ${1:-1000} 2000000
		ended 900 1000
		ended 100 11000
		cell 0x72 50 500000
		l2
		ended 50 10000
		cell 0x7c 30 30000
		detail 1
		ended 30 1000
		cell 0x78 10 90000
		time 0 10000000
		ended 9 10000
		vcpu 1 1000000 0
		wall 2000000
		cell 0x13 25 20000
		vm 2 4200 0 kvmstat-guest
		vcpu 0 100 0
		cell 0x7b 14 9000
	STATE
	mv "$tmp/state.new" "$tmp/state"
}

no_terminal() {
	echo '# no terminal, or none to draw on'
	"$report" top --source "$file" </dev/null >"$tmp/out" 2>"$tmp/err"
	is "$?$(cat "$tmp/out")" 1 'no terminal: status 1, nothing on stdout'
	is "$(cat "$tmp/err")" 'kvmstat: top: standard input is no terminal: use "kvmstat-report show" instead' '…and it says so'
	script -qec "$report top --source $file >$tmp/out 2>$tmp/err; echo \$? >$tmp/status" /dev/null >/dev/null </dev/null
	is "$(cat "$tmp/status" "$tmp/out" "$tmp/err")" \
		$'1\nkvmstat: top: standard output is no terminal: use "kvmstat-report show" instead' 'nor is standard output one'
	script -qec "$report top --source $file </dev/null 2>$tmp/err; echo \$? >$tmp/status" /dev/null >"$tmp/out" </dev/null
	is "$(cat "$tmp/status" "$tmp/out" "$tmp/err")" \
		$'1\nkvmstat: top: standard input is no terminal: use "kvmstat-report show" instead' 'standard input alone'
	local term text
	for term in dumb nothing-known ''; do
		case $term in
		dumb) text='TERM=dumb has no screen to draw on' ;;
		?*) text="terminfo has nothing on the terminal TERM=$term" ;;
		*) text='TERM is not set' ;;
		esac
		script -qec "TERM=$term $report top --source $file; echo status \$?" /dev/null </dev/null >"$tmp/out"
		like "$(tr -d '\r' <"$tmp/out")" "^kvmstat: top: (a terminal )?$text.*(use|set).*status 1" "TERM='$term': a message, status 1"
		is "$(grep -c $'\e' "$tmp/out")" 0 '…and nothing else'
	done
	"$report" top --sort size 2>"$tmp/err"
	is "$?$(grep -c '"size" is not one of name, exits, rate' "$tmp/err")" 21 '--sort size: wrong usage'
	"$report" top -i 1 --source "$file" 2>"$tmp/err"
	is "$?$(grep -c 'a file does not' "$tmp/err")" 21 '-i of a file: wrong usage'
	open_terminal 80 24
	type_line "$report top --source nowhere.json; echo status \$?"
	shows '^status 1' 'no such file: status 1'
	shows '^kvmstat: nowhere.json: .*No such file' '…and a message'
	type_line "clear; $report top --source $file --vm 77; echo status \$?"
	shows '^kvmstat: no VM has the id or pid 77; there are: 1 \(pid 4100' 'no such VM: a message'
	shows '^status 1' '…and status 1'
}

saved_run() {
	echo '# a saved run'
	open_terminal 80 24
	in_top "$report" top --source "$file"
	like "$(head -n 1 "$tmp/screen")" '^Source:  module, saved in /' 'where it is from'
	is "$(sed -n 2,8p "$tmp/screen")" 'Linux 6.1.0-test, AMD SVM, nested paging (npt)
5.00 s since the module was loaded or reset; VMs: 2 (1 alive), vCPUs: 3
all VMs: VMs by rate
VM       PID COMMAND            EXITS RATE/s  GUEST   TIME
all                              1160    232  75.0%  25.0%
1       4100 qemu-system-x86     1130    226  78.1%  21.9%
2       gone kvmstat-guest         30      6  16.4%  83.6%' 'the whole head and all rows'
	selects all 'the selected row is the sum'
	is "$(tail -n 1 "$tmp/screen")" 'q quit  ? help  Enter in  Bksp out  s sort  / filter  p pause  h histogram' 'the help line'
	keys Down
	selects 1 'Down: the first VM'
	keys Enter
	shows '^VM 1 \(pid 4100, qemu-system-x86\): vCPUs by rate$' 'Enter: into a VM'
	is "$(order)" 'all 1/0 1/1 ' '…its vCPUs'
	keys j Right
	shows '^VM 1 \(pid 4100, qemu-system-x86\), vCPU 0: reasons by rate$' 'Right: into a vCPU'
	is "$(row all 3)/$(row cpuid 3)/$(row msr 3)" 'all 1100 220/cpuid 1000 200/msr 100 20' '…its reasons'
	keys BSpace Left
	shows '^all VMs: VMs' 'Backspace, Left: out again'
	keys Home Enter Enter
	shows '^all VMs: reasons' 'Home, Enter, Enter: all reasons'
	is "$(order)" 'all cpuid msr write_cr3 npf PF ' '…by their rate'
	keys M
	shows 'reasons by mean$' 'M: by mean'
	is "$(order)" 'all npf msr write_cr3 cpuid PF ' '…another order'
	keys r
	shows 'reasons by mean, reversed$' 'r: reversed'
	is "$(order)" 'all PF cpuid write_cr3 msr npf ' '…the other way round'
	keys s
	shows 'reasons by name$' 's: the next column'
	is "$(order)" 'all PF cpuid msr npf write_cr3 ' '…by name'
	keys / c R
	shows '^Filter: cR_' '/: asks for a filter'
	is "$(order)" 'all write_cr3 ' '…which holds as it is typed'
	keys Enter
	shows 'by name; only "cR"$' 'Enter: it is kept'
	keys Escape
	shows 'by name$' 'Esc: it is gone'
	keys / z z Enter
	shows '^\(nothing has that in its name, pid or command: Esc clears it\)$' 'a filter that nothing matches'
	is "$(row 'all ' 3)" 'all 1160 232' '…the sum stays'
	keys Escape
	sees 'by name$'
	keys '?'
	shows '^kvmstat-report top: VM exits as they happen' '?: a help page'
	is "$(awk 'length > 80' "$tmp/screen")$(grep -c '^Any key goes back' "$tmp/screen")" 1 '…which fits'
	keys x
	shows '^REASON' 'any key: back'
	keys h
	shows 'of no exit is known what it took' 'h: a histogram, where there is one'
	keys q
	left q 0

	jq '.window_ns *= 100' "$file" >"$tmp/long.json"
	in_top "$report" top --source long.json --by reason
	is "$(row cpuid 3)/$(row PF 4)" 'cpuid 1000 2/PF excp 10 <1' 'less than one a second is not none'
	keys q
	left q 0

	in_top "$report" top --source "$tree/tests/data/intel.json"
	is "$(order | cut -d' ' -f 1-3)" 'all CPUID MSR_WRITE' 'a file without VMs: their reasons'
	keys Left Left
	shows '^\(no VM is known\)$' '…and out of them'
	keys q
	left q 0

	in_top "$report" top --source "$file" --by class --sort name --vm 1
	is "$(order)" 'all CPUID CR_WRITE MSR ' '--by class, --sort name, --vm'
	keys C-c
	left Ctrl-C 0
}

sizes() {
	echo '# other sizes'
	local size bad=''
	open_terminal 120 40
	in_top "$report" top --source "$file" --by reason
	like "$(tail -n 1 "$tmp/screen")" 'r reverse$' '120x40: the whole help line'
	keys h
	for size in '40 10' '20 5' '10 3' '1 1' '200 60' '5 30' '80 2' '80 24'; do
		# shellcheck disable=SC2086 # two words
		tm resize-window -x ${size% *} -y ${size#* }
		sleep 0.3
		keys j '?' x k Enter BSpace / a Escape
		[ "$(terminal)" = 10 ] || [ "$size" = '1 1' ] || bad+="$size: $(terminal) "
	done
	shows '^VM .*PID|^VCPU|^REASON' 'resized to eight sizes down to 1x1: still there'
	is "$bad" '' '…at every one'
	shows '^q quit.*h histogram$' '…and fits the last one'
	keys q
	left 'q after that' 0

	open_terminal 40 10
	in_top "$report" top --source "$file" --by reason
	is "$(cat "$tmp/screen")" 'all VMs: reasons by rate
REASON       EXITS RATE/s   TIME   MEAN
all           1160    232  25.0% 1.29us
cpuid         1000    200  16.7% 1.00us
msr            100     20   3.3% 2.00us
write_cr3       30      6   0.8% 1.50us
npf             20      4   4.2% 12.5us
PF excp         10      2   0.1%  500ns
untraced: 2 of these exits fired no kvm>
q quit  ? help  Enter in  Bksp out' '40x10: the whole screen'
	keys End h
	tm resize-window -x 40 -y 8
	sees 'PF excp: of no exit'
	is "$(order)" 'all PF ' '40x8: the sum, the selected row, and its histogram'
	tm resize-window -x 30 -y 10
	shows '^REASON       EXITS RATE/s$' '30x10: fewer columns, each of them whole'
	shows '^PF excp: of no exit is known >$' '…and text that says where it is cut'
	keys h
	tm resize-window -x 20 -y 5
	sees '^REASON    RATE/s$'
	is "$(cat "$tmp/screen")" 'all VMs: reasons by>
REASON    RATE/s
all          232
untraced: 2 of thes>
q quit  ? help' '20x5: the whole screen'
	keys q
	left 'q at 20x5' 0
}

live() {
	echo '# a device that counts on'
	state
	open_terminal 80 24 FAKE_KVMSTAT="$tmp/state"
	in_top env "LD_PRELOAD=$tmp/fake.so" "$report" top -i 0.2 --by reason
	shows 'the last 2[0-9][0-9] ms' 'intervals'
	is "$(row cpuid 3)" 'cpuid 1000 0' 'what was counted before, and no rate'
	state 1500
	shows '^cpuid +1500 +2[0-9]{3} ' 'a rate when it counts on'
	shows '^cpuid +1500 +0 .*▁█▁' '…and its trend'
	keys p
	shows '^PAUSED; all VMs' 'p: pause'
	state 1700
	sleep 1
	sees '^PAUSED'
	is "$(row cpuid 2)" 'cpuid 1500' '…nothing changes'
	keys Space
	shows '^cpuid +1700 +[0-9]+ ' 'space: it goes on, and nothing is lost'
	keys Down h
	shows '^cpuid: kernel time of 1000 exits, mean 1.00us, p50 500ns, p99 5.50us, max 5.50us$' 'the histogram of the row'
	like "$(cat "$tmp/screen")" $'384ns\\.\\. +900 █+\n.* 4\\.10us\\.\\. +100 █{7}\n' '…its bars'
	tm resize-window -x 50 -y 24
	shows '^cpuid: kernel time of 1000 exits, mean 1\.00us$' '…in fewer columns: as many figures as fit'
	tm resize-window -x 80 -y 24
	keys h
	state 1800 1 1
	shows '^kvmstat: warning: the counters were reset' 'a reset is told'
	state 1900 1 1
	shows '^cpuid +1900 ' '…and it goes on'
	state 50 2 0
	shows '^kvmstat: warning: the module was loaded anew' 'another load of the module is told'
	echo 'head 1 0 0 3' >"$tmp/state"
	keys Left Left Enter Enter
	shows '^all +0 +' 'nothing at all'
	like "$(cat "$tmp/screen")" $'REASON +EXITS .*TREND\nall .*\n\\(no exit was counted\\)\n' '…below whole titles'
	state 300000000 4
	shows '^cpuid +300M ' 'a great many'
	printf '\e[10;10Hfrom elsewhere' >"$(tm display -p '#{pane_tty}')"
	shows 'from elsewhere' 'what others write on the screen'
	keys C-l
	for _ in $(seq "$tries"); do
		screen | grep -q 'from elsewhere' || break
		sleep 0.1
	done
	is "$(screen | grep -c 'from elsewhere')" 0 '…is gone with Ctrl-L'
	state 60 3
	shows '^cpuid +60 ' 'and everything again'
	keys q
	left q 0

	# As QEMU is called
	bash -c 'exec -a qemu-system-x86_64 bash -c "sleep 1000; :" -name guest=web-frontend-of-many-words,process=x' &
	local qemu=$! vm=$'vcpu 0 6000000 0\ncell 0x72 1000 2000000'
	sleep 0.3
	printf '%s\n' 'head 5 0 0 2' "vm 1 $qemu 1 bash" "$vm" >"$tmp/state"
	in_top env "LD_PRELOAD=$tmp/fake.so" "$report" top -i 0.2
	shows "^1 +$qemu web-frontend-of> +1000 " "QEMU's -name, as much as there is room for"
	tm resize-window -x 110 -y 24
	shows "^1 +$qemu web-frontend-of-many-words +1000 " '…and all of it'
	keys / F R O N T Enter
	selects 1 '…which can be looked for'
	pkill -P $qemu
	kill $qemu
	wait $qemu 2>/dev/null
	printf '%s\n' 'head 5 0 0 2' "vm 1 $qemu 0 bash" "$vm" >"$tmp/state"
	shows '^1 +gone web-frontend-of-many-words ' '…and stays when it is gone'
	keys Enter
	shows "^VM 1 \\(pid $qemu, web-frontend-of-many-words, gone\\): vCPUs" '…and when one is within'
	keys q
	left q 0
	tm resize-window -x 80 -y 24
	state

	in_top env "LD_PRELOAD=$tmp/fake.so" "$report" top -i 1
	keys p
	sleep 3
	keys p
	shows '^the last [3-9]\.[0-9]+ s;' 'a pause is one interval, and no number of them'
	keys q
	left q 0

	in_top env "LD_PRELOAD=$tmp/fake.so" "$report" top -i 60
	like "$(grep '^VM ' "$tmp/screen")" 'OFFCPU TREND$' 'the columns do not change with the first interval'
	keys q
	left q 0

	local signal
	for signal in TERM INT HUP QUIT; do
		in_top env "LD_PRELOAD=$tmp/fake.so" "$report" top -i 0.2
		kill -$signal "$(shells_child)"
		left "SIG$signal" 0
	done

	in_top env "LD_PRELOAD=$tmp/fake.so" "$report" top -i 0.2
	keys C-z
	left 'Ctrl-Z' 148
	# shellcheck disable=SC2016 # the other shell's own
	type_line 'clear; fg; status=$?; stty -a >after; echo status $status'
	shows '^VM +PID' 'fg: it is back'
	is "$(terminal)" 10 '…on the alternate screen'
	keys j Enter
	shows '^VM 1 .*vCPUs by rate' '…and takes keys'
	keys q
	left 'q after that' 0

	in_top env "LD_PRELOAD=$tmp/fake.so" "$report" top -i 0.2
	keys C-z
	left 'Ctrl-Z' 148
	tm resize-window -x 60 -y 20
	type_line 'clear; fg'
	shows '^VM +COMMAND' 'fg in a window of another size'
	is "$(tail -n 1 "$tmp/screen")" 'q quit  ? help  Enter in  Bksp out  s sort  / filter' '…which it fits'
	keys C-z
	sees Stopped
	# shellcheck disable=SC2016 # the other shell's own
	type_line 'clear; pid=$(jobs -p); kill %1; timeout 9 tail --pid=$pid -f /dev/null; status=$?; stty -a >after; echo status $status'
	left 'killed while it is stopped, it is gone' 0
	tm resize-window -x 80 -y 24

	# exit() from somewhere within
	cat >"$tmp/no_memory.c" <<-'C'
		#include <dlfcn.h>
		#include <stddef.h>
		#include <unistd.h>
		extern void *__libc_calloc(size_t nr, size_t size);
		void *calloc(size_t nr, size_t size)
		{
			return access("no-memory", F_OK) ? __libc_calloc(nr, size) : NULL;
		}
	C
	"${CC:-cc}" -shared -fPIC -o "$tmp/no_memory.so" "$tmp/no_memory.c"
	in_top env "'LD_PRELOAD=$tmp/fake.so $tmp/no_memory.so'" "$report" top -i 0.2
	touch "$tmp/no-memory"
	left 'no memory' 1
	shows '^kvmstat: .*memory' '…it says why'
	rm "$tmp/no-memory"

	# A terminal that goes while nobody tells of it
	# shellcheck disable=SC2016 # $0 is another shell's
	in_top env "LD_PRELOAD=$tmp/fake.so" sh -c '"trap \"\" HUP; exec \"\$0\" top -i 0.2"' "$report"
	local pid
	pid=$(shells_child)
	tm kill-server
	for _ in $(seq 50); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	ok 'the terminal is gone: so is it' test ! -e "/proc/$pid"
}

colours() {
	echo '# colours'
	local none
	for none in '' NO_COLOR=1; do
		state
		open_terminal 80 24 FAKE_KVMSTAT="$tmp/state" $none TERM=screen-256color
		in_top env "LD_PRELOAD=$tmp/fake.so" "$report" top -i 0.2
		state 10 7
		sees 'loaded anew'
		is "$(screen -e | grep -c $'\e\\[[0-9;]*31m.*loaded anew')" "$([ "$none" ] && echo 0 || echo 1)" \
			"a warning is red${none:+, but not under $none}"
		keys q
		left q 0
	done
	open_terminal 80 24
	state
	type_line 'export LC_ALL=C'
	in_top env "LD_PRELOAD=$tmp/fake.so FAKE_KVMSTAT=$tmp/state" "$report" top -i 0.2 --by reason
	shows '^cpuid +1000 +0 .* _+$' 'without UTF-8 a trend in ASCII'
	keys Down h
	shows '^ +384ns\.\. +900 #+$' '…and a histogram'
	keys q
	left q 0
}

# In the lab: guests whose exits are known, and which stay when they are done
held=()
hold() {
	mkfifo "$tmp/hold.$1"
	kvmstat-guest run --hold --count "$2" "$1" <"$tmp/hold.$1" >/dev/null &
	held+=($!)
	# Its standard input, which has no end as long as this is open.
	# shellcheck disable=SC2034
	exec {input}>"$tmp/hold.$1"
}
# of PID FIELD: as show has it
of() { kvmstat-report --format json | jq -r --argjson pid "$1" ".vms[] | select(.pid == \$pid) | $2"; }

lab() {
	# As the kernel's tracepoints name them
	local CPUID=cpuid MSR=msr CALL='(hypercall|vmmcall)'
	[ ! -d /sys/module/kvm_intel ] || CPUID=CPUID MSR=MSR_READ CALL=VMCALL
	insmod "$KVMSTAT_KO"
	dmesg -C	# it has said that it is no module of the kernel's own
	hold cpuid 1000
	hold msr-read 300
	local cpuid=${held[0]} msr=${held[1]} i
	for ((i = 0; i < 300; i++)); do
		[ "$(of "$cpuid" ".vcpus[0].reasons[] | select(.name == \"$CPUID\") | .exits")" = 1002 ] &&
			[ "$(of "$msr" ".vcpus[0].reasons[] | select(.name == \"$MSR\") | .exits")" -ge 300 ] && break
		sleep 0.1
	done
	open_terminal 100 30
	in_top kvmstat-report top -i 1 --sort exits
	shows "^[0-9]+ +$cpuid kvmstat-guest +$(of "$cpuid" '[.vcpus[].exits] | add') +0 " 'a VM that stands still: its pid, its exits, no rate'
	is "$(awk -v a="$cpuid" -v b="$msr" '$2 == a || $2 == b { printf "%s ", $2 }' "$tmp/screen")" "$cpuid $msr " 'the most exits first'
	keys r
	shows 'by exits, reversed' 'reversed'
	is "$(awk -v a="$cpuid" -v b="$msr" '$2 == a || $2 == b { printf "%s ", $2 }' "$tmp/screen")" "$msr $cpuid " '…the fewest'
	keys r / && tm send-keys -l "$cpuid" && keys Enter
	shows "only \"$cpuid\"" 'a filter by pid'
	is "$(order | wc -w)" 2 '…leaves that VM, and the sum'
	keys Enter
	shows "^VM [0-9]+ \(pid $cpuid, kvmstat-guest\): vCPUs" 'into the VM'
	keys j Enter
	shows "^VM [0-9]+ \(pid $cpuid, kvmstat-guest\), vCPU 0: reasons" 'into its vCPU'
	is "$(row $CPUID 3)" "$CPUID 1002 0" 'CPUID: 1000, and 2 of the start'
	is "$(order | wc -w)" "$(($(of "$cpuid" '.vcpus[0].reasons | length') + 1))" 'as many reasons as show has, and their sum'
	keys / c p u Enter h
	shows "^$CPUID: kernel time of 1002 exits" 'the histogram has as many exits'
	is "$(awk '/kernel time of/ { on = 1; next } on && $1 ~ /\.\.$/ { sum += $2 } END { print sum }' "$tmp/screen")" 1002 \
		'…and so have its bars together'
	keys h Escape
	tm resize-window -x 40 -y 10
	shows '^q quit  \? help  Enter in  Bksp out$' 'resized'
	is "$(row $CPUID 3)" "$CPUID 1002 0" '…the row is the same'
	tm resize-window -x 100 -y 30
	keys BSpace BSpace Escape Home Enter Enter
	shows '^all VMs: reasons' 'out, and all reasons of all'

	# Something happens.
	kvmstat-guest run --count 4000000 hypercall >/dev/null &
	local busy=$!
	shows "^$CALL +[0-9]+ +([0-9]{3,}|[0-9.]+[kM]) .*[0-9]%.*█" 'a guest that runs: its rate, and its trend'
	keys Left Left / && tm send-keys -l "$busy" && keys Enter
	shows "^[0-9]+ +$busy kvmstat-guest +[0-9]+ +([0-9]{3,}|[0-9.]+[kM]) +[0-9.]+% +[0-9.]+% " '…its shares of time'
	keys Enter j Enter
	shows "^VM [0-9]+ \(pid $busy, kvmstat-guest\), vCPU 0: reasons" 'into it'
	kill $busy
	wait $busy 2>/dev/null
	shows "^VM [0-9]+ \(pid $busy, kvmstat-guest, gone\), vCPU 0: reasons" 'it ends meanwhile, and is told to be gone'
	shows "^$CALL +[0-9]+ +0 " '…its counts stay'
	keys BSpace BSpace
	shows "^[0-9]+ +gone kvmstat-guest" '…where it was, too'
	keys Escape

	ok 'the module can be unloaded' rmmod kvmstat
	shows 'kvmstat: no module loaded: run "sudo insmod kvmstat.ko"' '…which the screen says'
	like "$(cat "$tmp/screen")" "$cpuid kvmstat-guest" '…it keeps what it has'
	insmod "$KVMSTAT_KO"
	shows 'the module was loaded anew' 'and loaded again'
	kvmstat-guest run --count 50 cpuid >/dev/null
	keys Home Enter Enter
	shows "^$CPUID +52 " '…its counts are there'
	kvmstat-report reset
	kvmstat-guest run --count 70 cpuid >/dev/null
	shows "^$CPUID +72 " 'a reset'
	keys q
	left q 0
	rmmod kvmstat
	is "$(dmesg -l emerg,alert,crit,err,warn)" '' 'no kernel message above notice'
}

if [ -n "${LAB_OUT:-}" ]; then
	lab
	done_testing
fi
file=$tree/tests/data/amd.json
mkdir -p build/top
"${CC:-gcc}" -std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined \
	-fno-sanitize-recover=all -o build/top/top_test tests/unit/top_test.c \
	user/{top_model,top_history,top_keys,select,run,window,histogram,reasons,device,message,memory,terminal,text}.c \
	-lm || exit 1
relay model build/top/top_test
fake_device || exit 1
no_terminal
saved_run
sizes
live
colours
if [ "${1:-}" != no-lab ]; then
	relay amd tests/lab/run --kernel "${KVMSTAT_KERNEL:-6.1}" --timeout 400 -- "$self"
	! everything || relay intel tests/lab/run --cpu intel --kernel "${KVMSTAT_KERNEL:-6.1}" --timeout 600 \
		--add "$(command -v tmux)" --add "$(command -v jq)" --add /lib/terminfo \
		--add /usr/lib/locale/C.utf8 -- "$self"
fi
done_testing
