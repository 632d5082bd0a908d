#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is printed has the same numbers in all forms: of show, stat, paging and diff,
# in each view, as table, CSV, JSON, OpenMetrics, in the older text
# format, and in the page of --html: its data, and the tables that Debian's Chromium
# makes of them. All that a lab does is to collect; with make check-all on Intel, too.
set -u
self=$(realpath "$0")
tests=$(dirname "$self")
tree=$(dirname "$tests")
. "$tests/tap.sh"

views='reason class detail vm vcpu vm,reason vm,class vm,detail vcpu,reason vcpu,class vcpu,detail'
collect() {
	local by format
	cd "$LAB_OUT" || return
	echo 1 >/sys/module/kvmstat/parameters/guest_spaces
	# Nothing runs while this is printed: each of them has the same.
	kvmstat-guest run touch >guest.out && kvmstat-guest run --vcpus 2 hello >guest.out || return
	mkdir show
	for by in $views; do
		for format in csv json openmetrics prometheus; do
			kvmstat-report --by "$by" --format $format >"show/$by.$format" || return
		done
		COLUMNS=300 kvmstat-report --by "$by" >"show/$by.table" && COLUMNS=80 kvmstat-report --by "$by" >"show/$by.narrow" &&
			kvmstat-report --by "$by" --html "show/$by.html" >show/again.txt || return
	done
	kvmstat-report -i 0.2 -n 2 --format json >intervals.json && kvmstat-report spaces --format json >spaces.json &&
		kvmstat-report reasons --format json >reasons.json || return
	kvmstat-report stat --html stat.html -- kvmstat-guest run touch >stat.txt &&
		kvmstat-report stat -r 3 --html runs.html -- kvmstat-guest run touch >runs.txt &&
		kvmstat-report paging -r 2 --html paging.html -- kvmstat-guest run touch >paging.txt
}

if [ -n "${LAB_OUT:-}" ]; then
	collect
	exit
fi

"$tests/deps" formats html || exit 1
. "$tests/browser.sh"
report=${REPORT:-$tree/build/kvmstat-report}
tmp=$(mktemp -d)
trap 'browser_stop; rm -rf "$tmp"' EXIT
chmod 755 "$tmp"

# from_table FILE: the report in it, without what COMMAND printed
from_table() { sed -n '/^Command: /,$p' "$1" | grep -v '^Source:'; }
# embedded PAGE: the report in it
embedded() { sed -n '/<script type="application\/json"/{n;p}' "$1"; }

# rows FILE: the rows of a table, and the total, with single spaces
rows() {
	awk '/^ *(REASON|CLASS) /{ on = 1; next } on && !NF { exit } on && !/^---/ {
		if (/^(vCPU time|Classes|\*|\()/) exit
		gsub(/ +/, " "); sub(/ $/, ""); print }' "$1"
}

# tables PAGE: what the browser makes of it
tables() {
	browser_open "$1" && browser_run 'const texts = row => [...row.cells].map(cell => cell.textContent);
		return JSON.stringify([...document.querySelectorAll(".scroll table")].map(table => ({
			heads: texts(table.tHead.rows[0]), rows: [...table.tBodies[0].rows].map(texts),
			foot: table.tFoot && texts(table.tFoot.rows[0]) })))'
}

browser_start "$tmp" || exit 1
for cpu in amd $(everything && echo intel); do
	out=$tmp/$cpu
	mkdir "$out"
	ok "$cpu: collected" "$tests/lab/run" --kernel "${KVMSTAT_KERNEL:-6.1}" --cpu "$cpu" --load --out "$out" -- "$self"
	cd "$out" || exit 1
	relay "$cpu: show" "$tests/formats/agree" show
	for name in stat runs paging; do
		embedded $name.html >$name.json
		relay "$cpu: $name" "$tests/formats/agree" "$report" "$out/$name.json"
	done
	for name in stat runs; do
		is "$("$report" --source $name.json | from_table /dev/stdin)" "$(from_table $name.txt)" \
			"$cpu: $name: the table is that of its page's report"
	done
	is "$("$report" diff paging.json | rows /dev/stdin)" "$(rows paging.txt)" \
		"$cpu: paging: the table is that of its page's report"
	"$report" diff stat.json runs.json --format json >diff.json
	relay "$cpu: diff" "$tests/formats/agree" "$report" "$out/diff.json"
	"$report" diff stat.json runs.json --html diff.html >diff.txt
	for by in $views; do
		embedded "show/$by.html" >"show-$by.json"
		ln -s "show/$by.html" "show-$by.html"
	done
	ok "$cpu: jq reads each JSON" jq -e .schema ./*.json show/*.json
	ok "$cpu: they follow the schema" "$tests/schema_check" "$tree/share/kvmstat.schema.json" ./*.json show/*.json
	for name in stat runs paging diff show-reason show-class show-detail show-vm show-vcpu show-vm,reason; do
		tables "$out/$name.html" >tables.json
		relay "$cpu: page of $name" "$tests/formats/page" $name.json tables.json
	done
done
done_testing
