#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --html: the page, in Debian's Chromium. Pixels of its charts are counted, its
# tables compared with those of the tool; hostile names do nothing; pictures of
# it are left in build/html.
set -u
tests=$(realpath "$(dirname "$0")")
tree=$(dirname "$tests")
. "$tests/tap.sh"
. "$tests/browser.sh"
. "$tests/page.sh"
report=${REPORT:-$tree/build/kvmstat-report}
data=$tests/data
pictures=$tree/build/html
tmp=$(mktemp -d)
trap 'browser_stop; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
chmod 755 "$tmp"
mkdir -p "$pictures"

# embedded PAGE: the report in it
embedded() { sed -n '/<script type="application\/json"/{n;p}' "$1"; }

echo '# the file'
jq .before "$data/boot.json" >run.json
"$report" --source run.json >run.txt
"$report" diff "$data/boot.json" >pair.txt
ok 'a run' "$report" --source run.json --html run.html
ok 'a comparison' "$report" diff "$data/boot.json" --html pair.html
is "$("$report" --source run.json --html run.html)" "$(cat run.txt)" 'the table is printed all the same'
is "$(embedded run.html | jq -S .)" "$("$report" --source run.json --format json | jq -S .)" 'it has the run as JSON'
is "$(embedded pair.html | jq -S .)" "$("$report" diff "$data/boot.json" --format json | jq -S .)" \
	'it has the comparison as JSON'
is "$(stat -c %a run.html)" "$(printf '%o' $((0666 & ~0$(umask))))" 'it has the usual permissions'
fails 2 '--html' '--html -' "$report" --html -
fails 2 '-i' '--html with intervals' "$report" -i 1 --html x.html
fails 2 'x.html' '-o and --html to one file' "$report" stat -o x.html --html x.html -- true
fails 2 '--html' 'reset --html' "$report" reset --html x.html
fails 1 '/dev/full: .*No space' 'onto a full disk' "$report" --source run.json --html /dev/full
fails 1 '/dev/full: .*No space' 'a comparison onto a full disk' "$report" diff "$data/boot.json" --html /dev/full
fails 1 'nodir/x.html: .*No such file' 'where there is no directory' "$report" --source run.json --html nodir/x.html
echo old >kept.html
fails 1 'nowhere.json' 'no such report' "$report" --source nowhere.json --html kept.html
is "$(cat kept.html)/$(find . -name 'kept.html.*')" old/ 'an older page stays, nothing else is left'
mkdir readonly
chmod 555 readonly
as_nobody=''
[ "$(id -u)" -ne 0 ] || as_nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
cp "$report" report
chmod 755 report
chmod 644 run.json
# shellcheck disable=SC2086 # words
fails 1 'readonly/x.html: .*Permission denied' 'in a directory that may not be written' \
	$as_nobody ./report --source run.json --html readonly/x.html
ok 'built without the chart library' \
	make -s -C "$tree" BUILD="$tmp/without" CHART_JS= "$tmp/without/kvmstat-report"
fails 1 'libjs-chart.js' 'it' without/kvmstat-report --source run.json --html without.html
is "$(find . -name 'without.html*')" '' 'and makes no page'

echo '# in a browser'
ok 'Chromium starts' test -x "$(command -v chromedriver)"
browser_start "$tmp" || { done_testing; }

# near GOT WANTED NAME: within 5%
near() {
	ok "$3: $1, as it should be $2" awk -v a="$1" -v b="$2" 'BEGIN { exit !(b > 0 && a / b > 0.95 && a / b < 1.05) }'
}

# rows FILE: of the tool's table, with single spaces
rows() {
	awk '/^(REASON|CLASS) /{ on = 1; next } on && !NF { exit } /^(vCPU|Classes|\*|\()/ { on = 0 }
		on && !/^---/ { gsub(/ +/, " "); sub(/ $/, ""); print }' "$1"
}

opens run.html 'a run'
browser_screen light 1200
drawn 'a run'
is "$(page 'return canvases.length')" 4 'charts: exits, kernel time, time, single exits'
is "$(page 'return document.title')" \
	"VM exits, tests/workload/boot, Linux $(jq -r .kernel run.json), AMD SVM, nested paging (npt), $(awk '/while the command/ {
		print $1, $2 }' run.txt)" 'the title has what was measured'
is "$(page 'return body(0).map(row => [0, 1, 4, 5, 6, 7, 8, 10, 11].map(i => row[i]).join(" ")).join("\n")')" \
	"$(rows run.txt | grep -v ^total)" 'its table has what the tool prints'
is "$(page 'return texts(table(0).tFoot.rows[0]).slice(0, 2).join()')" "total,$(jq .totals.exits run.json)" 'and the total'
for i in 0 1 2 3; do
	kind=$(echo guest kernel user offcpu | cut -d ' ' -f $((i + 1)))
	near "$(page "const all = hues(2).map(hue => pixels(2, hue)); return all[$i] / all.reduce((a, b) => a + b)")" \
		"$(jq ".totals | .${kind}_cycles / (.guest_cycles + .cycles)" run.json)" "the share of $kind in pixels"
done
near "$(page 'return pixels(0, hues(0)[0]) / chart(0).getDatasetMeta(0).data[0].height /
	chart(0).getDatasetMeta(0).data[0].width')" \
	"$(jq '.totals.exits / ([.reasons[].exits] | max)' run.json)" 'the bars of exits in pixels'
is "$(page 'return chart(3).data.datasets.map(set => set.label).join()')" \
	"$(jq -r '[.reasons | sort_by(-.kernel_cycles)[:3][].name] | join(",")' run.json)" \
	'the histogram is of those that cost most'
is "$(page 'return chart(3).data.datasets[0].data.reduce((a, b) => a + b)')" \
	"$(jq '.reasons | max_by(.kernel_cycles) | .ended' run.json)" 'it has all their exits'
is "$(page 'return chart(3).data.labels.length')" "$(jq '[.reasons | sort_by(-.kernel_cycles)[:3][].histogram[][0]] |
	def place: if . < 4 then . else (log2 | floor) as $e | ($e - 2) * 4 + ./pow(2; $e - 2) end;
	(max | place) - (min | place) + 1' run.json)" 'and the empty buckets between'
browser_click 'fieldset input'
is "$(page 'return chart(3).data.datasets.length')" 2 'a click takes one out'
drawn 'then'
browser_picture "$pictures/run-light.png"

echo '# sorting'
# clicked HOW N WANTED NAME: the header N is hit so; the column then is as wanted
sorted='const column_is = (numbers, sign) => numbers.every((n, i) => !i || sign * (numbers[i - 1] - n) >= 0);'
exits="return column_is(column(0, 1).map(Number)"
header='.scroll th:nth-child'
browser_click "$header(1) button"
is "$(page 'return column(0, 0).join()')" "$(jq -r '.reasons[].name' run.json | perl -e '
	print join(",", sort { lc $a cmp lc $b } map { chomp; $_ } <>)')" 'a click on Reason sorts by name'
browser_click "$header(2) button"
is "$(page "$sorted $exits, 1)")/$(page 'return table(0).querySelector("[aria-sort]").textContent')" true/Exits \
	'a click on Exits: the greatest first'
browser_click "$header(2) button"
is "$(page "$sorted $exits, -1)")/$(page 'return document.querySelector("[aria-sort]").ariaSort')" true/ascending \
	'another one: the smallest first'
browser_keys "$header(2) button" $'\ue007'
is "$(page "$sorted $exits, 1)")/$(page 'return document.querySelector("[aria-sort]").ariaSort')" true/descending \
	'Enter on it, the greatest again'
is "$(page 'return texts(table(0).tFoot.rows[0])[0]')" total 'the total stays at the end'

echo '# a comparison'
opens pair.html 'a comparison'
browser_screen light 1200
drawn 'a comparison'
# cells N: the table's rows without what is empty, as a table of the tool is told by rows()
cells() { page "return body($1).concat([texts(table($1).tFoot.rows[0])]).map(row => row.filter(cell => cell).join(' ')).join('\\n')"; }
is "$(cells 0 | sed 's/ -$//')" "$(rows pair.txt)" 'its table has what the tool prints'
for pair in '0 exits' '1 kernel_cycles'; do
	read -r n key <<<"$pair"
	near "$(page "return pixels($n, hues($n)[1]) / pixels($n, hues($n)[0])")" \
		"$(jq ".after.totals.$key / .before.totals.$key" "$data/boot.json")" "$key before and after, in pixels"
done
like "$(page 'return canvases[0].ariaLabel')" "PF excp: npt 0, shadow .*; npf: npt $(
	jq '[.reasons[] | select(.name == "npf").before.exits.mean | round][0]' "$data/boot.json"), shadow 0" \
	'the chart has a text alternative'
browser_click "$header(4) button"
is "$(page 'return column(0, 3)[0] + body(0).at(-1)[3]')" newgone 'by ratio: what is new first, what is gone last'
is "$(page 'return [...document.querySelectorAll("th")].every(th => th.scope) &&
	canvases.every(c => c.role === "img" && c.ariaLabel.length > 20) &&
	[...document.querySelectorAll(".scroll thead th")].every(th => th.querySelector("button"))')" true \
	'headers have a scope, charts a text, columns a button'
# shellcheck disable=SC2154 # browser.sh has the driver's address
is "$(page 'return fetch("'"${browser_url%/session*}"'/status", { mode: "no-cors" }).then(() => "open", () => "closed")')" \
	closed 'the page has no way to the network'
browser_console >/dev/null
browser_picture "$pictures/pair-light.png"

echo '# dark, narrow, on paper'
light=$(page 'return hues(0)[0]')
browser_screen dark 1200
ok 'dark: other colours' test "$light" != "$(page 'return hues(0)[0]')"
is "$(page 'return getComputedStyle(document.body).backgroundColor')" 'rgb(20, 24, 29)' 'a dark ground'
drawn 'dark'
browser_picture "$pictures/pair-dark.png"
browser_print pair.pdf
is "$(page 'return hues(0)[0]') $(page 'return document.documentElement.className')" "$(page 'return colour("before")') " \
	'printed, and dark again'
pdftoppm -r 50 pair.pdf paper
# The colours of before and after in light, and white at the edge.
is "$(cat paper-*.ppm | perl -0777 -ne '$all = $_; print join " ", map { $n = () = $all =~ /\Q$_\E/g; $n > 1000 ? "drawn" : $n }
	"\x00\x72\xb2", "\xd5\x5e\x00", "\xff\xff\xff"')" 'drawn drawn drawn' 'on paper its charts are there, in colours for paper'
is "$(cat paper-*.ppm | perl -0777 -ne 'my $n = () = /\x14\x18\x1d/g; print $n')" 0 'and no dark ground'
for page in run pair; do
	browser_open "$tmp/$page.html"
	browser_screen light 390 true
	is "$(page 'return document.documentElement.scrollWidth')" 390 "$page: no wider than a phone"
	is "$(page 'const box = document.querySelector(".scroll"); return box.scrollWidth > box.clientWidth')" true \
		"$page: its tables scroll"
	drawn "$page on a phone"
	browser_picture "$pictures/$page-phone.png"
done

echo '# other reports'
window_said() { page 'return [...document.querySelectorAll(".facts dd")].map(dd => dd.textContent).find(text => / since /.test(text))'; }
"$report" --source "$data/amd.json" --html module.html >out
opens module.html 'what the module counted'
like "$(window_said)" ' since the module was loaded or reset$' 'since when'
jq '.source = "bpf"' "$data/amd.json" >bpf.json
"$report" --source bpf.json --html bpf.html >out
opens bpf.html 'what BPF counted'
like "$(window_said)" ' since the collector was started$' 'since when, counted by BPF'
jq '.command = "</script><script>alert(1)</script><!--<script>" | .kernel = "<img src=x onerror=alert(1)>" |
	.vms[0].comm = "</script><s>\"&a" | .vms[1].comm = "<svg onload=a()"' "$data/amd.json" >hostile.json
"$report" --source hostile.json --html hostile.html >out
is "$(embedded hostile.html | grep -c '<')" 0 'hostile names: none of their < gets into the page'
# First of all: whatever else is asked closes an alert.
browser_open "$tmp/hostile.html"
is "$(webdriver GET /alert/text 2>&1 | grep -c 'no such alert')" 1 'nothing runs'
opens hostile.html 'hostile names'
is "$(page 'return [document.scripts.length, document.querySelectorAll("s, img, svg").length].join()')" 3,0 \
	'nothing becomes an element'
is "$(page 'return [...document.querySelectorAll(".facts dd")].at(-1).textContent')" \
	'</script><script>alert(1)</script><!--<script>' 'the command is shown as it is'
is "$(page 'return column(1, 2).join()')" '</script><s>"&a,<svg onload=a()' 'so are the VMs'
is "$(page 'return column(2, 1).join() + "/" + titled(2, "Exits").join()')" '0,1,0/1100,30,30' 'and their vCPUs'
drawn 'a run that does not tell kernel time apart'
is "$(page 'return chart(2).data.labels.length')" 3 'its VMs have bars of their own'

"$report" diff run.json "$data/intel.json" --html vendors.html >vendors.txt
opens vendors.html 'AMD and Intel'
is "$(page 'return body(0).map(row => row.slice(0, 4).join(" ")).join("\n")')" \
	"$(rows vendors.txt | grep -v ^total | cut -d ' ' -f 1-4)" 'are compared by class'
# Means of several runs: exits that differ by a hundredth from run to run.
several='.runs = 3 | .vms = [] | .reasons[] |= (del(.details) | .per_run = ({exits, cycles, kernel_cycles} |
	map_values({mean: ., sd: (. / 100)})))'
jq ".before | $several" "$data/boot.json" >several.json
jq ".after | $several" "$data/boot.json" >others.json
COLUMNS=200 "$report" diff several.json others.json --html several.html >several.txt
opens several.html 'several runs'
is "$(cells 0 | sed '$s/ -//g')" "$(rows several.txt)" 'intervals and marks are those that the tool prints'
is "$(page 'return chart(3).data.datasets.map(set => Math.round(set.data.reduce((a, b) => a + b))).join()')" \
	"$(jq -s -r 'map([.reasons[].ended] | add / 3 | round) | join(",")' several.json others.json)" \
	'single exits are those of one run, too'
for by in class detail vm vcpu vm,reason vcpu,class vm,detail; do
	"$report" --source run.json --by $by --html by.html >out
	opens by.html "--by $by"
	drawn "--by $by"
	case $by in *,*)
		is "$(page 'return titled(1, "Exits").reduce((n, exits) => n + Number(exits), 0)')" \
			"$(jq .totals.exits run.json)" "--by $by: each exit once" ;;
	esac
done
"$report" --source run.json --top 2 --html top.html >out
opens top.html '--top 2'
is "$(page 'return body(0).length + /--top/.test(document.body.textContent)')" 3 'says that rows are left out'
jq '.reasons = [] | .vms = [] | .totals |= map_values(0)' run.json >empty.json
"$report" --source empty.json --html empty.html >out
opens empty.html 'no exits at all'
done_testing
