#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kvmstat-report caps: values with known meaning, and what is no value. In the lab,
# on both vendors: the same bits as the kernel finds (/proc/cpuinfo), and in use
# what the vendor module's parameters say, with nested and with shadow paging.
set -u
self=$(realpath "$0")
. "$(dirname "$self")/tap.sh"
cd "$(dirname "$self")/.." || exit 1
report=${REPORT:-$PWD/build/kvmstat-report}

### in the lab: no more than to collect, for all else is slow there

raw_msr() {
	dd if=/dev/cpu/0/msr bs=8 count=1 iflag=skip_bytes skip=$(($1)) 2>/dev/null |
		od -An -tx8 | sed 's/ *0*\(.\)/0x\1/'
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
	grep . "$parameters"/* >values
	kvmstat-report caps --format json >caps.json &&
		kvmstat-report paging -o paging.json -- sh -c \
			"kvmstat-report caps --format json >\$(cat $parameters/$2).json" &&
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

# flag_is FLAG HAVE NAME: FLAG is among $flags exactly where HAVE is "true"
flag_is() {
	local wanted=false
	[[ " $flags " == *" $1 "* ]] && wanted=true
	is "$2" "$wanted" "$3: as cpuinfo's $1"
}

# parameter_is PARAMETER FOR_Y FOR_N GOT NAME
parameter_is() {
	local value wanted=-
	value=$(sed -n "s|.*/parameters/$1:||p" values)
	case $value in
	'') ;;
	N | 0) wanted=$3 ;;
	*) wanted=$2 ;;
	esac
	is "$4" "$wanted" "$5: in use as parameter $1 (${value:-not there})"
}

kernel=$(tests/lab/kernel "${KVMSTAT_KERNEL:-6.1}") || exit 1
# in_lab_of CPU OPTIONS… -- ARGUMENTS OF collect; then this is where the results are
in_lab_of() {
	mkdir "$tmp/$1"
	ok "$1: collected" "$root/tests/lab/run" --kernel "$kernel" --load --out "$tmp/$1" --cpu "$@"
	cd "$tmp/$1" || exit 1
}
no_use() { jq -c '[.groups[] | (.controls // .features)[].in_use] | unique' "$1"; }

root=$PWD
in_lab_of amd -- "$self" kvm_amd npt
is "$(jq -c '[.isa, .source, .groups[].address]' caps.json)" \
	'["svm","CPUID 0x8000000a","0x8000000a"]' 'from CPUID'
like "$(jq -r .about caps.json)" '^SVM revision 1, [1-9][0-9]* address space' 'revision and ASIDs'
flags=$(sed -n '/^flags/{s/.*: //p;q}' cpuinfo)
while read -r flag number; do
	flag_is "$flag" "$(bit caps.json EDX "$number" .present)" "bit $number"
done <<EOF
npt 0
lbrv 1
svm_lock 2
nrip_save 3
tsc_scale 4
vmcb_clean 5
flushbyasid 6
decodeassists 7
pausefilter 10
pfthreshold 12
avic 13
v_vmsave_vmload 15
vgif 16
x2avic 18
v_spec_ctrl 20
vnmi 25
EOF
is "$(bit Y.json EDX 0 .in_use)/$(bit N.json EDX 0 .in_use)" yes/no 'NP is in use, and is not'
[ "$(bit caps.json EDX 3 .present)" = false ] ||
	parameter_is nrips yes no "$(bit caps.json EDX 3 .in_use)" NRIPS
[ "$(bit caps.json EDX 16 .present)" = false ] ||
	parameter_is vgif varies no "$(bit caps.json EDX 16 .in_use)" VGIF
is "$(jq -r '.groups[].features[] | select(.present == false).in_use' caps.json | sort -u)" no \
	'what the CPU has not is not in use'
is "$(no_use unloaded.json)" '["-"]' 'without kvm_amd nothing is told'

mkdir "$tmp/add"
find "$kernel/lib/modules" -name msr.ko -exec cp {} "$tmp/add" \;
in_lab_of intel --add "$tmp/add" -- "$self" kvm_intel ept "$tmp/add"
pin=IA32_VMX_TRUE_PINBASED_CTLS
primary=IA32_VMX_TRUE_PROCBASED_CTLS
secondary=IA32_VMX_PROCBASED_CTLS2
ept_vpid=IA32_VMX_EPT_VPID_CAP

is "$(cat first.status)" 1 'without the module msr: status 1'
like "$(cat first.err)" '/dev/cpu/0/msr.*sudo modprobe msr' 'without the module msr: what to do'
is "$(jq -r .source caps.json)" /dev/cpu/0/msr 'from the MSRs'
is "$(jq -r '.groups[] | "\(.address) \(.value)"' caps.json | sort)" \
	"$(grep -vE '^0x48[01234] ' raw.msrs | sort)" 'each MSR is what is read without us'
grep -v '^#' "$root/tests/data/bochs.msrs" >bochs.msrs
is "$(grep -xFf bochs.msrs raw.msrs)" "$(cat bochs.msrs)" 'the MSRs that Bochs implements'
"$report" caps --msrs raw.msrs --format json >file.json
is "$(jq -c '[.groups[] | del(.controls[]?.in_use, .features[]?.in_use)]' file.json)" \
	"$(jq -c '[.groups[] | del(.controls[]?.in_use, .features[]?.in_use)]' caps.json)" \
	'the same from a file'
is "$(no_use file.json)" '["-"]' \
	'but a file does not tell what is in use'

flags=$(sed -n '/^vmx flags/{s/.*: //p;q}' cpuinfo)
while read -r flag register number; do
	flag_is "$flag" "$(bit caps.json "$register" "$number" 'if has("can_set") then .can_set else .present end')" \
		"$register bit $number"
done <<EOF
vnmi $pin 5
preemption_timer $pin 6
posted_intr $pin 7
tsc_offset $primary 3
vtpr $primary 21
mtf $primary 27
vapic $secondary 0
ept $secondary 1
vpid $secondary 5
unrestricted_guest $secondary 7
vapic_reg $secondary 8
vid $secondary 9
ple $secondary 10
shadow_vmcs $secondary 14
pml $secondary 17
ept_violation_ve $secondary 18
ept_mode_based_exec $secondary 22
tsc_scaling $secondary 25
usr_wait_pause $secondary 26
invvpid $ept_vpid 32
ept_x_only $ept_vpid 0
ept_ad $ept_vpid 21
ept_1gb $ept_vpid 17
ept_5level $ept_vpid 7
EOF

is "$(bit Y.json $secondary 1 .in_use)/$(bit N.json $secondary 1 .in_use)" yes/no 'EPT is in use, and is not'
is "$(bit Y.json $primary 15 .in_use)/$(bit N.json $primary 15 .in_use)" no/yes 'CR3-load exiting: the opposite'
is "$(bit Y.json $primary 9 .in_use)/$(bit N.json $primary 9 .in_use)" no/yes 'INVLPG exiting: the opposite'
is "$(bit Y.json $secondary 7 .in_use)/$(bit N.json $secondary 7 .in_use)" yes/no 'unrestricted guests need EPT'
parameter_is vpid yes no "$(bit caps.json $secondary 5 .in_use)" 'Enable VPID'
parameter_is pml varies no "$(bit caps.json $secondary 17 .in_use)" 'Enable PML'
parameter_is vnmi yes no "$(bit caps.json $pin 5 .in_use)" 'Virtual NMIs'
parameter_is preemption_timer varies no "$(bit caps.json $pin 6 .in_use)" 'VMX-preemption timer'
parameter_is eptad yes no "$(bit caps.json $ept_vpid 21 .in_use)" 'Accessed and dirty flags'
is "$(bit caps.json $primary 12 .in_use)/$(bit caps.json $pin 0 .in_use)" no/yes 'what KVM never and always uses'
is "$(no_use unloaded.json)" '["-"]' 'without kvm_intel nothing is told'
done_testing
