#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion, in a real bash and a real zsh, each in a terminal of its own: what is
# offered when Tab is pressed behind a line. And that what the files say themselves,
# the values of options, is what the tools take.
# shellcheck disable=SC2016 # scripts for other shells
set -u
export LC_ALL=C
tests=$(realpath "$(dirname "$0")")
tree=$(dirname "$tests")
. "$tests/tap.sh"
"$tests/deps" install || exit 1
report=$tree/build/kvmstat-report
guest=$tree/build/kvmstat-guest
tmp=$(mktemp -d)
terminal=''
cleanup() {
	[ -z "$terminal" ] || kill "$terminal" 2>/dev/null
	wait
	rm -rf "$tmp"
}
trap cleanup EXIT
cd "$tmp" || exit 1

# What is completed: the tools, on a machine with two VMs; and files.
mkdir bin work work/dir 'work/a b'
ln -s "$guest" "$tree/build/isolate" bin
cat >bin/kvmstat-report <<END
#!/bin/sh
echo "\$*" >>"$tmp/asked"
[ "\$*" != 'show --by vm --format csv' ] || set -- "\$@" --source "$tests/data/amd.json"
exec "$report" "\$@"
END
chmod +x bin/kvmstat-report
touch work/before.json work/after.json work/dir/my.elf

# Both shells write what they offer to "offered", line by line, and then make "pressed".
cat >bashrc <<END
PS1= HISTFILE=
. /usr/share/bash-completion/bash_completion
. "$tree/completion/kvmstat.bash"
# Of a program's own arguments, it is called within a call.
tell() {
	local outer=\${inner-} inner=yes
	"\$@"
	[ -z "\$outer" ] || return
	printf '%s\n' "\${COMPREPLY[@]}" >"$tmp/offered"
	touch "$tmp/pressed"
}
tell_report() { tell _kvmstat_report "\$@"; }
tell_guest() { tell _kvmstat_guest "\$@"; }
tell_isolate() { tell _kvmstat_isolate "\$@"; }
complete -F tell_report kvmstat-report
complete -F tell_guest kvmstat-guest
complete -F tell_isolate isolate
bind 'set bell-style none'
END
cat >.zshrc <<END
PROMPT= HISTFILE=
fpath=("$tree/completion" \$fpath)
autoload -Uz compinit && compinit -u -d "$tmp/zcompdump"
setopt no_beep
# Every match goes through compadd; with -A and -O it only fills arrays.
compadd() {
	local -a offered
	[[ \${@[1,(i)(-|--)]} == *-[AOD]* ]] || { builtin compadd -A offered "\$@"; print -rl -- \$offered >>"$tmp/offered"; }
	builtin compadd "\$@"
}
tell() {
	: >"$tmp/offered"
	zle complete-word
	touch "$tmp/pressed"
}
zle -N tell
bindkey '^I' tell
END

# start SHELL…: in a terminal, to which descriptor 3 types
start() {
	rm -f keys pressed
	mkfifo keys
	(cd work && PATH=$tmp/bin:$PATH TERM=dumb ZDOTDIR=$tmp exec script -qfc "$*" /dev/null) <keys >"screen.$1" 2>&1 &
	terminal=$!
	exec 3>keys
	# It has read its settings when it does what it is told.
	printf 'touch %s\n' "$tmp/ready" >&3
	wait_for ready
	rm -f ready
}
stop() {
	exec 3>&-
	kill "$terminal" 2>/dev/null
	wait "$terminal"
	terminal=''
}
wait_for() {
	local i
	for ((i = 0; i < 1500; i++)); do
		[ ! -e "$1" ] || return 0
		sleep 0.02
	done
	echo "# no $1 after half a minute"
	return 1
}
# offered LINE: the words offered behind it, sorted, in one line
offered() {
	rm -f pressed
	printf '%s\t' "$1" >&3
	wait_for "$tmp/pressed"
	printf '\025' >&3
	sort -u offered | grep . | paste -sd ' '
}
# offers LINE WORDS NAME
offers() { is "$(offered "$1")" "$2" "$shell: $3"; }
# includes LINE WORD NAME
includes() { like " $(offered "$1") " " $2 " "$shell: $3"; }
excludes() {
	local got
	got=$(offered "$1")
	[[ " $got " != *" $2 "* ]]
	verdict $? "$shell: $3" "got: $got"
}

commands=$("$report" --help | sed -nE 's/^  ([a-z]+) .*/\1/p' | sort | paste -sd ' ')
guests=$("$guest" list | sed -nE '2,$s/^([a-z0-9-]+) .*/\1/p' | sort -u | paste -sd ' ')
# of COMMAND [WORD…]: its long options in --help, and these
of() {
	local command=$1
	shift
	{
		"$report" "$command" --help | sed -nE 's/^ +(-., )?(--[a-z-]+).*/\2/p'
		printf '%s\n' "$@"
	} | sort -u | grep . | paste -sd ' '
}
rows='class detail reason vcpu vcpu,class vcpu,detail vcpu,reason vm vm,class vm,detail vm,reason'

both_shells() {
	local command
	offers 'kvmstat-report ' "$commands" 'the commands'
	offers 'kvmstat-report s' "$(tr ' ' '\n' <<<"$commands" | grep ^s | paste -sd ' ')" 'those that begin so'
	for command in $commands; do
		offers "kvmstat-report $command --" "$(of "$command")" "$command: its options, and no others"
	done
	offers 'kvmstat-report --' "$(of show --version)" 'without a command: those of show'
	offers 'kvmstat-report --by ' "$rows" 'without a command: a value'
	offers 'kvmstat-report diff --by ' 'class detail reason' 'diff: values of --by'
	offers 'kvmstat-report top --by ' 'class detail reason vcpu vm' 'top: values of --by'
	offers 'kvmstat-report stat --by=vm,' 'vm,class vm,detail vm,reason' 'stat: two keys'
	offers 'kvmstat-report top --sort ' 'exits guest kernel max mean name offcpu p99 rate user' 'top: values of --sort'
	offers 'kvmstat-report show --sort ' 'cycles exits max mean name p99' 'show: values of --sort'
	offers 'kvmstat-report show --sort=m' 'max mean' 'a value behind ='
	offers 'kvmstat-report show --format ' 'csv json openmetrics prometheus table' 'show: values of --format'
	offers 'kvmstat-report diff --format ' 'csv json table' 'diff: values of --format'
	offers 'kvmstat-report caps --format ' 'json table' 'caps: values of --format'
	offers 'kvmstat-report spaces --pairs ' 'auto fold keep' 'spaces: values of --pairs'
	offers 'kvmstat-report reasons --isa ' 'svm vmx' 'reasons: values of --isa'
	offers 'kvmstat-report reasons INV' "$("$report" reasons --isa vmx --format json |
		jq -r '.reasons[].name | strings | select(startswith("INV"))' | sort -u | paste -sd ' ')" 'reasons: names'
	offers 'kvmstat-report show --vm ' '1 2 4100 4200' 'VMs and their processes'
	offers 'kvmstat-report bpf ' 'start status stop' 'bpf: its words'
	offers 'kvmstat-report bpf st' 'start status stop' 'bpf: those that begin so'
	excludes 'kvmstat-report bpf start ' stop 'bpf: one of them'
	offers 'kvmstat-report stat --source ' 'bpf module' 'stat: who counts'
	offers 'kvmstat-report paging --source=b' bpf 'paging: the same, behind ='
	includes 'kvmstat-report show --source ' bpf 'show: who counts'
	includes 'kvmstat-report show --source ' before.json 'show: files'
	includes 'kvmstat-report textfile --source ' before.json 'textfile: files'
	includes 'kvmstat-report stat -o ' before.json 'files, of a letter'
	includes 'kvmstat-report diff ' before.json 'diff: a file'
	includes 'kvmstat-report diff before.json ' after.json 'diff: another'
	includes 'kvmstat-report diff --by class before.json ' after.json 'diff: the other one, behind options'
	excludes 'kvmstat-report textfile ' before.json 'textfile: no file'
	includes 'kvmstat-report textfile ' 'dir/?' 'textfile: a directory'
	includes 'kvmstat-report stat -- kvmstat-gu' kvmstat-guest 'stat: a program'
	includes 'kvmstat-report stat -r 3 kvmstat-gu' kvmstat-guest 'stat: a program without --'
	offers 'kvmstat-report stat -r 3 -- kvmstat-guest run touch-h' touch-huge "stat: the program's own arguments"
	offers 'kvmstat-report paging --runs=3 kvmstat-guest run --mode ' 'long paged protected real' 'paging: the same, behind ='
	offers 'kvmstat-report nonsense --' '' 'no such command: nothing'
	offers 'kvmstat-report show -n ' '' 'a number: nothing'
	excludes 'kvmstat-report reset ' before.json 'no operand: no file'

	offers 'kvmstat-guest ' 'bench layout list run verify' 'the commands of kvmstat-guest'
	offers 'kvmstat-guest --' '--help --version' 'and its options'
	offers 'kvmstat-guest run ' "$guests" 'run: the guests'
	offers 'kvmstat-guest verify cpuid ' "$guests" 'verify: more guests'
	includes 'kvmstat-guest run dir/' '(dir/)?my.elf' "run: a guest of one's own"
	offers 'kvmstat-guest run --mode ' 'long paged protected real' 'run: values of --mode'
	offers 'kvmstat-guest run --' '--count --help --hold --isolate --mode --root --vcpus --writable' 'run: options'
	offers 'kvmstat-guest verify --' '--count --help --mode --source --vcpus' 'verify: options'
	offers 'kvmstat-guest verify --source ' 'bpf module' 'verify: values of --source'
	offers 'kvmstat-guest layout --' '--count --help --mode --vcpus' 'layout: options'
	offers 'kvmstat-guest bench --' '--count --help' 'bench: options'
	offers 'kvmstat-guest list --' --help 'list: options'

	offers 'isolate --' '--help --no-veth --version' 'isolate: options'
	includes 'isolate kvmstat-gu' kvmstat-guest 'isolate: a program'
	offers 'isolate --no-veth kvmstat-report res' reset "isolate: the program's own arguments"
	includes 'isolate -- kvmstat-gu' kvmstat-guest 'isolate: a program behind --'

	# A tool that fails: no word, and no noise on the screen.
	mv bin/kvmstat-report whole
	printf '#!/bin/sh\necho NOISE >&2\nexit 1\n' >bin/kvmstat-report
	chmod +x bin/kvmstat-report
	offers 'kvmstat-report ' '' 'a tool that fails: nothing'
	offers 'kvmstat-report show --' '' 'nor options'
	offers 'kvmstat-report show --vm ' '' 'nor VMs'
	is "$(grep -c NOISE "screen.$shell")" 0 "$shell: and no noise"
	mv whole bin/kvmstat-report
}

echo '# bash'
shell=bash
start bash --noprofile --rcfile "$tmp/bashrc" -i
both_shells
stop
# Without the package bash-completion, too.
sed -i '/^\. \/usr/d' bashrc
start bash --noprofile --rcfile "$tmp/bashrc" -i
offers 'kvmstat-report diff --by ' 'class detail reason' 'alone: values'
includes 'kvmstat-report stat -- kvmstat-gu' kvmstat-guest 'alone: a program'
stop

echo '# zsh'
shell=zsh
start zsh -i
both_shells
stop

echo '# the tools take what is offered'
# Words that an option is said to take; the tool's own message has all of them.
accepted() {
	local command=$1 option=$2 value
	shift 2
	for value; do
		"$report" "$command" "$option" "$value" --help >/dev/null 2>err
		is "$?" 0 "$command $option $value"
	done
	"$report" "$command" "$option" '?' 2>err
	value=$(sed 's/.* is not \(one of \)\?//; s/: see.*//; s/, or two like / /; s/ or / /; s/|/ /g; s/, / /g; s/  */\n/g' err | grep . | sort | paste -sd ' ')
	is "$value" "$(printf '%s\n' "$@" | sort | paste -sd ' ')" "$command $option: no more than these"
}
accepted show --by reason class detail vm vcpu vm,reason
for value in $rows; do
	"$report" show --by "$value" --help >/dev/null 2>&1
	is $? 0 "show --by $value"
done
accepted show --sort exits cycles mean p99 max name
accepted top --sort name exits rate guest kernel user offcpu mean p99 max
accepted show --format table csv json openmetrics prometheus
accepted spaces --format table csv json
accepted reasons --format table json
accepted caps --format table json
accepted reasons --isa svm vmx
accepted spaces --pairs auto fold keep
for value in module bpf; do
	for command in show top textfile stat paging; do
		"$report" $command --source $value --help >/dev/null 2>&1
		is $? 0 "$command --source $value"
	done
done
is "$("$report" bpf '?' 2>&1 | sed 's/.* is not one of //; s/,//g')" 'start stop status' 'bpf: no more than its words'
for format in table csv json openmetrics prometheus; do
	"$report" diff --format $format "$tests/data/amd.json" "$tests/data/amd.json" >/dev/null 2>&1
	is "$?" "$(case $format in table | csv | json) echo 0 ;; *) echo 2 ;; esac)" "diff --format $format"
done
for by in vm vcpu; do
	"$report" diff --by $by "$tests/data/amd.json" "$tests/data/amd.json" >/dev/null 2>&1
	is $? 2 "diff does not take --by $by"
done
# kvmstat-guest: --help tells no command's options, but each says what it does not take.
for command in run layout verify bench list; do
	taken=--help
	for option in --count=1 --mode=long --vcpus=1 --source=bpf --root=. --writable --isolate --hold; do
		! "$guest" "$command" "$option" --help >/dev/null 2>&1 || taken+=" ${option%%=*}"
	done
	start_of=$(sed -nE "s/^\t($command|[a-z |]*\b$command\b[a-z |]*)\) printf '%s.n' (.*) ;;/\2/p" "$tree/completion/kvmstat.bash")
	is "$(tr ' ' '\n' <<<"$start_of" | sed -E 's/^\$/--/; s/^:(--[a-z]+):.*/\1/' | sort | paste -sd ' ')" \
		"$(tr ' ' '\n' <<<"$taken" | sort | paste -sd ' ')" "kvmstat-guest $command: its options"
done
is "$("$guest" --help | grep -oE '^--[a-z]+|with --[a-z]+' | sed 's/.*--/--/' | sort -u | paste -sd ' ')" \
	'--count --hold --isolate --mode --root --source --vcpus --writable' 'kvmstat-guest has no other options'
done_testing
