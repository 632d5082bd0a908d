#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make install: what it puts where, that it works from there, and that make uninstall
# takes it away and nothing else. The module: by DKMS, and without.
set -u
tests=$(realpath "$(dirname "$0")")
tree=$(dirname "$tests")
. "$tests/tap.sh"
"$tests/deps" build install || exit 1
kernel=$("$tests/lab/kernel" 6.1) || exit 1
export KDIR=$kernel/build
release=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' "$KDIR/include/generated/utsrelease.h")
version=$(sed -n 's/^#define KVMSTAT_VERSION "\(.*\)"/\1/p' "$tree/user/version.h")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
unset MAKEFLAGS MFLAGS PREFIX BINDIR DATADIR MANDIR INCLUDEDIR UNITDIR BASHCOMPDIR ZSHCOMPDIR DKMSDIR MODDIR

# build TARGET VARIABLE=VALUE…: make, in the tree
build() { make -s -C "$tree" "$@"; }
# in_root DIR: files and links in it, with their modes
in_root() { (cd "$1" && find . ! -type d -printf '%m %P\n' | sort -k 2); }

echo '# files'
cat >wanted <<'END'
755 usr/bin/isolate
755 usr/bin/kvmstat-guest
755 usr/bin/kvmstat-report
644 usr/include/kvmstat.h
644 usr/lib/systemd/system/kvmstat-textfile.service
644 usr/lib/systemd/system/kvmstat-textfile.timer
777 usr/share/bash-completion/completions/isolate
777 usr/share/bash-completion/completions/kvmstat-guest
777 usr/share/bash-completion/completions/kvmstat-report
644 usr/share/bash-completion/completions/kvmstat.bash
644 usr/share/kvmstat/kvmstat.rules.yml
644 usr/share/kvmstat/kvmstat.schema.json
644 usr/share/man/man1/isolate.1
644 usr/share/man/man1/kvmstat-guest.1
644 usr/share/man/man1/kvmstat-report.1
644 usr/share/man/man4/kvmstat.4
644 usr/share/zsh/site-functions/_kvmstat
END
root="$tmp/a root"
ok 'make install, into a directory with a blank' build install DESTDIR="$root" PREFIX=/usr
is "$(in_root "$root")" "$(cat wanted)" 'these files'
is "$(find "$root" ! -type d ! -user "$(id -un)")" '' "they are the caller's"
ok 'again' build install DESTDIR="$root" PREFIX=/usr
is "$(in_root "$root")" "$(cat wanted)" 'the same files'
ok 'without kernel headers' build install DESTDIR="$tmp/headless" PREFIX=/usr KDIR=/nonexistent
is "$(in_root headless)" "$(cat wanted)" 'no file less'
is "$(build -n install BUILD=build/none 2>&1 | grep -oE -- '-o build/none/(kvm|iso)[a-z-]+' | sort | paste -sd ' ')" \
	'-o build/none/isolate -o build/none/kvmstat-guest -o build/none/kvmstat-report' 'tools that are not there are built first'
(umask 077 && build install DESTDIR="$tmp/private" PREFIX=/usr) >/dev/null 2>&1
is "$(in_root private)" "$(cat wanted)" 'whatever the umask'
build install DESTDIR="$tmp/moved" PREFIX=/opt/kvmstat BINDIR=/b MANDIR=/m UNITDIR=/u INCLUDEDIR=/i >/dev/null
is "$(cd moved && find . -name 'kvmstat-report*' -type f | sort | paste -sd ' ')" './b/kvmstat-report ./m/man1/kvmstat-report.1' 'other directories'
is "$(grep -rlF -e "$root" -e "$tree" "$root" | grep -v /bin/)" '' 'nothing names where it was built or put'

echo '# they work from there'
bin=$root/usr/bin
for tool in kvmstat-report kvmstat-guest isolate; do
	is "$("$bin/$tool" --version)" "$tool $version" "$tool --version"
done
like "$("$bin/kvmstat-report" reasons --isa svm npf)" 0x400 'reasons'
like "$("$bin/kvmstat-report" --source "$tests/data/amd.json")" 'nested paging' 'a saved run'
"$bin/kvmstat-report" --source "$tests/data/amd.json" --html page.html >/dev/null
like "$(head -c 200 page.html)" '<!DOCTYPE html>' 'its page'
like "$("$bin/kvmstat-guest" list)" '^Exits: ' 'the list of guests'
for page in kvmstat-report.1 kvmstat-guest.1 isolate.1 kvmstat.4; do
	name=${page%.*} section=${page##*.}
	is "$(MANPATH='' man -M "$root/usr/share/man" -w "$section" "$name")" \
		"$root/usr/share/man/man$section/$page" "man $section $name"
done
ok 'the header, by its name' cc -xc -fsyntax-only -Wall -Werror -I "$root/usr/include" - <<<'#include <kvmstat.h>'
# shellcheck disable=SC2016 # $1 is that bash's
is "$(bash -c '. /usr/share/bash-completion/bash_completion; BASH_COMPLETION_USER_DIR=$1
	_completion_loader kvmstat-guest; complete -p kvmstat-guest' - "$tmp/headless/usr/share/bash-completion")" \
	'complete -F _kvmstat_guest kvmstat-guest' 'bash finds the completion by the name of the command'
unit=$root/usr/lib/systemd/system/kvmstat-textfile
# shellcheck disable=SC2016 # systemd's own ${DIR}
is "$(grep ^ExecStart= "$unit.service")" 'ExecStart=/usr/bin/kvmstat-report textfile ${DIR}' 'the unit has the path of the tool'
like "$(grep ^ExecStart= moved/u/kvmstat-textfile.service)" '^ExecStart=/b/kvmstat-report ' 'wherever that is'
ok 'make install, without DESTDIR' build install PREFIX="$tmp/own"
is "$(in_root own)" "$(sed 's| usr/| |' wanted)" 'the same files'
like "$(own/bin/kvmstat-report --version)" "$version" 'and they work'
if command -v systemd-analyze >/dev/null; then
	is "$(systemd-analyze verify --man=no own/lib/systemd/system/* 2>&1)" '' 'systemd-analyze verify'
fi
build uninstall PREFIX="$tmp/own"
is "$(in_root own)" '' 'nothing is left of them'

echo '# make uninstall'
touch "$root/usr/bin/other" "$root/usr/share/bash-completion/completions/other" "$root/usr/share/man/man1/other.1"
ok 'make uninstall' build uninstall DESTDIR="$root" PREFIX=/usr
is "$(in_root "$root" | sed 's/.* //' | paste -sd ' ')" \
	'usr/bin/other usr/share/bash-completion/completions/other usr/share/man/man1/other.1' 'files of others stay, and no more'
is "$(find "$root" -name kvmstat)" '' 'nor a directory of ours'
touch headless/usr/share/kvmstat/other
build uninstall DESTDIR="$tmp/headless" PREFIX=/usr
is "$(in_root headless | sed 's/.* //')" usr/share/kvmstat/other 'a file of others in that directory, too'
ok 'make uninstall, of nothing' build uninstall DESTDIR="$tmp/nowhere" PREFIX=/usr
[ ! -e nowhere ]
verdict $? 'makes nothing'

echo '# the module'
is "$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$tree/dkms.conf")" "$version" "dkms.conf: the tools' version"
is "$(sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' "$tree/module/main.c")" "$version" "the module: the tools' version"
ok 'make install-dkms' build install-dkms DESTDIR="$tmp/dkms"
source=dkms/usr/src/kvmstat-$version
is "$(cd "$source" && find . -type f | sort)" \
	"$(cd "$tree" && { find module -name '*.[ch]' && echo COPYING && echo Kbuild && echo dkms.conf; } | sed 's|^|./|' | sort)" 'its sources'
# As DKMS does it: a copy, in which it runs what dkms.conf says.
build_by_dkms_conf() {
	local kernel_source_dir=$KDIR dkms_tree=$tmp/tree
	local PACKAGE_NAME PACKAGE_VERSION BUILT_MODULE_NAME MAKE
	mkdir -p "$dkms_tree/kvmstat/$version" && cp -r "$source" "$dkms_tree/kvmstat/$version/build" || return
	# shellcheck disable=SC1091 # assigns what is declared above
	. "$source/dkms.conf"
	cd / && eval "${MAKE[0]}" && mv "$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build/${BUILT_MODULE_NAME[0]}.ko" "$tmp/dkms.ko"
}
ok 'dkms.conf builds it' build_by_dkms_conf
like "$(modinfo -F vermagic "$tmp/dkms.ko")" "^$release " 'for the kernel that was named'
is "$(modinfo -F version "$tmp/dkms.ko")" "$version" 'in this version'
ok 'make uninstall-dkms' build uninstall-dkms DESTDIR="$tmp/dkms"
is "$(ls dkms/usr/src)" '' 'nothing is left of the sources'
# Built apart: other tests use what is in build.
ok 'make install-module' build install-module BUILD=build/install DESTDIR="$tmp/module"
is "$(in_root module)" "644 lib/modules/$release/updates/kvmstat.ko" 'where modprobe looks'
is "$(modinfo -F version "$tmp/module/lib/modules/$release/updates/kvmstat.ko")" "$version" 'in this version, too'
ok 'make uninstall-module' build uninstall-module DESTDIR="$tmp/module"
is "$(in_root module)" '' 'nothing is left of the module'
done_testing
