# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for kvmstat-report, kvmstat-guest and isolate. Commands and options
# are what the tool that is being typed says in its --help; the values of options are
# told here. A tool that fails, or says nothing, completes nothing.

# Sets cur, words and cword, as bash has them, but that --by=vm is two words, --by and vm;
# places[i] is where words[i] is in COMP_WORDS.
_kvmstat_words() {
	local i
	words=() places=() cword=0
	for ((i = 0; i <= COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == = && ${COMP_WORDS[i - 1]} == --* ]]; then
			# Nothing is typed behind it yet.
			((i == COMP_CWORD)) || continue
			words+=('')
		else
			words+=("${COMP_WORDS[i]}")
		fi
		places+=("$i")
	done
	cword=$((${#words[@]} - 1))
	cur=${words[cword]}
}

# _kvmstat_ask TOOL ARGUMENTS…: what the tool says; ~ is not expanded yet
_kvmstat_ask() {
	local tool=$1
	shift
	# shellcheck disable=SC2088 # as it was typed
	[[ $tool != '~/'* ]] || tool=$HOME/${tool:2}
	"$tool" "$@" 2>/dev/null </dev/null
}

_kvmstat_offer() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }

# _kvmstat_files [-d]: files, or directories alone
_kvmstat_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "${1:--f}" -- "$cur")
}

# _kvmstat_program N: words[N] is a program, and what is behind it is its own
_kvmstat_program() {
	if declare -F _command_offset >/dev/null; then
		_command_offset "${places[$1]}"
	elif ((cword == $1)) && [[ $cur != */* ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	else
		_kvmstat_files
	fi
}

# Goes through the words before the one that is being typed, from words[$1] on. Sets
# 'wanted', the option whose value it is, and 'operand', where operands begin before it
# (0: they do not). 'options' has a line LETTER:NAME:ARGUMENT for each option.
_kvmstat_walk() {
	local i word letter name argument
	wanted='' operand=0
	for ((i = $1; i < cword; i++)); do
		word=${words[i]}
		case $word in
		--)
			operand=$((i + 1))
			return
			;;
		-*)
			while IFS=: read -r letter name argument; do
				[[ -n $argument && ($word == "$letter" || $word == "$name") ]] || continue
				i=$((i + 1))
				((i < cword)) || wanted=$name
			done <<<"$options"
			;;
		*)
			operand=$i
			return
			;;
		esac
	done
}

_kvmstat_offer_options() {
	_kvmstat_offer "$(cut -d : -f 2 <<<"$options")"
}

### kvmstat-report

# In --help: "  -i, --interval SECONDS     what each ..."
_kvmstat_report_options() {
	_kvmstat_ask "$tool" "$command" --help |
		sed -nE 's/^ +((-[a-z]), )?(--[a-z-]+)( ([^ ]+))? .*/\2:\3:\5/p'
}

# Who counts; where nothing is measured, a saved report, too.
_kvmstat_source() {
	local words
	_kvmstat_offer 'module bpf'
	case $command in
	show | top | textfile)
		words=("${COMPREPLY[@]}")
		_kvmstat_files
		COMPREPLY+=("${words[@]}")
		;;
	esac
}

_kvmstat_report_value() {
	local by=(reason class detail)
	case $wanted in
	--output | --msrs | --html) _kvmstat_files ;;
	--source) _kvmstat_source ;;
	--vm) _kvmstat_offer "$(_kvmstat_ask "$tool" show --by vm --format csv |
		sed -nE 's/^([1-9][0-9]*),([0-9]+),.*/\1 \2/p')" ;;
	--pairs) _kvmstat_offer 'auto fold keep' ;;
	--isa) _kvmstat_offer 'svm vmx' ;;
	--format)
		case $command in
		show | stat) _kvmstat_offer 'table csv json openmetrics prometheus' ;;
		reasons | caps) _kvmstat_offer 'table json' ;;
		*) _kvmstat_offer 'table csv json' ;;
		esac
		;;
	--by)
		case $command in
		top) by+=(vm vcpu) ;;
		show | stat | textfile) by+=(vm vcpu {vm,vcpu}','{reason,class,detail}) ;;
		esac
		_kvmstat_offer "${by[*]}"
		;;
	--sort)
		if [[ $command == top ]]; then
			_kvmstat_offer 'name exits rate guest kernel user offcpu mean p99 max'
		else
			_kvmstat_offer 'exits cycles mean p99 max name'
		fi
		;;
	esac
}

_kvmstat_report_operand() {
	case $command in
	diff) _kvmstat_files ;;
	textfile) _kvmstat_files -d ;;
	bpf) ((operand)) || _kvmstat_offer 'start stop status' ;;
	# Names of one word; others can be had by their number.
	reasons) _kvmstat_offer "$(_kvmstat_ask "$tool" reasons --format json |
		sed -nE 's/^ *"name": "([^" ]+)",?$/\1/p')" ;;
	esac
}

_kvmstat_report() {
	local words places cword cur options wanted operand tool=$1 command=show first=1
	_kvmstat_words
	if ((cword == 1)) && [[ $cur != -* ]]; then
		_kvmstat_offer "$(_kvmstat_ask "$tool" --help | sed -nE 's/^  ([a-z]+) .*/\1/p')"
		return
	elif ((cword > 1)) && [[ ${words[1]} != -* ]]; then
		command=${words[1]} first=2
	fi
	options=$(_kvmstat_report_options)
	((cword > 1)) || options+=$'\n:--version:'
	_kvmstat_walk "$first"
	if [[ -n $wanted ]]; then
		_kvmstat_report_value
	elif [[ $command == stat || $command == paging ]] && ((operand)); then
		_kvmstat_program "$operand"
	elif [[ $cur == -* ]] && ((!operand)); then
		_kvmstat_offer_options
	elif [[ $command == stat || $command == paging ]]; then
		_kvmstat_program "$cword"
	else
		_kvmstat_report_operand
	fi
}

### kvmstat-guest

# Its --help does not tell which command takes which option.
_kvmstat_guest_options() {
	local count=:--count:N mode=:--mode:MODE vcpus=:--vcpus:N source=:--source:WHO help=:--help:
	case $command in
	run) printf '%s\n' $count $mode $vcpus :--root:DIR :--writable: :--isolate: :--hold: $help ;;
	verify) printf '%s\n' $count $mode $vcpus $source $help ;;
	layout) printf '%s\n' $count $mode $vcpus $help ;;
	bench) printf '%s\n' $count $help ;;
	list) printf '%s\n' $help ;;
	esac
}

_kvmstat_guest_value() {
	case $wanted in
	--mode) _kvmstat_offer 'real protected paged long' ;;
	--source) _kvmstat_offer 'module bpf' ;;
	--root) _kvmstat_files -d ;;
	esac
}

# Guests of one's own are files with a / in their names.
_kvmstat_guest_operand() {
	case $command in
	run | layout | verify)
		if [[ $cur == */* && $command != verify ]]; then
			_kvmstat_files
		else
			_kvmstat_offer "$(_kvmstat_ask "$tool" list | sed -nE '2,$s/^([a-z0-9-]+) .*/\1/p')"
		fi
		;;
	esac
}

_kvmstat_guest() {
	local words places cword cur options wanted operand tool=$1 command
	_kvmstat_words
	command=${words[1]}
	if ((cword == 1)) && [[ $cur != -* ]]; then
		_kvmstat_offer "$(_kvmstat_ask "$tool" --help | sed -nE 's/^  ([a-z]+) .*/\1/p')"
		return
	fi
	options=$(_kvmstat_guest_options)
	((cword > 1)) || options=$':--help:\n:--version:'
	_kvmstat_walk 2
	if [[ -n $wanted ]]; then
		_kvmstat_guest_value
	elif [[ $cur == -* ]]; then
		_kvmstat_offer_options
	else
		_kvmstat_guest_operand
	fi
}

### isolate

_kvmstat_isolate() {
	local words places cword cur options wanted operand tool=$1
	_kvmstat_words
	options=$(_kvmstat_ask "$tool" --help | sed -nE 's/^  (--[a-z-]+) .*/:\1:/p')
	_kvmstat_walk 1
	if ((operand)); then
		_kvmstat_program "$operand"
	elif [[ $cur == -* ]]; then
		_kvmstat_offer_options
	else
		_kvmstat_program "$cword"
	fi
}

complete -F _kvmstat_report kvmstat-report
complete -F _kvmstat_guest kvmstat-guest
complete -F _kvmstat_isolate isolate
