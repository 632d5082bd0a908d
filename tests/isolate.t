#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# isolate: on this machine, then on a stock kernel in the lab; and the filter of
# system calls that a VMM can be put in.
# shellcheck disable=SC2016 # expanded in the jail
set -u
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/.." || exit 1

# What is asked here is the machine, so isolate is not who says it.
if ! why=$(unshare --user --map-root-user --pid --fork --net --mount-proc true 2>&1); then
	echo "1..0 # SKIP this system has no namespaces for us: $why"
	exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
cp build/isolate build/tests/isolate/{filter,hold,tty} "$dir"
isolate=$dir/isolate
err=$dir/err
mark=4$$	# what sleeps this long is ours
asked="[4]$$"	# does not find itself

status() { "$isolate" "$@" >"$dir/out" 2>"$err"; echo $?; }
# The test as nobody, where it is root's.
nobody() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	else
		"$@"
	fi
}
left() { grep -lz "$asked" /proc/[0-9]*/cmdline 2>/dev/null | wc -l; }
# soon COMMAND…: it succeeds within 10 s
soon() {
	local _
	for _ in {1..100}; do
		"$@" && return
		sleep 0.1
	done
	return 1
}
none_left() { [ "$(left)" -eq 0 ]; }
# start SCRIPT: in the background, until it has said "ready"; its output goes to
# $dir/log
start() {
	: >"$dir/log"
	# in the background bash would have SIGINT and SIGQUIT ignored
	env --default-signal "$isolate" bash -c "$1" >"$dir/log" 2>&1 &
	pid=$!
	soon grep -q ready "$dir/log"
}
# end [SIGNAL]: how it ended is in $ended.
end() {
	{
		[ $# -eq 0 ] || kill -"$1" "$pid"
		wait "$pid"
	} 2>/dev/null
	ended=$?
}

# What it is like inside.
is "$("$isolate" ps -e -o pid=,comm= | sed 's/^ *//' | tr '\n' ' ')" '1 isolate 2 ps ' 'few processes, pid 1 among them'
is "$("$isolate" ps aux | wc -l)" 3 '…as ps aux has it'
is "$("$isolate" sh -c 'echo /proc/[0-9]*')" '/proc/1 /proc/2' '/proc shows those alone'
outside=$(uname -n)
is "$("$isolate" hostname)" isolated 'the hostname is isolated'
is "$("$isolate" sh -c 'hostname other; hostname')" other '…and the program may change it'
is "$(uname -n)" "$outside" '…while outside it stays what it was'
is "$(nobody "$isolate" id -u)" 0 'an unprivileged user is root inside'
is "$(nobody "$isolate" id -g)" 0 '…and so is the group'
is "$(nobody "$isolate" sh -c 'cat /proc/self/uid_map; cat /proc/self/gid_map' | xargs)" '0 0 1 0 0 1' '…with nobody else there'
is "$(cd "$dir" && mkdir all && chmod 777 all && nobody "$isolate" touch all/file && stat -c %u:%g all/file)" \
	"$(nobody sh -c 'echo $(id -u):$(id -g)')" '…and the caller outside'
is "$("$isolate" readlink /proc/self/ns/{user,uts,ipc,net,pid,mnt} | sort -u |
	grep -vcxFf <(readlink /proc/self/ns/*))" 6 'six namespaces, none of them ours'
is "$("$isolate" --no-veth grep -c : /proc/net/dev)" 1 'one interface'
is "$("$isolate" --no-veth perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die $!;
	IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $s->sockport) or die $!;
	print "connected"')" connected '…loopback, and it is up'
is "$("$isolate" sh -c 'umount /proc 2>/dev/null; echo /proc/[0-9]*')" '/proc/1 /proc/2' "the host's /proc cannot be uncovered"
is "$("$isolate" readlink /proc/1/exe; echo $?)" 1 '…nor pid 1 be looked into'
is "$("$isolate" sh -c 'mount -t tmpfs none '"$dir"' && ls '"$dir"' | wc -l')" 0 'it may mount'
is "$(grep -c "$dir" /proc/self/mountinfo)" 0 '…and nothing of it is left outside'

is "$(cd /proc/$$ && "$isolate" sh -c 'pwd; ls /proc/self/cwd/ | grep -cx "[0-9]*"' | xargs)" '/ 0' "a directory of the host's /proc is left"
is "$(cd /proc && "$isolate" sh -c 'pwd; echo [0-9]*' | xargs)" '/proc 1 2' "…for the jail's, where it is there, too"

# The settings of the kernel. The value that is there is written, if it can be.
rewrite='rewrite() { [ -e $1 ] && { echo "$(cat $1)" >$1; } 2>/dev/null && echo written; true; }; '
if [ "$(id -u)" -eq 0 ]; then
	is "$(sh -c "$rewrite"'rewrite /proc/sys/vm/swappiness')" written 'root may change a sysctl'
	for file in /proc/sys/vm/swappiness /proc/irq/default_smp_affinity /sys/kernel/mm/ksm/run; do
		is "$("$isolate" sh -c "$rewrite rewrite $file")" '' "…not in the jail: $file"
	done
	is "$("$isolate" sh -c "$rewrite"'for dir in /proc/sys /proc /sys; do
		umount $dir; umount -l $dir; mount -o remount,bind,rw $dir; mount -o remount,rw $dir; done 2>/dev/null
		rewrite /proc/sys/vm/swappiness; rewrite /sys/kernel/mm/ksm/run')" '' '…whatever it does to the mounts'
	mkdir "$dir/mnt"
	is "$(for how in -C -UrmC; do
		"$isolate" unshare $how echo made; "$isolate" "$isolate" unshare $how echo made; done 2>/dev/null)" '' \
		"…nor are its cgroups the jail's"
	is "$("$isolate" "$isolate" sh -c "$rewrite"'rewrite /proc/sys/vm/swappiness; ps -e -o comm=' 2>&1 | xargs)" \
		'isolate sh ps' '…in a jail in the jail'
	is "$(unshare -m sh -c 'mount -t proc proc "$1" && exec "$2" "$2" sh -c "ps -e -o comm="' sh "$dir/mnt" "$isolate" 2>&1 | xargs)" \
		'isolate sh ps' '…be there one more /proc outside, or not'
	# The lab has a /proc and a /sys without names, covered, which stay as they were.
	if [ -z "${LAB_OUT:-}" ]; then
		is "$("$isolate" unshare -Urpfm sh -c "$rewrite"'for option in rw ro; do
			mount -t proc -o $option proc '"$dir/mnt"'; mount -o remount,rw '"$dir/mnt; done 2>/dev/null
			rewrite $dir/mnt/sys/vm/swappiness; ls -d $dir/mnt/self")" "$dir/mnt/self" '…in a /proc of its own'
		is "$("$isolate" sh -c "$rewrite"'for option in rw ro; do
			mount -t sysfs -o $option none '"$dir/mnt"'; mount -o remount,rw '"$dir/mnt; done 2>/dev/null
			rewrite $dir/mnt/kernel/mm/ksm/run; ls -d $dir/mnt/kernel")" "$dir/mnt/kernel" '…in a /sys of its own'
		is "$("$isolate" "$isolate" "$isolate" true 2>"$err"; echo $?)" 1 "…which is no place for a third"
		like "$(cat "$err")" 'this /proc is read-only.*: run it outside' '…is what it says'
	fi
fi
is "$("$isolate" sh -c 'echo 1000 >/proc/self/oom_score_adj && cat /proc/self/oom_score_adj')" 1000 'the rest of /proc can be written'
is "$(nobody "$isolate" --no-veth sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward && cat /proc/sys/net/ipv4/ip_forward')" 1 "…and a user's jail has settings of its own"

# What passes through.
is "$(echo text | "$isolate" cat)" text 'standard input'
is "$(status sh -c 'echo out; echo err >&2') $(cat "$dir/out" "$err" | xargs)" '0 out err' 'standard output and standard error'
is "$(seq 100000 | "$isolate" sha256sum)" "$(seq 100000 | sha256sum)" 'much input'
is "$(seq 20000 | xargs "$isolate" sh -c 'echo $#' sh)" 20000 '20000 arguments'
is "$("$isolate" printf '%s|' 'a b' '' '*' -x --help)" 'a b||*|-x|--help|' 'odd arguments, and options that are not ours'
is "$(A='b c' "$isolate" printenv A)" 'b c' 'the environment'
is "$(cd "$dir" && "$isolate" pwd)" "$dir" 'the directory'
is "$(exec 5<"$0"; "$isolate" head -n 1 /proc/self/fd/5)" '#!/bin/bash' 'open files'
# /proc/self/fd itself is one of them
is "$("$isolate" sh -c 'echo /proc/self/fd/*' <&-)" "$(sh -c 'echo /proc/self/fd/*' <&-)" '…and no others'
is "$(ulimit -n 77; "$isolate" sh -c 'ulimit -n')" 77 'limits'
is "$("$isolate" grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status)" "$(grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status)" 'signal dispositions'
is "$(trap '' HUP CHLD; "$isolate" grep SigIgn /proc/self/status)" \
	"$(trap '' HUP CHLD; grep SigIgn /proc/self/status)" '…ignored ones, SIGCHLD too'

# How it ends.
is "$(status true)" 0 'exit status 0'
is "$(status sh -c 'exit 7')" 7 'exit status 7'
is "$(trap '' CHLD; status sh -c 'exit 7')" 7 '…where SIGCHLD is ignored'
is "$(status sh -c 'kill -9 $$')" 137 'death by a signal is 128+N'
is "$(status sh -c 'kill -SEGV $$')" 139 '…by any'
is "$(status bash -c 'for i in {1..200}; do sleep '"$mark"' & done; exit 3') $(left)" '3 0' 'what it left behind is gone when isolate is'
is "$(status sh -c '(sleep 0.1 &) ; sleep 0.5; ps -e -o stat= | grep -c Z; true') $(cat "$dir/out")" '0 0' 'orphans are no zombies'
is "$(status nonesuch)" 127 'no such program: 127'
like "$(cat "$err")" "^kvmstat: cannot run 'nonesuch': No such file" '…is named'
is "$(status ./nonesuch)" 127 '…by a path'
is "$(status "$err")" 126 'not executable: 126'
like "$(cat "$err")" "cannot run '$err': Permission denied" '…is named'
is "$(status /)" 126 'a directory: 126'
mkdir "$dir/bin" && printf '#!/bin/sh\necho found\n' >"$dir/bin/kvmstat-found" && chmod +x "$dir/bin/kvmstat-found"
is "$(env "PATH=$dir/bin:$PATH" "$isolate" kvmstat-found)" found 'PATH is searched'

mkdir "$dir/closed" && chmod 0 "$dir/closed"
is "$(nobody env "PATH=$dir/closed:$PATH" "$isolate" nonesuch 2>"$err"; echo $?)" 127 'a directory of PATH that may not be searched hides nothing: 127'
like "$(cat "$err")" "cannot run 'nonesuch': No such file" '…as it is said'
touch "$dir/nox"
is "$(nobody env "PATH=$dir/closed:$dir:$PATH" "$isolate" nox 2>/dev/null; echo $?)" 126 '…but one that is not executable is 126 in PATH as well'

# Signals to isolate.
for number in HUP INT QUIT USR1 USR2 TERM WINCH ALRM RTMIN+1; do
	start "trap 'echo got $number; exit 5' $number; echo ready; while :; do sleep 0.1; done"
	end "$number"
	is "$ended $(tail -n 1 "$dir/log")" "5 got $number" "SIG$number reaches the program"
done
start "echo ready; exec sleep $mark"
end TERM
is "$ended $(left)" '143 0' 'SIGTERM ends a program that does not catch it'
start "echo ready; exec sleep $mark"
is "$(ls "/proc/$(pgrep -P "$pid" -x isolate)/fd")" 0 'pid 1 holds no file but what tells it of the end'
end TERM
start "sleep $mark & sleep $mark & trap '' TERM HUP INT; echo ready; while :; do sleep $mark; done"
end KILL
is "$ended" 137 'SIGKILL of isolate'
ok '…and everything in the jail dies' soon none_left
start "echo ready; sleep $mark"
kill -STOP "$(pgrep -f "^sleep $asked")"
end KILL
ok '…what is stopped, too' soon none_left
env --default-signal "$dir/hold" "$mark" >"$dir/log" 2>&1 &
pid=$!
soon grep -q ready "$dir/log"
end KILL
ok '…and what was jailed without a program of its own' soon none_left
is "$(timeout 0.5 "$isolate" sleep "$mark"; echo $? "$(left)")" '124 0' 'timeout ends it'
is "$(timeout -s KILL 0.5 "$isolate" sleep "$mark"; echo $?)" 137 '…with SIGKILL'
ok '…and the jail dies' soon none_left
is "$("$isolate" sh -c 'kill -TERM 0'; echo $?)" 143 'a signal to its own process group stays inside'
is "$("$isolate" --no-veth sh -c 'kill -INT $$'; echo $?)" 130 'death by SIGINT is 130 as well'
is "$(timeout -k 1 10 "$isolate" --no-veth sh -c '(sleep 0.5; kill -CONT 2) & kill -STOP $$; echo done'; echo $?)" $'done\n0' \
	'a program that stops itself is continued by another in the jail'
relay 'terminal' "$dir/tty" "$isolate"

# The pair of interfaces.
ours() { grep -c "^ *isolate$pid:" /proc/net/dev; }
if [ "$(id -u)" -ne 0 ]; then
	echo '# not root: no veth pair is permitted'
elif "$isolate" true 2>&1 | grep -q 'no veth pair.*not supported'; then
	is "$(status sh -c 'exit 7')" 7 'without veth in the kernel it works'
	like "$(cat "$err")" '^kvmstat: warning: no veth pair to the host.*--no-veth' '…and warns'
	is "$(status --no-veth true; cat "$err")" 0 '…not with --no-veth'
else
	is "$(status true; cat "$err")" 0 'no warning'
	is "$("$isolate" grep -c : /proc/net/dev)" 2 'root has a veth pair: two interfaces inside'
	start "grep eth0 /proc/net/if_inet6; echo ready; exec sleep $mark"
	is "$(ours)" 1 '…and one outside'
	is "$(cut -d ' ' -f 1 "$dir/log" | xargs)" 'fe800000000000000000000000000002 ready' '…fe80::2 alone is inside'
	is "$(grep "isolate$pid\$" /proc/net/if_inet6 | cut -d ' ' -f 1 | xargs)" 'fe800000000000000000000000000001' '…fe80::1 alone outside'
	is "$(cat "/proc/sys/net/ipv6/conf/isolate$pid/"accept_{ra,redirects} | xargs)" '0 0' "…which takes nobody's routes"
	end TERM
	is "$ended $(ours)" '143 0' 'at its end the pair is gone'
	for _ in {1..20}; do	# SIOCSIFFLAGS, SIOCSIFNAME
		"$isolate" perl -MSocket -e 'socket(my $s, AF_INET, SOCK_DGRAM, 0);
			ioctl($s, 0x8914, my $down = pack("a16s x22", "eth0", 0)) &&
			ioctl($s, 0x8923, my $name = pack("a16a24", "eth0", "eth7")) or print "$!\n"' &
		pid=$!
		end
		echo "$ended $(ours)"
	done >"$dir/log"
	is "$(sort "$dir/log" | uniq -c | xargs)" '20 0 0' '…whatever it was called by then'
	start 'exec perl -MIO::Socket::IP -e '\''my $s = IO::Socket::IP->new(Listen => 1,
		LocalHost => "::", LocalPort => 4242) or die $@; $| = 1; print "ready\n";
		print {$s->accept} "hello\n"'\'
	is "$(perl -MIO::Socket::IP -e 'my $s = IO::Socket::IP->new(PeerHost => "fe80::2%isolate'"$pid"'",
		PeerPort => 4242) or die $@; print <$s>')" hello 'host and jail can talk'
	end
	is "$ended" 0 '…and it ends'
	start "echo ready; exec sleep $mark"
	end KILL
	no_interface() { [ "$(ours)" -eq 0 ]; }
	ok 'after SIGKILL it is gone, too' soon no_interface
fi
is "$(nobody "$isolate" grep -c : /proc/net/dev 2>&1)" 1 'who has no right to a pair is not told of it'

# Jails in jails, and none.
is "$(nobody "$isolate" --no-veth "$isolate" --no-veth "$isolate" --no-veth ps -e -o comm= 2>&1 | xargs)" 'isolate ps' 'a jail in a jail in a jail'
is "$(nobody "$isolate" "$isolate" sh -c 'exit 7'; echo $?)" 7 '…passes the exit status on'
is "$(nobody "$isolate" sh -c "echo 0 >/proc/sys/user/max_user_namespaces; '$isolate' true" 2>"$err"; echo $?)" 1 'user namespaces are switched off'
like "$(cat "$err")" 'forbids it: run "sudo sysctl user.max_user_namespaces=' '…says what to do'
for limit in user:1 mnt:1 pid:0 net:0 uts:0 ipc:0; do
	is "$(nobody "$isolate" sh -c "echo ${limit#*:} >/proc/sys/user/max_${limit%:*}_namespaces; '$isolate' true" 2>"$err"; echo $?)" 1 \
		"at most ${limit#*:} ${limit%:*} namespaces"
	like "$(cat "$err")" "forbids it: run \"sudo sysctl user.max_${limit%:*}_namespaces=" '…says what to do'
done
is "$(nobody "$isolate" sh -c "echo 3 >/proc/sys/user/max_user_namespaces; '$isolate' '$isolate' true" 2>"$err"; echo $?)" 1 'user namespaces run out'
like "$(cat "$err")" 'No space left on device: all that .* user.max_\*_namespaces allow' '…is what it says'
mkdir "$dir/root"
is "$("$isolate" sh -c "mount --rbind / '$dir/root' && chroot '$dir/root' '$isolate' true" 2>"$err"; echo $?)" 1 'in a chroot'
like "$(cat "$err")" 'cannot make namespaces: Operation not permitted: a chroot, or' '…says so'
# Of every /proc that there is: one alone would do. In the lab a covered one has no name.
if [ -z "${LAB_OUT:-}" ]; then
	is "$(unshare --user --map-root-user --mount sh -c 'for proc in $(findmnt -n -t proc -o TARGET); do
		mount -t tmpfs none "$proc/sys" || exit 2; done; exec '"$isolate true" 2>"$err"; echo $?)" 1 'a /proc that hides something, as containers have it'
	like "$(cat "$err")" "cannot mount the jail's /proc: parts of this system's own are hidden" '…is what it says'
fi
is "$(unshare --user --map-root-user --mount sh -c 'mount -t tmpfs none /proc && exec '"$isolate true" 2>"$err"; echo $?)" 1 'no /proc at all'
like "$(cat "$err")" 'cannot open /proc/self: .*run "mount -t proc' '…says what to do'
sysctl=/proc/sys/kernel/unprivileged_userns_clone
if [ -n "${LAB_OUT:-}" ] && [ -e $sysctl ]; then
	echo 0 >$sysctl
	is "$(nobody "$isolate" true 2>"$err"; echo $?)" 1 'a system that forbids it'
	like "$(cat "$err")" 'run "sudo sysctl kernel.unprivileged_userns_clone=1"' '…says what to do'
	is "$(status true)" 1 '…to root as well'
	like "$(cat "$err")" 'run "sudo sysctl kernel.unprivileged_userns_clone=1"' '…and says so'
	echo 1 >$sysctl
fi

# Usage.
is "$(status)" 2 'no program: wrong usage'
like "$(cat "$err")" 'no program to run.*--help' '…says so'
is "$(status --frobnicate true)" 2 'an unknown option: wrong usage'
like "$(cat "$err")" "no option '--frobnicate'" '…is named'
is "$(status --no-veth -xh)" 2 '…a letter, too'
like "$(cat "$err")" "no option '-x'" '…is named'
is "$(status --help=x)" 2 '…and one that takes no argument'
like "$(cat "$err")" "no option '--help=x'" '…is named'
is "$(status -- sh -c 'exit 4')" 4 '-- ends the options'
is "$(status --help)" 0 '--help'
like "$(cat "$dir/out")" '^usage: isolate' '…says how'
is "$("$isolate" --help 2>"$err" >/dev/full; echo $?)" 1 '…not onto a full disk'
like "$(status --version) $(cat "$dir/out")" '^0 isolate [0-9.]+$' '--version'

# The filter. A VMM enters the jail first, so that it may chroot().
mkdir "$dir/guest" "$dir/guest/root"
echo guest >"$dir/guest/root/file"
echo secret >"$dir/guest/canary"
ln -s ../canary "$dir/guest/root/link"
chmod -R a+rX "$dir" && chmod -R a+w "$dir/guest/root"
relay 'filter' nobody "$isolate" "$dir/filter" "$dir/guest"

[ -n "${LAB_OUT:-}" ] || relay 'lab' tests/lab/run --timeout 300 -- "$(realpath "$0")"
done_testing
