# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The page of kvmstat-report --html in a browser: source it after tap.sh and browser.sh.

# What is asked of a page. Pixels are counted where a chart has its bars.
page_library='
	const canvases = [...document.querySelectorAll("canvas")];
	const chart = n => Chart.getChart(canvases[n]);
	const hues = n => chart(n).data.datasets.map(set => set.backgroundColor);
	function pixels(n, hue) {
		const ratio = chart(n).currentDevicePixelRatio, area = chart(n).chartArea;
		const wanted = [1, 3, 5].map(at => parseInt(hue.slice(at, at + 2), 16));
		const copy = new OffscreenCanvas(canvases[n].width, canvases[n].height)
			.getContext("2d", { willReadFrequently: true });
		copy.drawImage(canvases[n], 0, 0);
		const all = copy.getImageData(area.left * ratio, area.top * ratio,
			(area.right - area.left) * ratio, (area.bottom - area.top) * ratio).data;
		let count = 0;
		for (let i = 0; i < all.length; i += 4)
			count += wanted.every((value, k) => Math.abs(all[i + k] - value) < 3);
		return count;
	}
	const table = n => document.querySelectorAll(".scroll table")[n];
	const texts = row => [...row.cells].map(cell => cell.textContent);
	const body = n => [...table(n).tBodies[0].rows].map(texts);
	const column = (n, i) => body(n).map(row => row[i]);
	const titled = (n, title) => column(n, texts(table(n).tHead.rows[0]).indexOf(title));
'
page() { browser_run "$page_library $1"; }

# opens PAGE NAME: without complaint, without the network
opens() {
	ok "$2: opens" browser_open "$(realpath "$1")"
	is "$(browser_console)" '' "$2: nothing on the console"
	is "$(page 'return performance.getEntriesByType("resource").length')" 0 "$2: nothing is fetched"
}

# drawn NAME: each chart has pixels of each of its colours
drawn() {
	is "$(page 'return canvases.map((_, n) => hues(n).filter(hue => pixels(n, hue) < 20)).flat().join()')" '' \
		"$1: all charts are drawn"
}
