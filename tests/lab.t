#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The lab itself: exit statuses, channels, crash and hang detection.
set -u
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

lab() {
	tests/lab/run "$@" >"$dir/out" 2>"$dir/err"
	echo $?
}

is "$(lab -- true)" 0 'true exits 0'
is "$(lab -- sh -c 'exit 3')" 3 'exit 3 exits 3'
# shellcheck disable=SC2016 # expanded in the lab
is "$(lab -- sh -c 'kill -TERM $$')" 143 'death by a signal is 128+N'
is "$(lab -- /nonexistent)" 127 'a command that is not there exits 127'
like "$(cat "$dir/err")" 'cannot run /nonexistent' '…and is named'

# Everything in one boot that can be.
# shellcheck disable=SC2016
is "$(lab --smp 2 --mem 1024 --out "$dir/lab" -- sh -c '
	id -u; uname -r; nproc; pwd; cat /sys/module/kvm_amd/parameters/npt
	awk "/MemTotal/ { print (\$2 > 900000 && \$2 < 1024 * 1024) }" /proc/meminfo
	echo kept >$LAB_OUT/file; echo noise >&2
	touch /usr/written 2>/dev/null || echo read-only
	touch /tmp/written && echo tmpfs
	command -v kvmstat-report; modinfo -F vermagic $KVMSTAT_KO | cut -d" " -f1
	seq 200000')" 0 'a command with much to say'
release=$(cat "$(tests/lab/kernel 6.1)/release")
is "$(head -n 10 "$dir/out" | tr '\n' ' ')" \
	"0 $release 2 $PWD Y 1 read-only tmpfs $PWD/build/kvmstat-report $release " \
	'root, stock kernel, 2 CPUs, same directory, NPT, memory, read-only root, tools, module'
is "$(tail -n +11 "$dir/out" | sha256sum)" "$(seq 200000 | sha256sum)" 'a long output comes through whole'
is "$(cat "$dir/err")" noise 'stderr apart from stdout, and nothing else on it'
is "$(cat "$dir/lab/file")" kept 'LAB_OUT comes back in --out'


# Whoever reads it: slowly, only the beginning, or not at all.
is "$(tests/lab/run -- seq 200000 2>/dev/null | { sleep 12; sha256sum; })" \
	"$(seq 200000 | sha256sum)" 'a slow reader gets everything'
is "$(timeout 60 tests/lab/run -- seq 200000 2>/dev/null | head -n 1)" 1 'a reader may leave'
tests/lab/run -- echo output >/dev/full 2>"$dir/err"
is $? 1 'output onto a full disk is a failure'
like "$(cat "$dir/err")" "output could not be written" '…and said to be one'

status=$(lab -- sh -c 'echo c >/proc/sysrq-trigger')
is "$status" 122 'a crash is not a success'
like "$(cat "$dir/err")" 'the kernel crashed: .*sysrq triggered crash' '…and said to be one'
is "$(lab --timeout 8 -- sleep 60)" 124 'a hang is found'
like "$(cat "$dir/err")" 'hang: no verdict within 8 s' '…and said to be one'
like "$(cat "$dir/err")" 'it does: the failure is that of the command' '…after a canary'

# The Intel machine: the same contract, everything in one boot that can be.
mkdir "$dir/added"
echo added >"$dir/added/file"
printf '#! /usr/bin/env\tbash\necho script\n' >"$dir/added/script"
printf '#!/no/such\n' >"$dir/added/odd"
chmod +x "$dir/added/script" "$dir/added/odd"
ln -s "$(type -P openssl || type -P xz)" "$dir/link"
# shellcheck disable=SC2016
is "$(lab --cpu intel --out "$dir/intel" --add "$dir/added" --add "$dir/link" -- bash -c '
	id -u; uname -r; pwd; cat /sys/module/kvm_intel/parameters/ept; cat '"$dir/added/file"'
	'"$dir/added/script; $dir/link --help >/dev/null 2>&1"'; echo $?; '"$dir/added/odd"' 2>/dev/null; echo $?
	mkdir $LAB_OUT/below; echo kept >$LAB_OUT/below/file; echo noise >&2
	command -v kvmstat-report; modinfo -F vermagic $KVMSTAT_KO | cut -d" " -f1
	sleep 1000 & seq 20000; exit 3')" 3 'intel: a command with much to say exits 3'
is "$(head -n 10 "$dir/out" | tr '\n' ' ')" "0 $release $PWD Y added script 0 127 $PWD/build/kvmstat-report $release " \
	'intel: root, stock kernel, same directory, EPT, added files with what runs them, tools, module'
is "$(tail -n +11 "$dir/out" | sha256sum)" "$(seq 20000 | sha256sum)" 'intel: a long output comes through whole'
is "$(cat "$dir/err")" noise 'intel: stderr apart from stdout, and nothing else on it'
is "$(cat "$dir/intel/below/file")" kept 'intel: LAB_OUT comes back in --out'
if everything; then
	is "$(lab --cpu intel -- sh -c 'echo c >/proc/sysrq-trigger')" 122 'intel: a crash is not a success'
	like "$(cat "$dir/err")" 'the kernel crashed: .*sysrq triggered crash' '…and said to be one'
	is "$(lab --cpu intel --timeout 20 -- sleep 100000)" 124 'intel: a hang is found'
	like "$(cat "$dir/err")" 'hang: no verdict within 20 s' '…and said to be one'
fi
is "$(lab --cpu intel --smp 2 -- true)" 2 'intel: one CPU, or wrong usage'

# Places that are odd, too small or not there.
mkdir "$dir/a, b'c"
is "$(TMPDIR="$dir/a, b'c" lab -- true)" 0 'any TMPDIR will do'
is "$(TMPDIR=$dir/none lab -- true)" 123 'but it must be there'
is "$(lab --out "$dir/added/file" -- true)" 2 '--out is a directory, or wrong usage'
is "$(lab --console "$dir/none/file" -- true)" 2 '--console can be written, or wrong usage'
is "$(lab --kernel "$dir/added/file" -- true)" 2 'what is no kernel: wrong usage'

# The machine itself, where it has KVM: the lab's own has.
is "$(lab -- tests/lab/run --cpu host --load -- kvmstat-guest verify cpuid)" 0 'host: its own KVM and kernel'
like "$(cat "$dir/out")" 'ok 1 - cpuid' '…are what is measured'
! everything || is "$(lab -- tests/lab/run --cpu host --timeout 2 -- sleep 60)" 124 'host: a hang is found'
is "$(lab --cpu host --smp 2 -- true)" 2 'host: takes the machine as it is'

is "$(lab)" 2 'no command: wrong usage'
is "$(lab --cpu arm -- true)" 2 'an unknown CPU: wrong usage'
is "$(lab --kernel 5.15 -- true)" 2 'an unknown kernel: wrong usage'
is "$(lab --smp none -- true)" 2 'a bad number: wrong usage'
is "$(lab --frobnicate -- true)" 2 'an unknown option: wrong usage'
is "$(lab --add /nonexistent -- true)" 2 '--add of what is not there: wrong usage'
is "$(lab --icount --smp 2 -- true)" 2 '--icount with two CPUs: wrong usage'
done_testing
