#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real Prometheus, which scrapes a real node_exporter, which reads what "textfile"
# wrote, tells the exits of saved runs; and it takes OpenMetrics as they are. The
# rules and the units of share/.
set -u
tests=$(realpath "$(dirname "$0")")
tree=$(dirname "$tests")
. "$tests/tap.sh"
"$tests/deps" formats || exit 1
report=${REPORT:-$tree/build/kvmstat-report}
bin=$("$tests/prometheus/fetch") || exit 1
rules=$tree/share/prometheus/kvmstat.rules.yml
tmp=$(mktemp -d)
pids=''
# Only what was started here.
cleanup() {
	# shellcheck disable=SC2086 # a list of words
	[ -z "$pids" ] || kill $pids 2>/dev/null
	wait
	rm -rf "$tmp"
}
trap cleanup EXIT
cd "$tmp" || exit 1

echo '# rules and units'
ok 'promtool check rules' "$bin/promtool" check rules "$rules"
ok 'promtool test rules' "$bin/promtool" test rules "$tests/prometheus/rules.test.yml"
is "$(sed -n 's/^ *- alert: //p' "$rules" | sort)" \
	"$(awk '$2 == "alertname:" { name = $3 } $1 == "exp_alerts:" && $2 != "[]" { print name }' \
		"$tests/prometheus/rules.test.yml" | sort -u)" 'each alert is seen to fire'
is "$(sed -n 's/^ *- alert: //p' "$rules" | sort)" \
	"$(awk '$2 == "alertname:" { name = $3 } $1 == "exp_alerts:" && $2 == "[]" { print name }' \
		"$tests/prometheus/rules.test.yml" | sort -u)" 'and not to fire'
if command -v systemd-analyze >/dev/null; then
	mkdir units
	cp "$tree"/share/systemd/* units
	# Where make install would put it.
	sed -i "s|^ExecStart=kvmstat-report|ExecStart=$report|" units/*.service
	ok 'systemd-analyze verify' systemd-analyze verify --man=no units/kvmstat-textfile.service \
		units/kvmstat-textfile.timer
	is "$(systemd-analyze verify --man=no units/kvmstat-textfile.timer 2>&1)" '' 'without a warning'
fi

echo '# a Prometheus'
# Ports that are free now.
read -r exporter_port web_port prometheus_port < <(/usr/bin/python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(s.getsockname()[1] for s in sockets))')
mkdir textfile storage
jq '.paging = "shadow"' "$tests/data/amd.json" >amd.json
"$report" textfile --source amd.json textfile
# Runs of the lab: a Linux boot with nested and with shadow paging.
jq .before "$tests/data/boot.json" >nested.json
jq .after "$tests/data/boot.json" >shadow.json
"$report" --source shadow.json --format openmetrics >open.txt

"$bin/prometheus-node-exporter" --collector.disable-defaults --collector.textfile \
	--collector.textfile.directory="$tmp/textfile" --web.disable-exporter-metrics \
	--web.listen-address="127.0.0.1:$exporter_port" 2>exporter.log &
pids=$!
# What --format openmetrics printed, under the content type that it has.
/usr/bin/python3 -c '
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.end_headers()
        self.wfile.write(open("open.txt", "rb").read())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()' "$web_port" 2>web.log &
pids="$pids $!"
cat >prometheus.yml <<YML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$rules]
scrape_configs:
  - job_name: node
    static_configs: [{targets: ["127.0.0.1:$exporter_port"]}]
  - job_name: open
    static_configs: [{targets: ["127.0.0.1:$web_port"]}]
YML
ok 'its configuration' "$bin/promtool" check config prometheus.yml
"$bin/prometheus" --config.file=prometheus.yml --storage.tsdb.path=storage --log.level=warn \
	--web.listen-address="127.0.0.1:$prometheus_port" 2>prometheus.log &
pids="$pids $!"

api() { curl -sf --max-time 5 -G "http://127.0.0.1:$prometheus_port/api/v1/$1" "${@:2}"; }
# query PROMQL: "labels value" of what there is, by line
query() {
	api query --data-urlencode "query=$1" | jq -r '.data.result | map("\(.metric | del(.__name__, .instance, .job) |
		to_entries | map(.value) | join(" ")) \(.value[1])" | ltrimstr(" ")) | sort[]' 2>/dev/null
}
# becomes PROMQL WANTED NAME: within a minute
becomes() {
	local got='' deadline=$((SECONDS + 60))
	while [ $SECONDS -lt $deadline ]; do
		got=$(query "$1")
		[ "$got" != "$2" ] || break
		sleep 0.2
	done
	is "$got" "$2" "$3" || tail -n 5 exporter.log prometheus.log
}
becomes 'sum by (reason) (kvmstat_exits_total{job="node"})' \
	$'PF excp 10\ncpuid 1000\nmsr 100\nnpf 20\nwrite_cr3 30' 'the exits of a saved run, from a node_exporter'
becomes 'sum(kvmstat_exits_total{job="node"}) + sum(kvmstat_untraced_total{job="node"})' 1162 'the total, with the untraced'
becomes 'kvmstat_guest_seconds_total{job="node"}' 0.0045 'the time that the guest had'
becomes 'count(kvmstat_info{job="node",isa="svm",paging="shadow",kernel="6.1.0-test"})' 1 'of which machine'
# by_reason FILE: as query prints them
by_reason() { jq -r '.reasons | group_by(.name) | map("\(.[0].name) \(map(.exits) | add)") | sort[]' "$1"; }
becomes 'sum by (reason) (kvmstat_exits_total{job="open"})' "$(by_reason shadow.json)" \
	'the exits of a guest that ran in the lab, as OpenMetrics'
becomes 'count(up == 1)' 2 'both are scraped without an error'
becomes 'node_textfile_scrape_error' 0 'the collector has none either'
is "$(api metadata --data-urlencode metric=kvmstat_exits_total | jq -c '.data[] | map(.type) | sort')" \
	'["counter","unknown"]' 'the type of a counter, which OpenMetrics does not tell'
is "$(api metadata --data-urlencode metric=kvmstat_exit_kernel_duration_seconds |
	jq -c '.data[] | map([.type, .unit])')" '[["histogram","seconds"]]' 'and of a histogram, with its unit'
is "$(api rules | jq '[.data.groups[].rules[] | select(.health != "ok" and .health != "unknown")] | length')" 0 \
	'its rules are evaluated'
becomes 'ALERTS{alertname="KvmstatShadowPaging",job="node"}' \
	"KvmstatShadowPaging pending svm 6.1.0-test shadow warning module $("$report" --version | cut -d' ' -f2) 1" \
	'an alert is about to fire'

# The host goes on: what is counted since is what Prometheus sees.
jq '.reasons[0].exits += 500 | .totals.exits += 500 | .vms[0].vcpus[0].reasons[0].exits += 500 |
	.vms[0].vcpus[0].exits += 500' "$tests/data/amd.json" >more.json
"$report" textfile --source more.json textfile
becomes 'sum(kvmstat_exits_total{job="node",reason="cpuid"})' 1500 'a new textfile is seen'
becomes 'round(max_over_time(instance:kvmstat_exits:rate5m{job="node"}[5m])) > bool 0' 1 'and so is the rate, by the recording rule'
"$report" textfile --source nested.json textfile
becomes 'sum by (reason) (kvmstat_exits_total{job="node"})' "$(by_reason nested.json)" \
	'the exits of a guest that ran in the lab, from a node_exporter'
becomes 'kvmstat_exit_kernel_duration_seconds_count{job="node",reason="npf"}' \
	"NESTED_PAGE_FAULT svm 1 npf $(jq '.reasons[] | select(.name == "npf").ended' nested.json)" '…and their histogram'
"$report" textfile --source amd.json --by vcpu textfile
becomes 'sum by (vm, vcpu) (kvmstat_exits_total{job="node"})' $'0 1 1100\n0 2 30\n1 1 30' '--by vcpu: a series for each'
done_testing
