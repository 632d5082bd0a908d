# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# VMs whose guests do what they are told, for leaf.t and spaces.t: $told is the
# program. Each line that it is given is one thing, and is answered with one line.

# start VM: a VM of that name, in a process ${pid[VM]}
declare -A to from pid
answer=''
start() {
	local fd
	mkfifo "$1.to" "$1.from"
	# shellcheck disable=SC2154 # the caller's
	"$told" <"$1.to" >"$1.from" &
	pid[$1]=$!
	exec {fd}>"$1.to"
	to[$1]=$fd
	exec {fd}<"$1.from"
	from[$1]=$fd
}
# tell VM THING…: its answer is in $answer
# shellcheck disable=SC2034 # for the caller
tell() {
	local vm=$1
	shift
	answer='(nothing)'
	echo "$*" >&"${to[$vm]}"
	read -r -t 60 answer <&"${from[$vm]}"
}
finish() {
	local fd=${to[$1]}
	exec {fd}>&-
	fd=${from[$1]}
	exec {fd}<&-
	# Another VM may have been given the other end, too: this one sees no end of file.
	kill "${pid[$1]}"
	wait "${pid[$1]}" 2>/dev/null
	rm "$1.to" "$1.from"
}
