# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's Chromium without a screen, by the WebDriver protocol: source it, call
# browser_start, browser_open, browser_run…, end with browser_stop.
# What it keeps goes to $browser_dir.

# webdriver METHOD PATH [JSON]: the "value" of the answer; fails where that is an error
webdriver() {
	local answer
	answer=$(curl -sS --max-time 120 -X "$1" -H 'Content-Type: application/json' \
		${3:+--data-binary "$3"} "$browser_url$2") || return
	jq -ce '.value | if type == "object" and has("error") then
		"# \(.error): \(.message)\n" | halt_error(1) else [.] end' <<<"$answer" | jq -r '.[0]'
}

browser_start() {
	browser_dir=$1
	chromedriver --port=0 >"$browser_dir/driver.log" 2>&1 &
	browser_pid=$!
	local port='' i answer
	for ((i = 0; i < 100 && !${#port}; i++)); do
		sleep 0.1
		port=$(sed -n 's/.*started successfully on port \([0-9]*\).*/\1/p' "$browser_dir/driver.log")
	done
	[ -n "$port" ] || { echo "# chromedriver does not start: $(cat "$browser_dir/driver.log")"; return 1; }
	browser_url=http://127.0.0.1:$port
	# --no-sandbox: for root, and where there are no user namespaces
	answer=$(webdriver POST /session '{"capabilities": {"alwaysMatch": {
		"goog:loggingPrefs": {"browser": "ALL"},
		"goog:chromeOptions": {"args": ["--headless=new", "--no-sandbox", "--disable-gpu",
			"--disable-dev-shm-usage", "--window-size=1200,900", "--user-data-dir='"$browser_dir"'/profile"]}}}}') ||
		return
	browser_url=$browser_url/session/$(jq -r .sessionId <<<"$answer")
}

browser_stop() {
	[ -n "${browser_pid:-}" ] || return 0
	webdriver DELETE '' >/dev/null 2>&1
	kill "$browser_pid" 2>/dev/null
	wait "$browser_pid" 2>/dev/null
	browser_pid=
}

# browser_open FILE
browser_open() {
	webdriver POST /url "$(jq -n --arg url "file://$1" '{url: $url}')" >/dev/null
}

# browser_run SCRIPT: what it returns, strings as they are
browser_run() {
	webdriver POST /execute/sync "$(jq -n --arg script "$1" '{script: $script, args: []}')"
}

# browser_devtools COMMAND JSON
browser_devtools() {
	webdriver POST /goog/cdp/execute "$(jq -n --arg cmd "$1" --argjson params "$2" \
		'{cmd: $cmd, params: $params}')"
}

# browser_click CSS: with the mouse, in the middle of that element
browser_click() {
	local element
	element=$(webdriver POST /element "$(jq -n --arg css "$1" '{using: "css selector", value: $css}')") || return
	webdriver POST "/element/$(jq -r '.[]' <<<"$element")/click" '{}' >/dev/null
}

# browser_keys CSS TEXT: typed there
browser_keys() {
	local element
	element=$(webdriver POST /element "$(jq -n --arg css "$1" '{using: "css selector", value: $css}')") || return
	webdriver POST "/element/$(jq -r '.[]' <<<"$element")/value" \
		"$(jq -n --arg text "$2" '{text: $text}')" >/dev/null
}

# browser_console: what the page and the browser complained of since the last time
browser_console() {
	webdriver POST /se/log '{"type": "browser"}' | jq -r '.[] | .level + " " + .message'
}

# browser_screen dark|light WIDTH [PHONE: true]: how the page is seen from now on
browser_screen() {
	browser_devtools Emulation.setEmulatedMedia \
		'{"features": [{"name": "prefers-color-scheme", "value": "'"$1"'"}]}' >/dev/null &&
		browser_devtools Emulation.setDeviceMetricsOverride '{"width": '"$2"', "height": 900,
			"deviceScaleFactor": 1, "mobile": '"${3:-false}"'}' >/dev/null
}

# browser_picture FILE.png: of the whole page
browser_picture() {
	browser_devtools Page.captureScreenshot '{"captureBeyondViewport": true}' |
		jq -r .data | base64 -d >"$1"
}

# browser_print FILE.pdf
browser_print() {
	webdriver POST /print '{"background": false}' | base64 -d >"$1"
}
