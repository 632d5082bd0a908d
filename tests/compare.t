#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots of Linux with nested paging and with shadow paging, three of each, and with make
# check-all five: what differs is marked, and the page shows it. Twice the same thing:
# hardly anything is marked.
set -u
tests=$(realpath "$(dirname "$0")")
tree=$(dirname "$tests")
. "$tests/tap.sh"
runs=${1:-3}
[ $# -gt 0 ] || ! everything || runs=5
if [ -n "${LAB_OUT:-}" ]; then
	cd "$LAB_OUT" || exit 1
	insmod "$KVMSTAT_KO" || exit 1
	kvmstat-report paging -r "$runs" -o out.json --html out.html -- "$tests/workload/boot" || exit 1
	for same in a b; do
		kvmstat-report stat -r 5 -o $same.json -- kvmstat-guest run hello >/dev/null || exit 1
	done
	exit 0
fi

. "$tests/browser.sh"
. "$tests/page.sh"
report=$tree/build/kvmstat-report
pictures=$tree/build/html
tmp=$(mktemp -d)
trap 'browser_stop; rm -rf "$tmp"' EXIT
mkdir -p "$pictures"
"$tests/lab/run" --kernel "${KVMSTAT_KERNEL:-6.1}" --timeout 1500 --out "$tmp" -- "$0" "$runs"
is $? 0 "paging -r $runs, of a Linux boot"
cd "$tmp" || exit 1

is "$(jq -c '[.runs, .mode_verified, .before.paging, .after.paging]' out.json)" "[$runs,true,\"npt\",\"shadow\"]" "$runs runs in each mode"
is "$(jq -c '.notes' out.json)" '[]' 'nothing to be known before believing it'
# With nested paging none of these exits, with shadow paging all do.
for name in 'PF excp' invlpg write_cr3 npf; do
	is "$(jq -c --arg name "$name" '.reasons[] | select(.name == $name) | [.significant, .kernel_significant,
		(.change.exits.ci95[0] > 0) == ($name != "npf"), (.change.exits.ci95[1] > 0) == ($name != "npf")]' out.json)" \
		'[true,true,true,true]' "$name is marked"
done
is "$(jq '[.reasons[] | .before.exits.sd, .after.exits.sd | . != null] | all' out.json)" true 'each row has its deviation'
"$report" diff out.json >out.txt
is "$(awk '/^---/ { exit } /\*/ { n++ } END { print (n > 0) }' out.txt)" 1 'the table has the marks'
like "$(cat out.txt)" 'write_cr3: Without NPT' 'and says why'

# Of some 6 rows, each marked by chance in one case of 20: more than 3 in one of 10,000.
"$report" diff a.json b.json --format json >same.json
marked=$(jq '[.reasons[] | select(.significant)] | length' same.json)
ok "twice the same: $marked of $(jq '.reasons | length' same.json) rows are marked" test "$marked" -le 3
is "$(jq -c '[.reasons[] | select(.name == "io" or .name == "hlt") | .change.exits]' same.json | jq -c 'map(.mean) | unique')" '[0]' \
	'exits that never vary do not differ'

ok 'Chromium starts' test -x "$(command -v chromedriver)"
browser_start "$tmp" || { done_testing; }
opens out.html 'the page'
for screen in 'light 1200' 'dark 1200' 'light 360'; do
	read -r scheme width <<<"$screen"
	browser_screen "$scheme" "$width"
	drawn "$scheme, $width pixels wide"
	browser_picture "$pictures/boots-$scheme-$width.png"
	ok "$scheme, $width: a picture" test -s "$pictures/boots-$scheme-$width.png"
	is "$(page 'return document.documentElement.scrollWidth <= innerWidth')" true "$scheme, $width: nothing sticks out"
done
is "$(page 'return titled(0, "Significant").filter(text => text === "*").length')" \
	"$(jq '[.reasons[] | select(.significant)] | length' out.json)" "the table's marks"
is "$(browser_console)" '' 'nothing on the console'
done_testing
