#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kvmstat-report caps: values with known meaning, and what is no value. In the lab,
# on both vendors: the same bits as the kernel finds (/proc/cpuinfo), and in use what
# the vendor module's parameters say, and what is in the VMCS or VMCB of a vCPU,
# with nested and with shadow paging.
set -u
self=$(realpath "$0")
. "$(dirname "$self")/tap.sh"
cd "$(dirname "$self")/.." || exit 1
report=${REPORT:-$PWD/build/kvmstat-report}
refused=$PWD/build/tests/caps/refused

### in the lab: no more than to collect, for all else is slow there

raw_msr() {
	dd if=/dev/cpu/0/msr bs=8 count=1 iflag=skip_bytes skip=$(($1)) 2>/dev/null |
		od -An -tx8 | sed 's/ *0*\(.\)/0x\1/'
}

# in_this_mode PARAMETERS PAGING-PARAMETER: what there is, into files that begin with Y or N
in_this_mode() {
	local mode
	mode=$(cat "$1/$2")
	kvmstat-report caps --format json >"$mode.json" && grep . "$1"/* >"$mode.values" || return
	# The kernel tells of the VMCS or VMCB of a vCPU that cannot be entered.
	for dump in "$1"/dump_invalid_*; do echo 1 >"$dump"; done
	dmesg --clear && "$refused" >"$mode.refused" && dmesg >"$mode.dmesg"
}

# collect MODULE PAGING-PARAMETER [DIRECTORY OF msr.ko]
collect() {
	local address parameters=/sys/module/$1/parameters
	cd "$LAB_OUT" || return
	kvmstat-report caps >first.out 2>first.err
	echo $? >first.status
	if [ $# -gt 2 ]; then
		insmod "$3/msr.ko" || return
		for address in 0x480 0x481 0x482 0x483 0x484 0x48b 0x48c 0x48d 0x48e 0x48f 0x490; do
			echo "$address $(raw_msr $address)"
		done >raw.msrs
	fi
	grep -E '^(vmx flags|flags)' /proc/cpuinfo >cpuinfo
	export -f in_this_mode
	export refused
	kvmstat-report paging -o paging.json -- bash -c "in_this_mode $parameters $2" &&
		rmmod "$1" && kvmstat-report caps --format json >unloaded.json
}

if [ -n "${LAB_OUT:-}" ]; then
	collect "$@"
	exit
fi

### values with known meaning

# bit FILE REGISTER BIT FILTER
bit() {
	jq -r --arg register "$2" --argjson bit "$3" ".groups[] | select(.register == \$register) |
		(.controls // .features)[] | select(.bit == \$bit) | $4" "$1"
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# decode LINE…: caps of these MSRs, as JSON, in $tmp/caps
decode() {
	printf '%s\n' "$@" >"$tmp/msrs"
	"$report" caps --msrs "$tmp/msrs" --format json >"$tmp/caps" 2>"$tmp/err"
}
# fails REGEX NAME LINE…
fails() {
	local regex=$1 name=$2
	shift 2
	decode "$@"
	is "$?/$(wc -c <"$tmp/caps")" 1/0 "$name: status 1"
	like "$(cat "$tmp/err")" "$regex" "$name: says so"
}
# row REGISTER BIT: name, can be set, can be clear
row() { bit "$tmp/caps" "$1" "$2" '"\(.name) \(.can_set) \(.can_clear)"'; }

# The least that there can be: every reserved bit at its default (SDM vol. 3, app. A.2).
least=(0x481\ 0x0000001600000016 0x482\ 0x0401e1720401e172
	0x483\ 0x00036dff00036dff 0x484\ 0x000011ff000011ff)
decode "0x480 0x0000000000000001" "${least[@]}"
is "$?/$(cat "$tmp/err")" 0/ 'the least'
is "$(jq -r '[.groups[].address] | join(" ")' "$tmp/caps")" '0x481 0x482 0x483 0x484' \
	'no MSR is read that is not announced'
is "$(row IA32_VMX_PINBASED_CTLS 0)" 'External-interrupt exiting false true' 'a control that may not be set'
is "$(row IA32_VMX_PROCBASED_CTLS 15)" 'CR3-load exiting true false' 'a control that may not be clear'
is "$(row IA32_VMX_PROCBASED_CTLS 1)" '' 'a reserved bit is no control'
is "$(jq '[.groups[].controls[] | select(.name == null)] | length' "$tmp/caps")" 0 'nor any other'

# The TRUE ones let CR3 exiting, and the debug controls, be clear.
true_ones=(0x48d\ 0x0000001600000016 0x48e\ 0x0401e17204006172
	0x48f\ 0x00036dff00036dfb 0x490\ 0x000011ff000011fb)
decode "0x480 0x0080000000000001" "${least[@]}" "${true_ones[@]}"
is "$(jq -r '[.groups[].address] | join(" ")' "$tmp/caps")" '0x48d 0x48e 0x48f 0x490' 'the TRUE ones'
is "$(row IA32_VMX_TRUE_PROCBASED_CTLS 15)" 'CR3-load exiting true true' 'a TRUE one allows more'
is "$(row IA32_VMX_TRUE_EXIT_CTLS 2)" 'Save debug controls true true' '…at exit'
is "$(row IA32_VMX_TRUE_ENTRY_CTLS 2)" 'Load debug controls true true' '…at entry'
decode "${least[@]}" "${true_ones[@]}"
is "$?/$(jq -r '[.groups[].address] | join(" ")' "$tmp/caps")" '0/0x481 0x482 0x483 0x484' \
	'without MSR 0x480 the older ones'
like "$(cat "$tmp/err")" '0x480 is missing' '…with a warning'

# Everything else, and what has no name.
decode "0x480 0x1" "0x481 0x0000011600000016" "0x482 0x8403e1720401e172" "${least[@]:2}" \
	"0x48b 0x8020002200000000" "0x492 0x8000000000000013" "0x48c 0x0035000000004041"
is "$(jq -r '[.groups[].address] | join(" ")' "$tmp/caps")" '0x481 0x482 0x48b 0x492 0x483 0x484 0x48c' \
	'each that is announced'
is "$(row IA32_VMX_PINBASED_CTLS 8)" 'null true true' 'a bit without a name'
is "$(row IA32_VMX_PROCBASED_CTLS2 1)/$(row IA32_VMX_PROCBASED_CTLS2 0)/$(row IA32_VMX_PROCBASED_CTLS2 31)" \
	'Enable EPT true true/Virtualize APIC accesses false true/Instruction timeout true true' 'secondary controls'
is "$(row IA32_VMX_PROCBASED_CTLS2 21)" 'PASID translation true true' 'a newer one'
is "$(row IA32_VMX_PROCBASED_CTLS3 4)/$(row IA32_VMX_PROCBASED_CTLS3 0)" \
	'IPI virtualization true true/LOADIWKEY exiting true true' 'tertiary controls'
is "$(row IA32_VMX_PROCBASED_CTLS3 63)/$(row IA32_VMX_PROCBASED_CTLS3 3)" \
	'null true true/Guest-paging verification false true' '…have 64 bits'
is "$(jq -c '[.groups[6].features[] | select(.present).bit]' "$tmp/caps")" '[0,6,14]' \
	'EPT capabilities, of which bits 53:48 are a number'
decode "0x480 0x1" "${least[0]}" "0x482 0x8401e1720401e172" "${least[@]:2}" "0x48b 0"
is "$(jq -r '[.groups[].address] | join(" ")' "$tmp/caps")" '0x481 0x482 0x48b 0x483 0x484' \
	'no EPT, no VPID: no capabilities of theirs'
"$report" caps --msrs "$tmp/msrs" >"$tmp/out"
is "$(sed -n '1,10p' "$tmp/out" | sed "s|$tmp/||")" \
'VMCS revision 0x1, TRUE MSRs: no, from msrs

Pin-based VM-execution controls
IA32_VMX_PINBASED_CTLS (0x481) = 0x0000001600000016
BIT  CONTROL                        SET  CLEAR  KVM
  0  External-interrupt exiting     no   yes    -
  3  NMI exiting                    no   yes    -
  5  Virtual NMIs                   no   yes    -
  6  Activate VMX-preemption timer  no   yes    -
  7  Process posted interrupts      no   yes    -' 'for people'
is "$(awk 'length > 80' "$tmp/out")" '' 'fits into 80 columns'

# An emulated Skylake's, as read from it: nothing needs the lab to be decoded.
"$report" caps --msrs tests/data/bochs.msrs --format json >"$tmp/caps"
is "$(jq -c '[.groups[] | [.address, ([.controls[]?, .features[]? | select(.can_set // .present).bit] |
	map(tostring) | join(" "))]]' "$tmp/caps")" \
	'[["0x48d","0 3 5 6"],["0x48e","2 3 7 9 10 11 12 15 16 19 20 21 22 23 24 25 28 29 30 31"],'\
'["0x48b","0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 18"],'\
'["0x48f","2 9 12 15 18 19 20 21 22"],["0x490","2 9 10 11 13 14 15"],'\
'["0x48c","0 6 8 14 16 17 20 21 25 26 32 40 41 42 43"]]' 'what Bochs implements'
is "$(jq -r .about "$tmp/caps")" 'VMCS revision 0x2b, TRUE MSRs: yes' 'and that it has the TRUE ones'

# The same machine's older ones: as much may be set, but less may be clear.
sed 's/^0x480 .*/0x480 0x5810000000002b/' tests/data/bochs.msrs >"$tmp/msrs"
"$report" caps --msrs "$tmp/msrs" --format json >"$tmp/older"
is "$(jq -r '.groups[].register' "$tmp/older" | tr '\n' ' ')" 'IA32_VMX_PINBASED_CTLS IA32_VMX_PROCBASED_CTLS '\
'IA32_VMX_PROCBASED_CTLS2 IA32_VMX_EXIT_CTLS IA32_VMX_ENTRY_CTLS IA32_VMX_EPT_VPID_CAP ' 'the older ones'
is "$(jq -cn --slurpfile older "$tmp/older" --slurpfile caps "$tmp/caps" '[$caps[0].groups, $older[0].groups] |
	transpose[] | [.[] | .controls // []] | transpose[] | select(.[0] != .[1]) |
	[.[0].name, .[0].can_set == .[1].can_set, .[0].can_clear, .[1].can_clear]')" \
	'["CR3-load exiting",true,true,false]
["CR3-store exiting",true,true,false]
["Save debug controls",true,true,false]
["Load debug controls",true,true,false]' 'the TRUE ones relax four controls, and change nothing else'

echo '# what is no value'
fails 'msrs:2: .*0x481 0x3f' 'a line of words' '# fine' 'secret value'
fails 'msrs:1:' 'an address alone' 0x481
fails 'msrs:1:' 'too much in a line' '0x481 0x1 0x2'
fails 'msrs:1:' 'a number that is too big' '0x481 0x10000000000000000'
fails 'msrs:1:' 'a negative number' '0x481 -1'
fails '0x481 is missing.*every CPU' 'an empty file' ''
fails '0x48d is missing.*0x480 bit 55' 'a TRUE one is missing' "0x480 0x0080000000000001" "${least[@]}"
fails '0x48b is missing.*0x482 bit 63' 'MSR 0x48b is missing' \
	"0x480 0x1" "${least[0]}" "0x482 0x8401e1720401e172" "${least[@]:2}"
fails '0x48c is missing.*0x48b bit 33' 'MSR 0x48c is missing' \
	"0x480 0x1" "${least[0]}" "0x482 0x8401e1720401e172" "${least[@]:2}" '0x48b 0x0000000200000000'
"$report" caps --msrs "$tmp/nowhere" 2>"$tmp/err"
is "$?/$(grep -c 'nowhere: cannot open: No such file' "$tmp/err")" 1/1 'a file that is not there'
"$report" caps --msrs "$tmp" 2>"$tmp/err"
is "$?/$(grep -c 'cannot read: Is a directory' "$tmp/err")" 1/1 'a directory'
timeout 10 "$report" caps --msrs /dev/zero 2>"$tmp/err"
is "$?/$(grep -c '/dev/zero:1: is not an MSR' "$tmp/err")" 1/1 'a file without an end'
"$report" caps --msrs '' 2>"$tmp/err"
is $? 2 'no name'
"$report" caps --msrs "$tmp/msrs" --format csv 2>"$tmp/err"
is $? 2 'no such format'
"$report" caps now 2>"$tmp/err"
is $? 2 'an argument'
if ! grep -qwE 'vmx|svm' /proc/cpuinfo; then
	"$report" caps 2>"$tmp/err"
	is "$?/$(grep -c 'neither VMX nor SVM.*--msrs FILE' "$tmp/err")" 1/1 'a CPU without either'
fi

### on the emulated CPUs

# flags_of HEADER PREFIX: word, bit, and the name that cpuinfo prints. Where a header
# has empty names, what has none is printed by the macro's; else it is not printed.
flags_of() {
	perl -e '
		my ($prefix) = splice(@ARGV, 1, 1);
		my @lines = grep { /^#define ${prefix}\w/ } <>;
		my $by_macro = grep { m{/\* ""} } @lines;
		for (@lines) {
			my ($macro, $word, $bit, $rest) = /^#define $prefix(\w+)\s+\(\s*(\d+)\*32\s*\+\s*(\d+)\)(.*)/ or next;
			my ($name) = $rest =~ m{/\* "(\w*)"};
			$name //= $by_macro ? lc $macro : "";
			print "$word $bit $name\n" if $name ne "";
		}' "$1" "$2"
}
# flag_is FLAG HAVE NAME: FLAG is among $flags exactly where HAVE is "true"
flag_is() {
	local wanted=false
	[[ " $flags " == *" $1 "* ]] && wanted=true
	is "${2:-false}" "$wanted" "$3: as cpuinfo's $1"
}

# parameter_is PARAMETER FOR_Y FOR_N GOT NAME
parameter_is() {
	local value wanted=-
	value=$(sed -n "s|.*/parameters/$1:||p" Y.values)
	case $value in
	'') ;;
	N | 0) wanted=$3 ;;
	*) wanted=$2 ;;
	esac
	is "$4" "$wanted" "$5: in use as parameter $1 (${value:-not there})"
}

kernel=$(tests/lab/kernel "${KVMSTAT_KERNEL:-6.1}") || exit 1
headers=$(echo "$kernel"/root/usr/src/linux-headers-*-common/arch/x86/include/asm)
# in_lab_of CPU OPTIONS… -- ARGUMENTS OF collect; then this is where the results are
in_lab_of() {
	mkdir "$tmp/$1"
	ok "$1: collected" "$root/tests/lab/run" --kernel "$kernel" --load --out "$tmp/$1" --cpu "$@"
	cd "$tmp/$1" || exit 1
}
no_use() { jq -c '[.groups[] | (.controls // .features)[].in_use] | unique' "$1"; }

root=$PWD
in_lab_of amd --add "$refused" -- "$self" kvm_amd npt
is "$(jq -c '[.isa, .source, .groups[].address]' Y.json)" \
	'["svm","CPUID 0x8000000a","0x8000000a"]' 'from CPUID'
like "$(jq -r .about Y.json)" '^SVM revision 1, [1-9][0-9]* address space' 'revision and ASIDs'
flags=$(sed -n '/^flags/{s/.*: //p;q}' cpuinfo)
flags_of "$headers/cpufeatures.h" X86_FEATURE_ | awk '$1 == 15' >known
ok 'names of SVM features were found' test "$(wc -l <known)" -ge 15
while read -r _ number flag; do
	flag_is "$flag" "$(bit Y.json EDX "$number" .present)" "bit $number"
done <known
is "$(bit Y.json EDX 0 .in_use)/$(bit N.json EDX 0 .in_use)" yes/no 'NP is in use, and is not'
[ "$(bit Y.json EDX 3 .present)" = false ] ||
	parameter_is nrips yes no "$(bit Y.json EDX 3 .in_use)" NRIPS
[ "$(bit Y.json EDX 16 .present)" = false ] ||
	parameter_is vgif yes no "$(bit Y.json EDX 16 .in_use)" VGIF
is "$(jq -r '.groups[].features[] | select(.present == false).in_use' Y.json | sort -u)" no \
	'what the CPU has not is not in use'
# field MODE TITLE: a number of the VMCB; titles of several releases are told apart by "|"
field() { sed -nE "s/^\[[^]]*\] ([A-Za-z_]+: )?($2): *(0x)?([0-9a-f]+)\$/0x\4/p" "$1.dmesg" | head -n 1; }
# in_vmcb MODE BIT TITLE MASK: in use exactly where that is set
in_vmcb() {
	local value wanted=no
	value=$(field "$1" "$3")
	[ $((${value:-0} & $4)) -eq 0 ] || wanted=yes
	is "$(bit "$1.json" EDX "$2" .in_use)/${value:+found}" "$wanted/found" \
		"npt=$1: bit $2 is in use as the VMCB's $3 has it (${value:-?})"
}
for mode in Y N; do
	like "$(cat $mode.refused)" 'hardware reason 0xf*$' "npt=$mode: a vCPU was refused"
	in_vmcb $mode 0 'nested_ctl|misc_ctl' 0x1
	in_vmcb $mode 1 'virt_ext|misc_ctl2' 0x1
	in_vmcb $mode 10 'pause filter count' 0xffff
	in_vmcb $mode 12 'pause filter threshold' 0xffff
	in_vmcb $mode 13 int_ctl 0x80000000
	in_vmcb $mode 15 'virt_ext|misc_ctl2' 0x2
	in_vmcb $mode 16 int_ctl 0x02000000
	in_vmcb $mode 25 int_ctl 0x04000000
done
is "$(no_use unloaded.json)" '["-"]' 'without kvm_amd nothing is told'

mkdir "$tmp/add"
find "$kernel/lib/modules" -name msr.ko -exec cp {} "$tmp/add" \;
in_lab_of intel --add "$tmp/add" --add "$refused" -- "$self" kvm_intel ept "$tmp/add"
pin=IA32_VMX_TRUE_PINBASED_CTLS
primary=IA32_VMX_TRUE_PROCBASED_CTLS
secondary=IA32_VMX_PROCBASED_CTLS2
ept_vpid=IA32_VMX_EPT_VPID_CAP

is "$(cat first.status)" 1 'without the module msr: status 1'
like "$(cat first.err)" '/dev/cpu/0/msr.*sudo modprobe msr' 'without the module msr: what to do'
is "$(jq -r .source Y.json)" /dev/cpu/0/msr 'from the MSRs'
is "$(jq -r '.groups[] | "\(.address) \(.value)"' Y.json | sort)" \
	"$(grep -vE '^0x48[01234] ' raw.msrs | sort)" 'each MSR is what is read without us'
is "$(cat raw.msrs)" "$(grep -v '^#' "$root/tests/data/bochs.msrs")" 'the MSRs that Bochs implements'
"$report" caps --msrs raw.msrs --format json >file.json
is "$(jq -c '[.groups[] | del(.controls[]?.in_use, .features[]?.in_use)]' file.json)" \
	"$(jq -c '[.groups[] | del(.controls[]?.in_use, .features[]?.in_use)]' Y.json)" \
	'the same from a file'
is "$(no_use file.json)" '["-"]' \
	'but a file does not tell what is in use'

flags=$(sed -n '/^vmx flags/{s/.*: //p;q}' cpuinfo)
flags_of "$headers/vmxfeatures.h" VMX_FEATURE_ >known
ok 'names of VMX features were found' test "$(wc -l <known)" -ge 25
words=("$pin" "$primary" "$secondary" IA32_VMX_PROCBASED_CTLS3)
# Those from 16 on in the first word are of MSR 0x48c, or several together.
declare -A ept_bits=([16]=32 [17]=0 [18]=21 [19]=17 [20]=7)
while read -r word number flag; do
	register=${words[word]}
	if [ "$word" -eq 0 ] && [ "$number" -ge 16 ]; then
		register=$ept_vpid
		number=${ept_bits[$number]:-}
	fi
	[ -z "$number" ] || flag_is "$flag" "$(bit Y.json "$register" "$number" '.can_set // .present // false')" \
		"$register bit $number"
done <known

# in_vmcs MODE REGISTER TITLE: in use is what the control has as set, and not what it has as clear
in_vmcs() {
	local value
	value=$(sed -nE "s/.*$3=(0x)?([0-9a-f]+).*/0x\2/p" "$1.dmesg" | head -n 1)
	is "$(jq -r --arg register "$2" --argjson value "$((${value:-0}))" '.groups[] | select(.register == $register) |
		.controls[] | select(.name) | (($value / pow(2; .bit) | floor) % 2 == 1) as $set |
		select(.in_use == (if $set then "no" else "yes" end)) | "\(.name): \(.in_use)"' "$1.json")" '' \
		"ept=$1: $2 is in use as the VMCS has it (${value:-not found})"
	is "${value:+found}" found "ept=$1: …which was found"
}
for mode in Y N; do
	like "$(cat $mode.refused)" 'hardware reason 0x80000021$' "ept=$mode: a vCPU was refused"
	in_vmcs $mode $pin PinBased
	in_vmcs $mode $primary CPUBased
	in_vmcs $mode $secondary SecondaryExec
	in_vmcs $mode IA32_VMX_TRUE_EXIT_CTLS ExitControls
	in_vmcs $mode IA32_VMX_TRUE_ENTRY_CTLS EntryControls
done
# EPTP, SDM vol. 3, 25.6.11: memory type 6, page walk of 4 levels, accessed and dirty flags
like "$(grep 'EPT pointer' Y.dmesg)" '= 0x[0-9a-f]*05e$' 'EPT pointer'
is "$(for number in 14 8 6 21; do bit Y.json $ept_vpid $number .in_use; done | tr '\n' ' ')" 'yes no varies yes ' \
	'…is what is in use'
is "$(bit Y.json $secondary 1 .in_use)/$(bit N.json $secondary 1 .in_use)" yes/no 'EPT is in use, and is not'
is "$(bit Y.json $primary 15 .in_use)/$(bit N.json $primary 15 .in_use)" no/yes 'CR3-load exiting: the opposite'
is "$(bit Y.json $primary 9 .in_use)/$(bit N.json $primary 9 .in_use)" no/yes 'INVLPG exiting: the opposite'
is "$(bit Y.json $secondary 7 .in_use)/$(bit N.json $secondary 7 .in_use)" yes/no 'unrestricted guests need EPT'
parameter_is vpid yes no "$(bit Y.json $secondary 5 .in_use)" 'Enable VPID'
parameter_is pml varies no "$(bit Y.json $secondary 17 .in_use)" 'Enable PML'
parameter_is vnmi yes no "$(bit Y.json $pin 5 .in_use)" 'Virtual NMIs'
parameter_is preemption_timer yes no "$(bit Y.json $pin 6 .in_use)" 'VMX-preemption timer'
parameter_is eptad yes no "$(bit Y.json $ept_vpid 21 .in_use)" 'Accessed and dirty flags'
is "$(bit Y.json $primary 12 .in_use)/$(bit Y.json $pin 0 .in_use)" no/yes 'what KVM never and always uses'
is "$(no_use unloaded.json)" '["-"]' 'without kvm_intel nothing is told'
done_testing
