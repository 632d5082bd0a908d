# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packages of any Debian suite, sourced by tests/lab/kernel: fetched by an apt
# with a configuration of its own, from the mirror that this machine's apt
# uses, and unpacked without running anything of them. Nothing is installed,
# no setting of the machine is changed, and root is not needed.
#
# The suite "here" is the machine's own apt, with all that it is set up for.
# Wants $cache, say and die.

: "${cache:?}"

# For so many minutes a suite's package lists are taken as they are.
lists_for=$((7 * 24 * 60))

mirror() {
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
		sed -n 's/ Debian Debian$//p' | sort -u | head -n 1
}

# The machine's own settings, a proxy say, hold here, too; its hooks and pins do not.
apt_config() {
	local dir=$1
	cat <<-CONFIG
		Dir::State "$dir";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::State::extended_states "$dir/extended_states";
		Dir::Cache "$dir/cache";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::Etc::preferences "$dir/preferences";
		Dir::Etc::preferencesparts "$dir/none";
		Dir::Etc::trusted "$dir/none.gpg";
		Dir::Etc::trustedparts "$dir/none";
		Dir::Log "$dir/log";
		APT::Architecture "amd64";
		#clear APT::Architectures;
		APT::Architectures { "amd64"; };
		APT::Sandbox::User "$(id -un)";
		APT::Install-Recommends "false";
		Acquire::Languages "none";
		Acquire::Retries "3";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Pre-Install-Pkgs;
		#clear DPkg::Pre-Invoke;
		#clear DPkg::Post-Invoke;
	CONFIG
}

# suite_apt SUITE apt-get|apt-cache ARGUMENT…
suite_apt() {
	local suite=$1 program=$2
	shift 2
	if [ "$suite" = here ]; then
		LC_ALL=C "$program" "$@"
	else
		LC_ALL=C "$program" -c "$cache/apt-$suite/apt.conf" "$@"
	fi
}

# The lists of SUITE, anew.
suite_update() {
	local suite=$1 dir=$cache/apt-$1 sudo=''
	say "fetching package lists ($suite)…"
	if [ "$suite" = here ]; then
		[ "$(id -u)" -eq 0 ] || sudo='sudo -n'
		$sudo apt-get -q update >&2
		return
	fi
	suite_apt "$suite" apt-get -qq -o APT::Update::Error-Mode=any update >&2 &&
		touch "$dir/fetched"
}

# Makes SUITE ready for suite_apt. Fails where there is no such suite, or no mirror.
fresh() { [ -n "$(find "$1/fetched" -mmin "-$lists_for" 2>/dev/null)" ]; }

suite_open() {
	local status
	[ "$1" != here ] && ! fresh "$cache/apt-$1" || return 0
	exec 7>"$cache/apt-lock"
	flock 7		# another copy may be fetching them
	fresh "$cache/apt-$1" || make_suite "$1"
	status=$?
	exec 7>&-
	return $status
}

make_suite() {
	local suite=$1 dir=$cache/apt-$1 uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -f "$keyring" ] || { say "no $keyring: install debian-archive-keyring"; return 1; }
	uri=$(mirror)
	[ -n "$uri" ] || { say "this machine's apt knows no Debian mirror: see /etc/apt"; return 1; }
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/log" "$dir/none" || return 1
	touch "$dir/status" "$dir/none.gpg" "$dir/preferences"
	echo "deb [signed-by=$keyring] $uri $suite main" >"$dir/sources.list"
	apt_config "$dir" >"$dir/apt.conf"
	suite_update "$suite"
}

# Unpacks packages below ROOT, but for what nobody reads here.
unpack() {
	local root=$1 deb
	shift
	mkdir -p "$root"
	for deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --no-same-owner \
			--exclude='./usr/share/doc' --exclude='./usr/share/man' \
			--exclude='./usr/share/info' --exclude='./usr/share/locale' || return 1
		rm -f "$deb"
	done
}
