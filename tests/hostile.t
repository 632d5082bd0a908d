#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hypercalls and files for guests, compiled for here and with the compiler's
# sanitizers: call by call, and by hostile guests: 1,000,000 calls each with a
# root to read, one to write, and none. HOSTILE_SEED=N repeats a run's values
# (what happens at once never comes quite the same).
#
# Where confinement is broken, these guests write wherever the caller may. So
# they never run as root, and what they are told to write to is planted here.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
seed=${HOSTILE_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
secret=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')

# without_rights COMMAND…: as nobody, where we are root
without_rights() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs "$@"
	else
		"$@"
	fi
}
# hand_over DIR: what is there belongs to whoever without_rights is
hand_over() {
	[ "$(id -u)" -ne 0 ] || chown -hR 65534:65534 "$1" || exit 1
}

# compile PROGRAM [OPTIONS]
compile() {
	local program=$1
	shift
	"${CC:-gcc}" -std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined \
		-fno-sanitize-recover=all -pthread -o "$work/$program" "tests/hostile/$program.c" \
		guest/hypercalls.c guest/files.c user/message.c "$@" || exit 1
}

# plant DIR: a root with all kinds of things in it, and a canary beside it.
# 'hard' is in the root of those who may write only: it is the canary itself,
# which no path gives away.
plant() {
	local root=$1/root
	mkdir -p "$root/sub" || exit 1
	for _ in {1..512}; do printf %s "$secret"; done >"$1/canary"
	# A read would be seen: its time is renewed where it is before the last write.
	touch -a -d yesterday "$1/canary"
	printf 'abcdefgh\n' >"$root/plain"
	printf 'inner\n' >"$root/sub/inner"
	seq 100000 >"$root/long"
	touch "$root/swapped" "$root/hidden...name" "$root/-rf" "$root/..dots" "$root/dots.." \
		"$root/new"$'\n'line
	ln -s ../canary "$root/link-canary"
	ln -s "$(realpath "$1")/canary" "$root/link-absolute"
	ln -s plain "$root/link-inside"
	ln -s ../dangling "$root/link-dangling"
	ln -s link-self "$root/link-self"
	ln -s .. "$root/link-up"
	ln -s "$(realpath "$1")" "$root/link-top"
	ln -s /proc/self "$root/link-proc"
	ln -s ../../canary "$root/sub/link-canary"
	mkfifo "$root/fifo"
	(cd "$root" && perl -MIO::Socket::UNIX \
		-e 'IO::Socket::UNIX->new(Local => "socket", Listen => 1) or die "socket: $!\n"') || exit 1
	# Memory, that could be read for ever; root only may make it.
	mknod "$root/device" c 1 5 2>/dev/null
	chmod 600 "$root/fifo"
}

# Each thing that is not in the root: kind, size, when it was written, changed and read
outside() {
	(cd "$1" && find . -path ./root -prune -o -printf '%p %y %s %T@ %C@ ' \
		\( -type f -printf '%A@\n' -o -printf '\n' \))
}
# Each thing that is. (What has two names is the canary, which nobody reads.)
inside() {
	(cd "$1/root" && find . -printf '%p %y %m %s %T@ %C@ %n %l\n' | LC_ALL=C sort &&
		find . -type f -links 1 -exec cksum {} + | LC_ALL=C sort)
}

# hostile none|read|write
hostile() {
	(cd "$work/$1" && without_rights timeout 300 "$work/hostile" "$1" 1000000 "$seed" "$secret")
}

chmod 755 "$work"
compile calls_test -Wl,--wrap=syscall,--wrap=read,--wrap=write
compile hostile

plant "$work/calls"
ln "$work/calls/canary" "$work/calls/root/hard"
hand_over "$work/calls"
calls() {
	(cd "$work/calls" && without_rights timeout 60 "$work/calls_test")
}
relay calls calls

echo "# HOSTILE_SEED=$seed"
for how in none read write; do
	plant "$work/$how"
	[ $how != write ] || ln "$work/$how/canary" "$work/$how/root/hard"
	hand_over "$work/$how"
	before=$(outside "$work/$how")
	before_root=$(inside "$work/$how")
	relay "$how" hostile $how
	is "$(outside "$work/$how")" "$before" "$how: nothing outside the root was changed or read"
	[ $how = write ] || is "$(inside "$work/$how")" "$before_root" "$how: nothing in the root was changed"
done
is "$(tr -d '\n' <"$work/write/canary" | sed "s/$secret//g")" '' 'the canary says what it said'
done_testing
