#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The man pages: they are well formed, and have what the tools, the module and the
# header have, all of it and nothing else.
set -u
export LC_ALL=C
tests=$(realpath "$(dirname "$0")")
tree=$(dirname "$tests")
. "$tests/tap.sh"
"$tests/deps" install || exit 1
report=$tree/build/kvmstat-report
guest=$tree/build/kvmstat-guest
isolate=$tree/build/isolate
version=$(sed -n 's/^#define KVMSTAT_VERSION "\(.*\)"/\1/p' "$tree/user/version.h")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# render PAGE: as people read it, but that no line is broken
render() {
	MANWIDTH=2000 MANROFFOPT='-rHY=0' man -P cat -l "$tree/man/$1" | col -bx
}
# section PAGE TITLE [SUBTITLE]: what is below it
section() {
	awk -v title="$2" -v sub_title="   ${3-}" '
		/^[^ ]/ { inside = $0 == title; below = !(length(sub_title) > 3); next }
		length(sub_title) > 3 && /^   [^ ]/ { below = $0 == sub_title; next }
		inside && below' "$1.text"
}
# words: those of the input, sorted, in one line
words() { tr -s ' ' '\n' | grep . | sort -u | paste -sd ' '; }
long_options() { grep -oE -- '--[a-z][a-z-]+' | words; }

pages='isolate.1 kvmstat-guest.1 kvmstat-report.1 kvmstat.4'
is "$(cd "$tree/man" && echo *)" "$pages" 'the pages'
for page in $pages; do
	is "$(mandoc -Tlint -W style "$tree/man/$page" 2>&1)" '' "$page: mandoc has nothing to say"
	is "$(man --warnings -P cat -l "$tree/man/$page" 2>&1 >/dev/null)" '' "$page: nor has groff"
	render "$page" >"$page.text"
	name=${page%.*}
	is "$(head -n 1 "$page.text" | cut -d ' ' -f 1)" "${name^^}(${page##*.})" "$page: man shows it"
	like "$(head -n 4 "$tree/man/$page")" "\"kvmstat $version\"" "$page: of this version"
	is "$(sed -n '/^NAME$/{n;s/^ *\([^ ]*\) - .*/\1/p}' "$page.text")" "$name" "$page: its name"
	for title in NAME SYNOPSIS DESCRIPTION EXAMPLES OVERHEAD 'SEE ALSO'; do
		is "$(grep -c "^$title\$" "$page.text")" 1 "$page: $title"
	done
	is "$(grep -cE '^(EXIT STATUS|DIAGNOSTICS)$' "$page.text")" 1 "$page: what its status says"
	# Pages of ours that it points to.
	for other in $(grep -oE '\b(isolate|kvmstat[a-z-]*)\([0-9]\)' "$page.text" | sort -u | tr '()' '. '); do
		[ -f "$tree/man/$other" ]
		verdict $? "$page: there is a $other"
	done
done
# What the lab has measured.
for number in 95 92 40 33 32 424 3,350; do
	readme=$(sed -n '/^## What it costs/,/^## The lab/p' "$tree/README.md" | grep -cwF "$number")
	[ "$readme" -gt 0 ] && section kvmstat.4 OVERHEAD | grep -qwF "$number"
	verdict $? "overhead: $number, as in README"
done

echo '# kvmstat-report'
commands() { sed -nE 's/^  ([a-z]+) .*/\1/p' | words; }
is "$(grep -E '^   [a-z]+$' kvmstat-report.1.text | words)" "$("$report" --help | commands)" 'its commands'
is "$(section kvmstat-report.1 SYNOPSIS | sed -nE 's/^ *kvmstat-report \[?([a-z]+).*/\1/p' | words)" \
	"$("$report" --help | commands)" 'in its synopsis'
all=''
for command in $("$report" --help | commands); do
	"$report" "$command" --help >help
	is "$(section kvmstat-report.1 COMMANDS "$command" | grep -E '^ +--' | long_options)" \
		"$(sed -nE 's/^ +(-., )?(--[a-z-]+).*/\2/p' help | words)" "$command: its options"
	all+=$(sed -nE 's/^ +((-., )?--[a-z-]+( [^ ]+)?) .*/\1/p' help)$'\n'
done
is "$(section kvmstat-report.1 OPTIONS | sed -nE 's/^       (-.*)/\1/p' | sed 's/  .*//' | grep -v version | sort -u)" \
	"$(grep . <<<"$all" | sort -u)" 'each option, with its letter and its argument, is explained'
# What an option takes, in the tool's own message, stands in its paragraph.
explained() { section kvmstat-report.1 OPTIONS | awk -v head="--$1" '/^       -/ { inside = index($0, head) } inside'; }
values() {
	"$report" "$1" "--$2" '?' 2>&1 | sed 's/.* is not \(one of \)\?//; s/: see.*//; s/, or two like/ /; s/ or /,/; s/[|,]/ /g'
}
for of in 'show by' 'show sort' 'top sort' 'show format' 'reasons isa' 'spaces pairs'; do
	# shellcheck disable=SC2086 # a command and its option
	set -- $of
	missing=''
	for value in $(values "$1" "$2"); do
		explained "$2" | grep -qw -- "$value" || missing+=" $value"
	done
	is "$missing" '' "$1 --$2: all values are explained"
done
for value in module bpf; do
	like "$(explained 'source module')" "\\b$value\\b" "--source: $value is explained"
done
is "$(section kvmstat-report.1 SYNOPSIS | sed -nE 's/^ *kvmstat-report bpf //p' | tr '|' ' ' | words)" \
	"$("$report" bpf '?' 2>&1 | sed 's/.* is not one of //; s/,//g' | words)" 'bpf: its words'
is "$(section kvmstat-report.1 'EXIT STATUS' | grep -oE '^ +[0-9]+' | words)" \
	"$("$report" --help | grep '^Exit status' | grep -oE '[0-9]+' | words)" 'its exit status'

echo '# kvmstat-guest'
is "$(section kvmstat-guest.1 COMMANDS | sed -nE 's/^       ([a-z]+)\b.*/\1/p' | words)" "$("$guest" --help | commands)" 'its commands'
is "$(section kvmstat-guest.1 SYNOPSIS | sed -nE 's/^ *kvmstat-guest ([a-z]+).*/\1/p' | words)" \
	"$("$guest" --help | commands)" 'in its synopsis'
is "$(section kvmstat-guest.1 OPTIONS | grep -E '^       -' | long_options)" \
	"$(echo "$("$guest" --help | long_options) --help --version" | words)" 'its options'
for command in run verify layout bench list; do
	taken=''
	for option in --count=1 --mode=long --vcpus=1 --source=bpf --root=. --writable --isolate --hold; do
		! "$guest" "$command" "$option" --help >/dev/null 2>&1 || taken+=" ${option%%=*}"
	done
	is "$(section kvmstat-guest.1 COMMANDS | awk -v command="$command" '/^       [a-z]/ { inside = $1 == command } inside' |
		grep -oE 'Options?: .*' | long_options)" "$(words <<<"$taken")" "$command: its options"
done
is "$(section kvmstat-guest.1 'EXIT STATUS' | grep -oE '^ +[0-9]+' | words)" \
	"$("$guest" --help | grep '^Exit status' | grep -oE '[0-9]+' | words)" 'its exit status'

echo '# isolate'
is "$(section isolate.1 OPTIONS | grep -E '^       -' | long_options)" "$("$isolate" --help | sed -n '/^  --/p' | long_options)" 'its options'
is "$(section isolate.1 'EXIT STATUS' | grep -oE '^ +(128|[0-9]+)' | words)" \
	"$("$isolate" --help | sed -n '/^Exit status/,$p' | grep -oE '[0-9]+' | words)" 'its exit status'

echo '# the module'
is "$(section kvmstat.4 PARAMETERS | sed -nE 's/^       ([a-z_]+)=.*/\1/p' | words)" \
	"$(grep -hoE '^module_param(_cb)?\([a-z_]+' "$tree"/module/*.c | sed 's/.*(//' | words)" 'its parameters'
is "$(section kvmstat.4 PARAMETERS | sed -nE 's/^       ([a-z_]+)=.*\(rw\)$/\1/p' | words)" \
	"$(grep -hE '^module_param(_cb)?\(.*0644' "$tree"/module/*.c | sed -E 's/.*\(([a-z_]+).*/\1/' | words)" 'those to be written'
is "$(section kvmstat.4 'THE DEVICE' | grep -oE 'KVMSTAT_IOC_[A-Z]+' | words)" \
	"$(grep -oE '^#define KVMSTAT_IOC_[A-Z]+' "$tree/module/uapi/kvmstat.h" | sed 's/.* //' | words)" 'its ioctls'
is "$(section kvmstat.4 'THE DEVICE' Errors | sed -nE 's/^ +(E[A-Z]+) .*/\1/p' | words)" \
	"$(sed -nE 's/^ \*   (E[A-Z]+) .*/\1/p' "$tree/module/uapi/kvmstat.h" | words)" 'their errors'
is "$(section kvmstat.4 FILES | grep -oE '/sys/kernel/debug/kvmstat/[a-z]+' | sed 's|.*/||' | words)" \
	"$(sed -nE 's/.*debugfs_create_file\("([a-z]+)".*/\1/p' "$tree/module/debugfs.c" | words)" 'its files in debugfs'
is "$(section kvmstat.4 'WHAT A GUEST CAN ASK' | grep -oE '0x4[a-f0-9]{7}' | words)" \
	"$(sed -nE 's/^#define KVMSTAT_(LEAF|HYPERCALL).*(0x[0-9a-f]{8}).*/\2/p' "$tree/module/uapi/kvmstat.h" | words)" 'leaves and hypercall'
done_testing
