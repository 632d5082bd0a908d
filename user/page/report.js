// SPDX-License-Identifier: GPL-2.0-or-later
// The page of kvmstat-report --html: makes charts and tables of the report in the
// element "data" (kvmstat/1, kvmstat-diff/1). Its strings may be anybody's, the name
// of a VM for one: they become text (textContent, attributes), never markup.
"use strict";

const report = JSON.parse(document.getElementById("data").textContent);
const CHART_ROWS = 12;		// the others are added up

function element(tag, attributes, ...children) {
	const e = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes || {}))
		e.setAttribute(name, value);
	e.append(...children);
	return e;
}

/* Numbers as the tool's own tables have them (user/text.c) */

function digits(n, unit) {
	return n.toFixed(n < 9.995 ? 2 : n < 99.95 ? 1 : 0) + unit;
}

function scaled(n) {
	const units = ["", "k", "M", "G", "T", "P", "E"];
	let i = 0;
	if (n < 9999.5)
		return n.toFixed(0);
	for (; n >= 999.5 && i < units.length - 1; i++)
		n /= 1000;
	return digits(n, units[i]);
}

function nanoseconds(ns, space = "") {
	for (const [size, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "us"]])
		if (ns >= 0.9995 * size)
			return digits(ns / size, space + unit);
	return ns.toFixed(0) + space + "ns";
}

// Cycles as time, where the TSC's frequency is known; each run has its own.
const timeAt = khz => cycles => khz && cycles > 0 ? nanoseconds(cycles * 1e6 / khz) : scaled(cycles);
// For round numbers on an axis: nanoseconds, else cycles.
const amountAt = khz => cycles => khz ? cycles * 1e6 / khz : cycles;
const amountText = khz => khz ? n => n ? nanoseconds(n) : "0" : scaled;
const share = (part, whole) => whole > 0 ? (100 * part / whole).toFixed(1) + "%" : "-";
// Of what need not be whole.
const rate = n => n < 10 ? String(Number(n.toPrecision(2))) : scaled(n);
const real = n => n > 0 && n < 99.95 ? digits(n, "") : scaled(n);
const whole = n => String(Math.round(n));

function ratioText(ratio) {
	if (ratio === null)
		return "-";
	if (ratio === Infinity)
		return "new";
	if (ratio === 0)
		return "gone";
	return ratio.toFixed(ratio < 99.95 ? 2 : 0) + "x";
}

const ratio = (before, after) => before > 0 ? after / before : after > 0 ? Infinity : null;

/* What a report says */

const isas = { svm: "AMD SVM", vmx: "Intel VMX" };

function pagingText(run) {
	if (run.paging === "shadow")
		return "shadow paging";
	return run.paging === "unknown" ? "paging mode unknown" : `nested paging (${run.paging})`;
}

function windowText(run) {
	const length = nanoseconds(run.window_ns, " ");
	const runs = run.runs > 1 ? ` (mean of ${run.runs} runs)` : "";
	if (run.window === "command")
		return `${length} while the command ran${runs}`;
	if (run.window === "interval")
		return `an interval of ${length}`;
	const start = run.source === "bpf" ? "the collector was started" : "the module was loaded or reset";
	return `${length} since ${start}${runs}`;
}

// What both kinds of report have of a machine and its window.
function facts(run) {
	const list = [["Source", run.source], ["Kernel", `Linux ${run.kernel}`], ["CPU", isas[run.isa] || "no exit seen"],
		["Paging", pagingText(run)], ["Window", windowText(run)]];
	if (run.command)
		list.push(["Command", run.command]);
	return list;
}

const isSplit = part => "kernel_cycles" in part;
const handling = row => isSplit(row) ? row.kernel_cycles : row.cycles;

// Of a reason, a detail or a class.
function label(row) {
	if (row.code === undefined && row.name === undefined)
		return row.class;
	const level = row.level > 1 ? " (L2)" : "";
	return row.name + level + (row.detail && row.detail !== "none" ? " " + row.detail : "");
}

// The rows that were asked for; VMs and vCPUs have tables of their own.
function rowsOf(run) {
	return run.by === "class" || run.by === "detail" ? run.groups : run.reasons;
}

const doubts = [
	["untraced", n => `${n} of these exits fired no kvm_exit event (untraced).`],
	["lost", n => `${n} more exits could not be tallied, for want of memory (lost).`],
];

function doubtsOf(run, which) {
	return doubts.filter(([key]) => run.totals[key])
		.map(([key, text]) => element("p", { class: "doubt" }, which + text(run.totals[key])));
}

/* Tables: click on a header, or press Enter there, to sort */

// A column: title; of(row) is what to sort by, null for nothing; text(value, row); words: it is no number.
function compareBy(column, direction) {
	return (a, b) => {
		const x = column.of(a), y = column.of(b);
		if (x === null || y === null)
			return (x === null) - (y === null);
		return direction * (column.words ? x.localeCompare(y) : x === y ? 0 : x < y ? -1 : 1);
	};
}

function cell(column, row, first) {
	const value = column.of(row);
	const text = value === null ? "-" : (column.text || String)(value, row);
	return element(first ? "th" : "td", { ...(first && { scope: "row" }), ...(column.words && { class: "words" }) },
		text);
}

const line = (columns, row) => element("tr", {}, ...columns.map((column, i) => cell(column, row, !i)));

function fill(table, columns, rows) {
	table.tBodies[0].replaceChildren(...rows.map(row => line(columns, row)));
}

function sortBy(table, columns, rows, heads, i) {
	const was = heads[i].getAttribute("aria-sort");
	const down = was ? was === "ascending" : !columns[i].words;
	heads.forEach(head => head.removeAttribute("aria-sort"));
	heads[i].setAttribute("aria-sort", down ? "descending" : "ascending");
	fill(table, columns, [...rows].sort(compareBy(columns[i], down ? -1 : 1)));
}

let tables = 0;

// 'total' is one more row, which stays where it is; null: none.
function makeTable(title, columns, rows, total) {
	const id = `table${++tables}`;
	const table = element("table", {}, element("caption", { id }, title));
	const heads = columns.map((column, i) => {
		const button = element("button", { type: "button" }, column.title);
		button.addEventListener("click", () => sortBy(table, columns, rows, heads, i));
		return element("th", { scope: "col", ...(column.words && { class: "words" }) }, button);
	});
	table.append(element("thead", {}, element("tr", {}, ...heads)), element("tbody"));
	if (total)
		table.append(element("tfoot", {}, line(columns, total)));
	fill(table, columns, rows);
	return element("div", { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": id }, table);
}

function countColumns(run) {
	const kernel = row => row.kernel_cycles;
	const time = timeAt(run.tsc_khz);
	const timeOf = key => row => key in row ? row[key] : null;
	const columns = [
		{ title: "Exits", of: row => row.exits },
		{ title: "Share", of: row => row.exits, text: n => share(n, run.totals.exits) },
		{ title: "Per second", of: row => run.window_ns ? row.exits * 1e9 / run.window_ns : null, text: rate },
	];
	if (isSplit(run.totals))
		columns.push({ title: "Kernel", of: kernel, text: time },
			{ title: "Share", of: kernel, text: n => share(n, run.totals.kernel_cycles) },
			{ title: "User", of: row => row.user_cycles, text: time },
			{ title: "Off CPU", of: row => row.offcpu_cycles, text: time });
	else
		columns.push({ title: "Time", of: row => row.cycles, text: time },
			{ title: "Share", of: row => row.cycles, text: n => share(n, run.totals.cycles) });
	for (const key of ["mean", "p50", "p99"])
		columns.push({ title: key[0].toUpperCase() + key.slice(1), of: timeOf(key), text: time });
	columns.push({ title: "Max", of: timeOf("max"), text: (n, row) => (row.bounds ? "<" : "") + time(n) });
	return columns;
}

function reasonsTable(run, title) {
	const rows = rowsOf(run);
	const columns = [{ title: run.by === "class" ? "Class" : "Reason", of: label, words: true },
		...countColumns(run)];
	if (run.by !== "class")
		columns.push({ title: "Class", of: row => row.class, words: true });
	return makeTable(title, columns, rows, { ...run.totals, name: "total", class: "" });
}

function addUp(parts) {
	const sum = {};
	for (const part of parts)
		for (const [key, value] of Object.entries(part))
			if (typeof value === "number" && key !== "id")
				sum[key] = (sum[key] || 0) + value;
	return sum;
}

const vmName = vm => vm.retired ? "(earlier VMs)" : vm.comm;
const vmColumns = [
	{ title: "VM", of: row => row.vm.retired ? null : row.vm.id },
	{ title: "Pid", of: row => row.vm.retired ? null : row.vm.pid },
	{ title: "Command", of: row => vmName(row.vm), words: true },
	{ title: "Name", of: row => row.vm.name || "", words: true },
];

function machineColumns(run) {
	const time = timeAt(run.tsc_khz);
	const columns = [{ title: "Exits", of: row => row.exits },
		{ title: "Guest", of: row => row.guest_cycles, text: time }];
	if (!isSplit(run.totals))
		return [...columns, { title: "Time", of: row => row.cycles, text: time }];
	return [...columns, { title: "Kernel", of: row => row.kernel_cycles, text: time },
		{ title: "User", of: row => row.user_cycles, text: time },
		{ title: "Off CPU", of: row => row.offcpu_cycles, text: time }];
}

const vmRows = run => run.vms.map(vm => ({ ...addUp(vm.vcpus), vm }));

// Rows of a reason, class or detail of each VM or vCPU.
function crossedTables(run) {
	if (!(run.by || "").includes(","))
		return [];
	const vms = new Map(run.vms.map(vm => [vm.id, vm]));
	const rows = run.groups.map(group => ({ ...group, of: vms.get(group.vm) }));
	const [machine, what] = run.by.split(",");
	const columns = vmColumns.map(column => ({ ...column, of: row => column.of({ vm: row.of }) }));
	if (machine === "vcpu")
		columns.splice(1, 0, { title: "vCPU", of: row => row.vcpu });
	columns.push({ title: what === "class" ? "Class" : "Reason", of: what === "class" ? row => row.class : label, words: true });
	return [makeTable(`Exits by ${machine} and ${what}`, [...columns, ...countColumns(run)], rows, null)];
}

function machineTables(run) {
	const vms = vmRows(run).filter(row => row.exits !== undefined);
	const vcpus = run.vms.flatMap(vm => vm.vcpus.map(vcpu => ({ ...vcpu, vm })));
	const state = { title: "State", of: row => row.vm.alive ? "alive" : "gone", words: true };
	const id = { title: "vCPU", of: row => row.id };
	const [number, ...others] = vmColumns;
	const made = crossedTables(run);
	if (vms.length)
		made.push(makeTable("VMs", [...vmColumns, state, ...machineColumns(run)], vms, null));
	if (vcpus.length > vms.length)
		made.push(makeTable("vCPUs", [number, id, ...others, ...machineColumns(run)], vcpus, null));
	return made;
}

/* Charts: each knows how to make itself again, in the colours of the moment */

const charts = [];
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function redraw(chart) {
	if (chart.drawn)
		chart.drawn.destroy();
	Chart.defaults.color = colour("ink");
	Chart.defaults.borderColor = colour("grid");
	Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
	const config = chart.config();
	chart.canvas.setAttribute("aria-label", config.alternative);
	chart.canvas.parentElement.style.height = `${config.height}px`;
	chart.drawn = new Chart(chart.canvas, config.chart);
}

// config() gives {chart, height, alternative}: what Chart.js wants, pixels, and the chart as text.
function makeChart(title, config, ...controls) {
	const canvas = element("canvas", { role: "img" });
	const chart = { canvas, config };
	charts.push(chart);
	return [chart, element("figure", {}, element("figcaption", {}, title), ...controls,
		element("div", { class: "chart" }, canvas))];
}

// Horizontal bars. A series: label, colour, values; format makes a value text.
function bars(labels, series, format, stacked) {
	const axis = { stacked, beginAtZero: true, ticks: { callback: n => format(n), maxRotation: 0 } };
	const height = 70 + labels.length * (stacked ? 34 : 14 + 12 * series.length);
	const part = (s, i) => (series.length > 1 ? `${s.label} ` : "") + format(s.values[i]);
	return {
		height,
		alternative: labels.map((name, i) => `${name}: ${series.map(s => part(s, i)).join(", ")}`).join("; "),
		chart: {
			type: "bar",
			data: { labels, datasets: series.map(s => ({ label: s.label, data: s.values,
				backgroundColor: colour(s.colour) })) },
			options: {
				indexAxis: "y", animation: false, maintainAspectRatio: false,
				scales: { x: axis, y: { stacked, grid: { display: false }, ticks: { autoSkip: false } } },
				plugins: {
					legend: { display: series.length > 1 },
					tooltip: { callbacks: { label: at => `${at.dataset.label}: ${format(at.raw)}` } },
				},
			},
		},
	};
}

// The greatest by the sum of all series, and the rest added up.
function greatest(rows, series) {
	const values = row => series.map(s => s.of(row));
	const sum = row => values(row).reduce((a, b) => a + b, 0);
	const sorted = [...rows].filter(row => sum(row) > 0).sort((a, b) => sum(b) - sum(a));
	const few = sorted.length > CHART_ROWS + 1 ? sorted.slice(0, CHART_ROWS) : sorted;
	const rest = sorted.slice(few.length);
	const labels = few.map(label);
	const lists = series.map(s => few.map(s.of));
	if (rest.length) {
		labels.push(`${rest.length} others`);
		series.forEach((s, i) => lists[i].push(rest.map(s.of).reduce((a, b) => a + b, 0)));
	}
	return [labels, series.map((s, i) => ({ ...s, values: lists[i] }))];
}

function rowChart(title, rows, series, format) {
	const [labels, lists] = greatest(rows, series);
	return makeChart(title, () => bars(labels, lists, format, false))[1];
}


// Of VMs or runs: [name, totals, khz].
function splitChart(title, parts) {
	const timed = parts.every(([, , khz]) => khz);
	const known = parts.every(([, totals]) => isSplit(totals));
	const kinds = known ?
		[["Guest", "guest"], ["Kernel", "kernel"], ["User (VMM)", "user"], ["Off CPU", "offcpu"]] :
		[["Guest", "guest"], ["Exits", "kernel"]];
	const series = kinds.map(([name, kind]) => ({ label: name, colour: kind,
		values: parts.map(([, totals, khz]) => amountAt(timed && khz)(known || kind === "guest" ?
			totals[`${kind}_cycles`] : totals.cycles)) }));
	return makeChart(title, () => bars(parts.map(([name]) => name), series, amountText(timed), true))[1];
}

/* Histograms of the kernel time of single exits */

// A quarter of a power of two, as in module/uapi/kvmstat.h.
const nextBucket = lower => lower < 8 ? lower + 1 : lower + 2 ** (Math.floor(Math.log2(lower)) - 2);

// Those of several runs have the exits of all together.
function addBuckets(rows, runs) {
	const sum = new Map();
	for (const row of rows)
		for (const [lower, exits] of row.histogram || [])
			sum.set(lower, (sum.get(lower) || 0) + exits / runs);
	return sum;
}

// The buckets between the first and the last that are not empty, by their lower bounds.
function span(maps) {
	const used = maps.flatMap(map => [...map.keys()]);
	const last = Math.max(...used);
	const all = [];
	for (let lower = Math.min(...used); lower <= last; lower = nextBucket(lower))
		all.push(lower);
	return used.length ? all : [];
}

// A series: label, colour, buckets.
function histogram(series, stacked, khz) {
	const time = timeAt(khz);
	const lowers = span(series.map(s => s.buckets));
	const total = s => [...s.buckets.values()].reduce((a, b) => a + b, 0);
	const few = s => lowers.length ? `${whole(total(s))} exits` : "none";
	return {
		height: 320,
		alternative: "Histogram of the kernel time of single exits" + (lowers.length ?
			`, from ${time(lowers[0])} to ${time(nextBucket(lowers[lowers.length - 1]))}: ` : ": ") +
			series.map(s => `${s.label}: ${few(s)}`).join("; "),
		chart: {
			type: "bar",
			data: { labels: lowers.map(time), datasets: series.map(s => ({ label: s.label,
				data: lowers.map(lower => s.buckets.get(lower) || 0), backgroundColor: colour(s.colour),
				categoryPercentage: 1, barPercentage: 0.95 })) },
			options: {
				animation: false, maintainAspectRatio: false,
				scales: {
					x: { stacked, grid: { display: false }, title: { display: true, text: "from" } },
					y: { stacked, beginAtZero: true, title: { display: true, text: "exits" },
						ticks: { callback: n => rate(n) } },
				},
				plugins: { tooltip: { callbacks: { title: ([at]) =>
					`${time(lowers[at.dataIndex])} to ${time(nextBucket(lowers[at.dataIndex]))}` } } },
			},
		},
	};
}

// Checkboxes; 'changed' is called with the names that are checked.
function choice(names, checked, changed) {
	const boxes = names.map(name => element("input", { type: "checkbox", value: name,
		...(checked.includes(name) && { checked: "" }) }));
	const set = element("fieldset", {}, element("legend", {}, "Exits of"),
		...boxes.map(box => element("label", {}, box, ` ${box.value}`)));
	set.addEventListener("change", () => changed(boxes.filter(box => box.checked).map(box => box.value)));
	return set;
}

// runs: [[name, run, colour]…]; of one run the reasons are told apart.
function histogramChart(runs) {
	const kernel = new Map();
	for (const [, run] of runs)
		for (const row of rowsOf(run).filter(r => r.histogram))
			kernel.set(label(row), (kernel.get(label(row)) || 0) + row.kernel_cycles);
	const names = [...kernel.keys()].sort((a, b) => kernel.get(b) - kernel.get(a));
	if (!names.length)
		return [];
	const one = runs.length === 1;
	const khz = runs.every(([, run]) => run.tsc_khz === runs[0][1].tsc_khz) && runs[0][1].tsc_khz;
	let chosen = one ? names.slice(0, 3) : names;
	const rows = (run, wanted) => rowsOf(run).filter(row => wanted.includes(label(row)));
	const series = () => one ?
		chosen.map(name => ({ label: name, colour: `series${names.indexOf(name) % 8}`,
			buckets: addBuckets(rows(runs[0][1], [name]), runs[0][1].runs) })) :
		runs.map(([name, run, hue]) => ({ label: name, colour: hue,
			buckets: addBuckets(rows(run, chosen), run.runs) }));
	const set = choice(names, chosen, now => {
		chosen = now;
		redraw(chart);
	});
	const [chart, figure] = makeChart("Kernel time of single exits", () => histogram(series(), one, khz), set);
	return [figure];
}

/* The two kinds of page */

const leftOut = exits => exits > 0 ? [element("p", {}, "Rows that --top left out are part of the total alone.")] : [];

const tile = (name, value) => element("div", {}, element("dt", {}, name), element("dd", {}, value));

function tiles(run) {
	const t = run.totals;
	const all = t.guest_cycles + t.cycles;
	const list = [tile("Exits", String(t.exits))];
	if (run.window_ns)
		list.push(tile("Exits per second", rate(t.exits * 1e9 / run.window_ns)));
	list.push(tile(isSplit(t) ? "Kernel time" : "Exit time", timeAt(run.tsc_khz)(handling(t))));
	list.push(tile("In the guest", share(t.guest_cycles, all)));
	return element("dl", { class: "tiles" }, ...list);
}

function runPage(run) {
	const exits = { label: "Exits", colour: "before", of: row => row.exits };
	const cost = { label: "Time", colour: "kernel", of: row => amountAt(run.tsc_khz)(handling(row)) };
	const rows = rowsOf(run);
	const vms = vmRows(run).filter(row => row.exits > 0).sort((a, b) => b.exits - a.exits).slice(0, CHART_ROWS);
	const parts = [["All vCPUs", run.totals, run.tsc_khz]];
	if (vms.length > 1)
		parts.push(...vms.map(row => [`VM ${row.vm.retired ? "" : row.vm.id} ${vmName(row.vm)}`, row, run.tsc_khz]));
	return [
		element("dl", { class: "facts" }, ...facts(run).map(([name, value]) => tile(name, value))),
		tiles(run),
		element("section", { class: "charts" },
			rowChart("Exits", rows, [exits], rate),
			rowChart(isSplit(run.totals) ? "Kernel time" : "Exit time", rows, [cost], amountText(run.tsc_khz)),
			splitChart("Time of the vCPUs", parts),
			...histogramChart([["All", run, "kernel"]])),
		reasonsTable(run, "Exits by " + (run.by === "class" ? "class" : run.by === "detail" ? "detail" : "reason")),
		...leftOut(run.totals.exits - rows.reduce((sum, row) => sum + row.exits, 0)),
		...machineTables(run),
		...doubtsOf(run, ""),
	];
}

function factsTable(names) {
	const [before, after] = [facts(report.before), facts(report.after)];
	const keys = [...new Set([...before, ...after].map(([name]) => name))];
	const of = (list, key) => (list.find(([name]) => name === key) || ["", "-"])[1];
	const rows = keys.map(key => element("tr", {}, element("th", { scope: "row" }, key),
		element("td", {}, of(before, key)), element("td", {}, of(after, key))));
	const heads = ["", ...names].map((name, i) => element(i ? "th" : "td", i ? { scope: "col" } : {}, name));
	return element("table", { class: "facts" }, element("thead", {}, element("tr", {}, ...heads)),
		element("tbody", {}, ...rows));
}

// Time where both TSCs' frequencies are known, else cycles: how to get there, and as text.
function costUnit() {
	const timed = report.before.tsc_khz && report.after.tsc_khz;
	const at = side => timed ? amountAt(report[side].tsc_khz) : cycles => cycles;
	return { before: at("before"), after: at("after"), text: amountText(timed) };
}

const exitsUnit = { before: n => n, after: n => n, text: scaled };

function comparisonColumns(names, key, title, unit) {
	const mark = key === "exits" ? "significant" : key === "kernel_cycles" ? "kernel_significant" :
		"cycles_significant";
	const of = (row, side) => unit[side](row[side][key].mean);
	const columns = ["before", "after"].map((side, i) =>
		({ title: `${title} ${names[i]}`, of: row => of(row, side), text: key === "exits" ? whole : unit.text }));
	columns.push({ title: "Ratio", of: row => ratio(of(row, "before"), of(row, "after")), text: ratioText });
	if (report.runs > 1)
		columns.push({ title: "±", of: row => halfWidth(row, key, unit), text: key === "exits" ? real : unit.text },
			{ title: "Significant", of: row => mark in row ? Number(row[mark]) : null, text: n => n ? "*" : "" });
	return columns;
}

// Half the width of the change's confidence interval.
function halfWidth(row, key, unit) {
	const interval = row.change && row.change[key].ci95;
	return interval ? unit.before((interval[1] - interval[0]) / 2) : null;
}

const asSide = totals => Object.fromEntries(["exits", "cycles", "kernel_cycles"].map(key =>
	[key, { mean: totals[key] }]));

function comparisonPage() {
	const { before, after } = report;
	const rows = report[report.by === "class" ? "classes" : report.by === "detail" ? "details" : "reasons"];
	const names = before.paging === after.paging ? ["before", "after"] : [before.paging, after.paging];
	const key = isSplit(before.totals) && isSplit(after.totals) ? "kernel_cycles" : "cycles";
	const title = key === "cycles" ? "Time" : "Kernel time";
	const cost = costUnit();
	const series = (k, unit) => ["before", "after"].map((side, i) =>
		({ label: names[i], colour: side, of: row => unit[side](row[side][k].mean) }));
	const byClass = report.by === "class";
	const columns = [{ title: byClass ? "Class" : "Reason", of: byClass ? row => row.class : label, words: true },
		...comparisonColumns(names, "exits", "Exits", exitsUnit), ...comparisonColumns(names, key, title, cost)];
	const total = { name: "total", class: "total", before: asSide(before.totals), after: asSide(after.totals) };
	const slack = before.runs + after.runs > 2 ? rows.length : 0;	// totals of means are rounded
	const notes = [];
	if (report.mode_verified)
		notes.push("The paging mode in force was verified before and after each run.");
	if (report.runs > 1)
		notes.push("±: half the 95% confidence interval of the change. *: the two differ by more than chance " +
			"(Welch's t-test, 5%): of 20 rows that nothing happened to, one is marked all the same.");
	notes.push(...report.notes.map(note => `Note: ${note}.`));
	return [
		factsTable(names),
		element("section", { class: "charts" },
			rowChart("Exits", rows, series("exits", exitsUnit), rate),
			rowChart(title, rows, series(key, cost), cost.text),
			splitChart("Time of the vCPUs", [[names[0], before.totals, before.tsc_khz],
				[names[1], after.totals, after.tsc_khz]]),
			...histogramChart([[names[0], before, "before"], [names[1], after, "after"]])),
		makeTable(`Exits, ${names.join(" and ")}`, columns, rows, total),
		...leftOut(before.totals.exits + after.totals.exits - slack -
			rows.reduce((sum, row) => sum + row.before.exits.mean + row.after.exits.mean, 0)),
		...notes.map(note => element("p", {}, note)),
		...doubtsOf(before, `${names[0]}: `), ...doubtsOf(after, `${names[1]}: `),
		element("h2", {}, "Each run"),
		reasonsTable(before, `Exits, ${names[0]}`),
		reasonsTable(after, `Exits, ${names[1]}`),
	];
}

const isComparison = report.schema === "kvmstat-diff/1";

function title() {
	const run = isComparison ? report.before : report;
	const modes = isComparison && report.before.paging !== report.after.paging ?
		`${pagingText(report.before)} and ${pagingText(report.after)}` : pagingText(run);
	return ["VM exits", run.command, `Linux ${run.kernel}`, isas[run.isa], modes, nanoseconds(run.window_ns, " ")]
		.filter(Boolean).join(", ");
}

function redrawAll() {
	charts.forEach(redraw);
}

// Paper is white, whatever the screen is.
function onPaper(is) {
	document.documentElement.classList.toggle("paper", is);
	redrawAll();
}

document.title = title();
document.getElementById("report").append(
	element("h1", {}, isComparison ? "VM exits, before and after" : "VM exits"),
	...(isComparison ? comparisonPage() : runPage(report)),
	element("footer", {}, document.querySelector("meta[name=generator]").content, ", charts by Chart.js"));
redrawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
addEventListener("beforeprint", () => onPaper(true));
addEventListener("afterprint", () => onPaper(false));
