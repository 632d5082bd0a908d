#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kvmstat-guest bench: the cost table has each operation, with the exits that it must
# have and numbers that go together, in both paging modes, and with make check-all on
# both vendors. No time is asserted.
set -u
self=$(realpath "$0")
. "$(dirname "$self")/tap.sh"
cd "$(dirname "$self")/.." || exit 1

status() { "$guest" "$@" >/dev/null 2>&1; echo $?; }

if [ -z "${LAB_OUT:-}" ]; then
	guest=build/kvmstat-guest
	for bad in '--count 0' '--count' '--mode long' '--vcpus 2' hello; do
		# shellcheck disable=SC2086 # words
		is "$(status bench $bad)" 2 "bench $bad: usage"
	done
	kernel=${KVMSTAT_KERNEL:-6.1}
	relay amd tests/lab/run --kernel "$kernel" --icount --load -- "$self" kvm_amd npt
	! everything || relay intel tests/lab/run --kernel "$kernel" --cpu intel --load --timeout 600 -- "$self" kvm_intel ept
	done_testing
fi
vendor=$1 switch=$2
cd "$(mktemp -d)" || exit 1

# Each operation, the least and the most exits that it has, and whether userspace has a part.
operations='RDTSC (no exit)|0|0|
hypercall|1|1|
port OUT, kernel|1|1|
port OUT, userspace|1|1|user
CPUID|1|1|
MSR read|1|1|
MMIO write, userspace|1|1|user
first touch of a page|1|1|
HLT, userspace resumes|1|1|user
IPI to itself, and EOI|2|2|
IPI to a vCPU and back|2|3|'

# field OPERATION NUMBER: a column of the table, those behind the operation's name
field() {
	awk -v op="$1" -v n="$2" 'substr($0, 1, 22) == sprintf("%-22s", op) {
		split(substr($0, 23), f, " "); print f[n] }' table
}

# row COUNT OPERATION LEAST MOST USER
row() {
	local n=$1 op=$2
	is "$(field "$op" 1)" "$n" "$op: $n operations"
	ok "$op: $3 to $4 exits each, and numbers that go together" awk -v least="$3" -v most="$4" -v user="$5" \
		-v exits="$(field "$op" 2)" -v seen="$(field "$op" 3)" -v kernel="$(field "$op" 4)" \
		-v at_user="$(field "$op" 5)" -v off="$(field "$op" 6)" -v total="$(field "$op" 7)" \
		-v ratio="$(field "$op" 8)" -v hypercall="$(field hypercall 3)" 'BEGIN {
			printf "exits %s seen %s kernel %s user %s offcpu %s total %s ratio %s\n",
				exits, seen, kernel, at_user, off, total, ratio
			sum = kernel + at_user + off - total
			of = seen / hypercall - ratio
			exit !(exits != "" && exits + 0 >= least + 0 && exits + 0 <= most + 0 && seen + 0 > 0 &&
			       (most + 0 ? kernel + 0 > 0 : kernel == "0") && kernel + 0 <= seen + 0 &&
			       (user == "" || at_user + 0 > 0) && sum >= -2 && sum <= 2 &&
			       of > -0.02 && of < 0.02)
		}'
}

rows() {
	local op least most user
	kvmstat-guest bench --count "$1" >table
	is $? 0 "bench --count $1"
	sed 's/^/# /' table
	while IFS='|' read -r op least most user; do
		row "$1" "$op" "$least" "$most" "$user"
	done <<<"$operations"
	is "$(grep -c '^[^ ].*x$' table)" "$(wc -l <<<"$operations")" 'and no other rows'
	like "$(cat table)" "A hypercall costs the guest $(field hypercall 3) cycles, a port OUT that the kernel takes $(field 'port OUT, kernel' 3): $(field 'port OUT, kernel' 8 | tr -d x) times,"$'\n'"and one that traps to userspace $(field 'port OUT, userspace' 3): $(field 'port OUT, userspace' 8 | tr -d x) times" \
		'in words, too'
}

rows 200
for op in hypercall CPUID 'MSR read' 'first touch of a page'; do
	is "$(field "$op" 5)" 0 "$op: no time in userspace"
done
kvmstat-guest bench --count 1 >table
is $? 0 'bench --count 1'
is "$(field CPUID 2) $(field 'port OUT, userspace' 2)" '1 1' '…which has one exit'
ok '…and without exit the guest sees less than what KVM takes for one: it sees no more than its loop' \
	test "$(field 'RDTSC (no exit)' 3)" -lt "$(field hypercall 4)"
is "$(kvmstat-guest bench --count 1 2>err >/dev/full; echo $?)" 1 'onto a full disk'

kvmstat-guest bench >table 2>err &
while kill -0 $! 2>/dev/null; do
	kvmstat-report reset
	sleep 0.1
done
wait $!
is $? 1 'counters that are reset meanwhile'
like "$(cat err)" 'were reset, or the module reloaded, meanwhile: run it again' '…are an error'

modprobe -r "$vendor" && modprobe "$vendor" "$switch=0"
rows 100
like "$(head -n 1 table)" 'shadow paging' 'without nested paging, too'

rmmod kvmstat
kvmstat-guest bench --count 10 >table 2>err
is $? 0 'without the module'
is "$(cat err)" 'kvmstat: no module loaded: run "sudo insmod kvmstat.ko" to have what it counts, too' \
	'…which is said'
is "$(wc -l <<<"$operations")" "$(awk 'NF > 8 && $(NF-1) == "-" && $(NF-2) == "-" && $(NF-5) > 0 && $(NF-6) == "-"' table | wc -l)" \
	'…each operation has what the guest sees'
modprobe -r "$vendor"
is "$(kvmstat-guest bench 2>err; echo $?)" 1 'without KVM'
done_testing
