# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TAP for shell tests: source it, call ok / is / status_is, end with done_testing.

# in_lab [OPTIONS OF tests/lab/run]: the rest of this script runs in the lab (with
# the kernel $KVMSTAT_KERNEL, where that is set), from where its TAP comes through;
# a lab that breaks leaves the plan unkept.
in_lab() {
	[ -z "${LAB_OUT:-}" ] || return 0
	exec tests/lab/run --kernel "${KVMSTAT_KERNEL:-6.1}" "$@" -- \
		env "KVMSTAT_SCALE=${KVMSTAT_SCALE:-4}" "$(realpath "$0")"
}

# Is this make check-all? What takes minutes and has a shorter test beside it is there.
everything() { [ -n "${KVMSTAT_ALL:-}" ]; }

# rounds N: an Nth of it, 1 at least, by KVMSTAT_SCALE: make check has a fourth of the
# rounds of make check-all, which sets 1; a kernel that is much slower has fewer.
rounds() { echo $((($1 + ${KVMSTAT_SCALE:-4} - 1) / ${KVMSTAT_SCALE:-4})); }

tap_n=0
tap_failed=0

# verdict STATUS NAME [DIAGNOSTICS…]
verdict() {
	local status=$1 name=$2
	shift 2
	tap_n=$((tap_n + 1))
	if [ "$status" -eq 0 ]; then
		echo "ok $tap_n - $name"
		return 0
	fi
	echo "not ok $tap_n - $name"
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
	tap_failed=1
	return 1
}

# ok NAME COMMAND…: COMMAND succeeds
ok() {
	local name=$1 out status
	shift
	out=$("$@" 2>&1)
	status=$?
	verdict "$status" "$name" "$out"
}

# is GOT WANTED NAME
is() {
	[ "$1" = "$2" ]
	verdict $? "$3" "got:    $1" "wanted: $2"
}

# like TEXT REGEX NAME
like() {
	[[ $1 =~ $2 ]]
	verdict $? "$3" "got:    $1" "wanted: /$2/"
}

# fails STATUS REGEX NAME COMMAND…: that exit status, and a message like that; what
# it printed is in 'out' and 'err'
fails() {
	local wanted=$1 regex=$2 name=$3 status
	shift 3
	"$@" >out 2>err
	status=$?
	is "$status" "$wanted" "$name: status $wanted"
	like "$(grep '^kvmstat: ' err)" "$regex" "$name: says so"
}

# succeeds NAME COMMAND…: status 0, nothing on stderr; what it printed is in 'out'
succeeds() {
	local name=$1 status
	shift
	"$@" >out 2>err
	status=$?
	is "$status$(cat err)" 0 "$name"
}

# relay PREFIX COMMAND…: each test in COMMAND's own TAP becomes one of ours,
# and so does its exit status
relay() {
	local prefix=$1 line log status plan='' seen=0
	shift
	log=$(mktemp)
	"$@" >"$log" 2>&1
	status=$?
	while IFS= read -r line; do
		case $line in
		ok\ *) seen=$((seen + 1)) && verdict 0 "$prefix: ${line#ok * - }" ;;
		not\ ok\ *) seen=$((seen + 1)) && verdict 1 "$prefix: ${line#not ok * - }" ;;
		1..*) plan=${line#1..} ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <"$log"
	rm -f "$log"
	verdict "$status" "$prefix: exit status" "got: $status"
	is "$seen" "$plan" "$prefix: as many tests as planned"
}

done_testing() {
	echo "1..$tap_n"
	exit $tap_failed
}
