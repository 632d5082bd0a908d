# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/bench/in_lab
# SPDX-License-Identifier: GPL-2.0-or-later
# What is measured: a row NAME is a function with_NAME. It runs "$@", the bench's
# guest, with the thing attached from before its first exit to after its last, and
# sets
#   counted   exits that the thing has counted by its own account: the evidence;
#             "none" for what cannot count
#   bytes     what it has written for them (0, where it only counts)
# It runs in the lab, as root, in an empty directory. A later "--exits N" makes the
# run shorter for what costs much.

amd_rows='nothing empty_probes kvmstat kvmstat_bpf perf_stat trace_events bcc_kvmexit
	bpftrace_count bpftrace_time kvm_stat perf_kvm_stat_record'
# Neither Python nor LLVM travels to the Intel machine.
intel_rows='nothing empty_probes kvmstat kvmstat_bpf perf_stat trace_events perf_kvm_stat_record'

with_nothing() {
	"$@" && counted=none
}

# It has nothing to show; that both its probes are attached is why it loads.
with_empty_probes() {
	insmod "$bench/empty.ko" && "$@" && rmmod empty && counted=none
}

with_kvmstat() {
	insmod "$KVMSTAT_KO" && "$@" && kvmstat-report --format json >kvmstat.json && rmmod kvmstat &&
		counted=$(jq .totals.exits kvmstat.json)
}

with_kvmstat_bpf() {
	kvmstat-report stat --source bpf -o bpf.json -- "$@" && counted=$(jq .totals.exits bpf.json)
}

with_perf_stat() {
	perf stat -a -x, -o stat -e kvm:kvm_exit -- "$@" &&
		counted=$(awk -F, '/kvm:kvm_exit/ { print $1 }' stat)
}

# The ring buffer keeps the last of the events and the number of all.
with_trace_events() {
	local tracing=/sys/kernel/tracing stats=/sys/kernel/tracing/per_cpu/cpu0/stats status entries overrun
	echo >$tracing/trace
	echo 1 >$tracing/events/kvm/kvm_exit/enable && echo 1 >$tracing/events/kvm/kvm_entry/enable && "$@"
	status=$?
	echo 0 >$tracing/events/kvm/enable
	entries=$(awk '$1 == "entries:" { print $2 }' $stats)
	overrun=$(awk '$1 == "overrun:" { print $2 }' $stats)
	counted=$(((entries + overrun) / 2))
	bytes=$(awk -v n="$entries" -v all=$((entries + overrun)) \
		'$1 == "bytes:" && n { printf "%.0f", $2 / n * all }' $stats)
	echo >$tracing/trace
	return $status
}

# bcc looks for the headers below /lib/modules, where the lab has none.
bcc_headers() {
	local modules release
	release=$(uname -r)
	modules=$(realpath "/lib/modules/$release")
	[ ! -e "$modules/build" ] || return 0
	mkdir -p /run/headers/upper /run/headers/work &&
		mount -t overlay -o "lowerdir=$modules,upperdir=/run/headers/upper,workdir=/run/headers/work" \
			headers "$modules" &&
		ln -s "$(realpath "$kdir")" "$modules/build" &&
		ln -s "$(realpath "$(sed -n 's/^include \(.*\)\/Makefile$/\1/p' "$kdir/Makefile")")" "$modules/source"
}

with_bcc_kvmexit() {
	local pid status
	bcc_headers || return
	python3 -u "$bench_source/kvmexit.py" "$(type -P kvmexit-bpfcc)" >kvmexit 2>kvmexit.log &
	pid=$!
	wait_for "$pid" kvmexit '^Display kvm exit reasons' && "$@"
	status=$?
	kill -INT $pid
	wait $pid || status=1
	[ $status -eq 0 ] || tail -n 20 kvmexit.log >&2
	counted=$(awk '$1 ~ /^[0-9]+$/ { s += $NF } END { print s + 0 }' kvmexit)
	return $status
}

with_bpftrace() {
	local program=$1
	shift
	BPFTRACE_MAP_KEYS_MAX=65536 bpftrace -f json -o bpftrace.json -c "$*" -e "$program" >guest.log || return
	cat guest.log
	counted=$(jq -s '[.[] | select(.type == "map") | .data["@count"] // empty | .[]] | add' bpftrace.json)
}

with_bpftrace_count() {
	# shellcheck disable=SC2016 # bpftrace's own $
	with_bpftrace 'tracepoint:kvm:kvm_exit { @count[args->exit_reason] = count(); }' "$@"
}

with_bpftrace_time() {
	with_bpftrace '
		tracepoint:kvm:kvm_exit {
			@count[args->exit_reason] = count();
			@reason[tid] = args->exit_reason;
			@start[tid] = nsecs;
		}
		tracepoint:kvm:kvm_entry /@start[tid]/ {
			@time[@reason[tid]] = hist(nsecs - @start[tid]);
			delete(@start[tid]);
		}' "$@"
}

# -t: tracepoints, with an event and a filter for each reason. Without it kvm_stat
# reads KVM's own counters, which know no reasons. Each second it logs a line.
with_kvm_stat() {
	local pid status
	python3 -u "$kvm_stat" -t -l -c -f '^kvm_exit' >log.csv 2>kvm_stat.log &
	pid=$!
	wait_for "$pid" log.csv 'kvm_exit' && "$@" --exits $((exits / 5))
	status=$?
	sleep 3		# its last line
	kill $pid || status=1
	wait $pid
	[ $status -eq 0 ] || tail -n 20 kvm_stat.log >&2
	counted=$(awk -F, '!column { for (i = 1; i <= NF; i++) if ($i == "kvm_exit") column = i; next }
		$column ~ /^[0-9]+$/ { s += $column } END { print s + 0 }' log.csv)
	return $status
}

# Its own report, on stderr, counts what is in the file, and takes long for it. One
# round, but a long one: the ring buffer is to be written to the file several times.
with_perf_kvm_stat_record() {
	perf kvm --host stat record -a -o perf.data -- "$@" --rounds 1 || return
	bytes=$(stat -c %s perf.data)
	counted=$(perf kvm --host -i perf.data stat report 2>&1 </dev/null |
		sed -n 's/^Total Samples: *\([0-9]*\),.*/\1/p')
	rm -f perf.data
}
