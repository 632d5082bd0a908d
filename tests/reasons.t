#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kvmstat-report reasons: every code and name of the kernels' UAPI headers is there,
# what it calls handled is what the module does, and what KVM's own tables have; and
# "why" below comparisons.
set -u
tests=$(realpath "$(dirname "$0")")
tree=$(dirname "$tests")
. "$tests/tap.sh"
report=${REPORT:-$tree/build/kvmstat-report}
cache=${KVMSTAT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kvmstat}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
cc=${CC:-cc}

# kernel_is RELEASE [MODULE]: what the report sees, instead of this machine
kernel_is() {
	rm -rf root
	mkdir -p root/proc/sys/kernel root/sys/module/"${2:-}"/parameters
	echo "$1" >root/proc/sys/kernel/osrelease
}
export KVMSTAT_SYSROOT=$tmp/root
kernel_is 6.1.0

# field ISA REASON FIELD
field() { "$report" reasons --isa "$1" "$2" --format json | jq -r ".reasons[0].$3"; }

# The codes that a header defines, in decimal, and those that it names, with their names.
cat >uapi.c <<'EOF'
#include <stdio.h>
#include <asm/kvm.h>
#include HEADER
#define CODE(c) printf("%lld\n", (long long)(c));
static const struct { unsigned long long code; const char *name; } names[] = { REASONS };
int main(int argc, char **argv)
{
	unsigned int i;

	(void)argv;
	for (i = 0; argc == 1 && i < sizeof(names) / sizeof(names[0]); i++)
		printf("%lld %s\n", (long long)names[i].code, names[i].name);
	if (argc > 1) {
#include "codes.h"
	}
	return 0;
}
EOF
# header_is_covered ISA HEADER REASONS PATTERN NAME
header_is_covered() {
	local isa=$1 name=$5
	"$cc" -E -dM "$2" | sed -nE "s/^#define ($4)[[:space:]].*/CODE(\1)/p" |
		grep -vE 'VMGEXIT_(SET|GET)_AP_JUMP|VMGEXIT_AP_(CREATE|DESTROY)|SAVIC_|TERM_REASON|EXIT_REASONS' >codes.h
	"$cc" -std=gnu11 -DHEADER="\"$2\"" -DREASONS="$3" -I. -o uapi uapi.c || return
	"$report" reasons --isa "$isa" --format json |
		jq -r '.reasons[] | "\(.code) \(.name)"' | sort >have
	./uapi | sort -u >names
	./uapi all | sort -u >codes
	ok "$name: names and codes were found" test "$(wc -l <names)" -gt 50 -a "$(wc -l <codes)" -gt 60
	is "$(comm -13 have names)" '' "$name: every name is listed with its code"
	is "$(cut -d' ' -f1 have | sort | comm -13 - codes)" '' "$name: every code is listed"
	is "$(cut -d' ' -f1 have | sort | uniq -d)" '' "$name: none twice"
}

# What the module's table has for that kernel, and what the report has.
mkdir -p stub/linux
touch stub/linux/kernel.h
cat >handled.c <<'EOF'
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <asm/kvm.h>
#include SVM_H
#include VMX_H
typedef uint32_t u32;
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#include "exit_codes.c"
int main(int argc, char **argv)
{
	long long code;

	(void)argv;
	while (scanf("%lld", &code) == 1)
		if (code <= UINT32_MAX && exit_code_state(argc > 1 ? KVMSTAT_ISA_SVM : KVMSTAT_ISA_VMX,
							  code) == EXIT_CODE_HANDLED)
			printf("%lld\n", code);
	return 0;
}
EOF
mkdir -p copy/uapi
cp "$tree"/module/exit_codes.[ch] copy
cp "$tree"/module/uapi/kvmstat.h copy/uapi
sed -n '/^#ifdef SVM_EXIT_BUS_LOCK/,/^$/p' "$tree/module/compat.h" >copy/compat.h

# handled_as_in_module DIRECTORY NAME
handled_as_in_module() {
	local isa
	"$cc" -std=gnu11 -DSVM_H="\"$1/svm.h\"" -DVMX_H="\"$1/vmx.h\"" -Icopy -Istub -o handled \
		handled.c || return
	for isa in vmx svm; do
		"$report" reasons --isa $isa --format json >list
		# shellcheck disable=SC2046 # no argument for vmx
		is "$(jq -r '.reasons[] | select(.handled) | .code' list)" \
			"$(jq -r '.reasons[].code' list | ./handled $([ $isa = vmx ] || echo svm))" \
			"$2: handled on $isa is what the module has as handled"
	done
}

seen=0
for dir in /usr/include/x86_64-linux-gnu/asm /usr/src/linux-headers-*-common/arch/x86/include/uapi/asm \
	"$cache"/linux-*/root/usr/src/linux-headers-*-common/arch/x86/include/uapi/asm; do
	[ -e "$dir/vmx.h" ] || continue
	release=$(sed -nE 's|.*linux-headers-([^/]*)-common/.*|\1|p' <<<"$dir")
	seen=$((seen + 1))
	kernel_is "${release:-6.1.0}"
	header_is_covered vmx "$dir/vmx.h" VMX_EXIT_REASONS 'EXIT_REASON_[A-Z0-9_]+' "${release:-libc} vmx.h"
	header_is_covered svm "$dir/svm.h" SVM_EXIT_REASONS 'SVM_(VMG)?EXIT_[A-Z0-9_]+' "${release:-libc} svm.h"
	[ -z "$release" ] || handled_as_in_module "$dir" "$release"
done
ok "headers were found ($seen)" test $seen -gt 0

# as_in_kvm ISA MODULE TABLE NAME: what KVM's own table has, but for what is not known
as_in_kvm() {
	local codes unknown
	codes=$("$tests/reasons/handlers" "$2" "$3" | sort) || return
	"$report" reasons --isa "$1" --format json >list
	unknown=$(jq '.reasons[] | select(.handled == null).code' list)
	is "$(jq '.reasons[] | select(.handled).code' list | sort)" \
		"$(grep -vxF "${unknown:-none}" <<<"$codes")" "$4: handled is what $3 has"
	ok "$4: …which has many" test "$(wc -l <<<"$codes")" -gt 50
}
seen=0
for dir in "$cache"/linux-*/lib/modules/*/kernel/arch/x86/kvm; do
	[ -e "$dir/kvm-intel.ko" ] || continue
	release=$(sed -nE 's|.*/lib/modules/([^/]*)/.*|\1|p' <<<"$dir")
	seen=$((seen + 1))
	kernel_is "$release"
	as_in_kvm vmx "$dir/kvm-intel.ko" kvm_vmx_exit_handlers "$release"
	as_in_kvm svm "$dir/kvm-amd.ko" svm_exit_handlers "$release"
done
ok "KVM's modules were found ($seen)" test $seen -gt 0
kernel_is 6.1.0

echo '# each has what is promised'
for isa in vmx svm; do
	"$report" reasons --isa $isa --format json >list
	is "$(jq -c '[.schema, .kernel]' list)" '["kvmstat-reasons/1","6.1.0"]' "$isa: schema and kernel"
	is "$(jq -c '.reasons[] | select((.cause | test("^[A-Z].*[.]$") | not) or .class == "" or
		(.section | test("^([0-9]+([.][0-9]+)+|app[.] C)$") | not)) | .code' list)" '' \
		"$isa: a sentence, a section and a class for each"
	is "$(jq -c '.reasons[] | select((.paging == "-") != (.why == null)) | .code' list)" '' \
		"$isa: why, where the paging mode matters, and only there"
	is "$(jq '[.reasons[].code] | map(if . < 0 then . + pow(2; 40) else . end) | . == sort' list)" true \
		"$isa: in ascending order"
done

echo '# one of them'
is "$(field svm npf code)/$(field svm NPF paging)" '1024/nested only' 'npf, by its name'
is "$(field svm 0x400 name)/$(field svm 1024 name)" npf/npf 'npf, by its number'
is "$(field svm 'pf EXCP' class)/$(field svm 'pf EXCP' paging)" 'PAGE_FAULT/shadow only' 'PF excp'
is "$("$report" reasons --isa svm --format json -- -1 | jq -r '.reasons[0].name')" \
	invalid_guest_state '-1, behind --'
is "$(field vmx 48 name)/$(field vmx ept_violation code)" EPT_VIOLATION/48 'EPT_VIOLATION'
is "$(field vmx 0x80000021 name)" INVALID_STATE 'a number with the flag of a failed entry'
is "$("$report" reasons 48 --format json | jq -c '[.reasons[] | [.isa, .name]]')" \
	'[["vmx","EPT_VIOLATION"],["svm","write_dr0"]]' 'of both where the machine has none'
kernel_is 6.1.0 kvm_amd
is "$("$report" reasons 48 --format json | jq -r '.reasons[].name')" write_dr0 'of AMD on AMD'
kernel_is 6.1.0 kvm_intel
is "$("$report" reasons 48 --format json | jq -r '.reasons[].name')" EPT_VIOLATION 'of Intel on Intel'
is "$("$report" reasons --isa svm 48 --format json | jq -r '.reasons[].name')" write_dr0 '--isa goes before'
fails 1 "'npf' of vmx, but of svm: give --isa svm" 'a name of the other ISA' "$report" reasons npf
fails 1 "'frob': \"kvmstat-report reasons --isa vmx\" lists" 'a name of none' "$report" reasons frob
fails 1 "'0x40000021'" 'flags that there are not' "$report" reasons --isa vmx 0x40000021
is "$(field vmx 0x80000021 name)" INVALID_STATE 'flags that there are'
fails 1 "'35'" 'a number that is not defined' "$report" reasons 35
fails 2 '--isa: "arm"' 'bad --isa' "$report" reasons --isa arm
fails 2 '--format: "csv".*table\|json' 'bad --format' "$report" reasons --format csv
fails 2 'no option -1' 'a number that looks like an option' "$report" reasons -1
fails 2 "'two'" 'two names' "$report" reasons one two
"$report" reasons >/dev/full 2>err
is "$?/$(grep -c 'No space left' err)" 1/1 'a full disk'

echo '# for people'
"$report" reasons --isa svm >out
is "$(awk 'length > 80' out)" '' 'fits into 80 columns'
like "$(cat out)" $'\n0x005-0x007  - +CR_READ +no +-\n' 'what has no name is together'
is "$("$report" reasons --isa svm invlpg)" \
'CODE         NAME                        CLASS              KVM  PAGING
0x079        invlpg                      INVLPG             yes  shadow only
    The guest executed INVLPG to invalidate the translation of an address. (AMD
    APM vol. 2, 15.9)
    Without NPT KVM must see each INVLPG, to drop what its shadow page tables
    have for the address.' 'one reason'
kernel_is 6.1.0
is "$(field svm buslock handled)/$(field vmx notify handled)/$(field vmx rdtsc handled)" null/true/false \
	'handled by 6.1'
is "$("$report" reasons --isa svm buslock | tail -n +2)" \
'0x0a5        buslock                     BUS_LOCK           ?    -
    The guest locked the bus (a split lock), where its VMM asked to be told.
    (AMD APM vol. 2, 15.14.5)
    KVM of Linux 6.16 handles it. An older one may have been given that, too.' 'not known, and of what is'
kernel_is 6.17.9
is "$(field vmx tdcall handled)/$(field svm idle-halt handled)" null/true 'handled by a stable kernel'
kernel_is 7.2.13+deb14-amd64
is "$(field svm buslock handled)/$(field vmx tdcall handled)" true/true 'handled by 7.2'

echo '# below a comparison'
"$report" show --source "$tests/data/amd.json" --format json >npt.json
jq '.paging = "shadow" | (.reasons[] | select(.name == "npf") | .exits) = 5
	| .totals.exits -= 15' npt.json >shadow.json
"$report" diff npt.json shadow.json >out
is "$(sed -n '/^total/,$p' out | grep -v ^untraced | tail -n +2)" '
npf: What the nested page tables do not map is an npf; with shadow page tables
it is a page fault (PF excp).' 'why, of the row that changed alone'
"$report" diff shadow.json npt.json >out
is "$(grep -c '^npf: What' out)" 1 'the other way round'
jq '.paging = "npt"' shadow.json >same.json
"$report" diff npt.json same.json >out
is "$(grep -c '^npf: What' out)" 0 'not where the paging mode is the same'
jq '.paging = "unknown"' shadow.json >unknown.json
"$report" diff shadow.json unknown.json >out
is "$(grep -c '^npf: What' out)" 0 'nor where it is not known'
"$report" diff npt.json shadow.json --by class >out
is "$(sed -n '/^total/,$p' out | grep -v ^untraced | tail -n +2)" '' 'nor by class'
done_testing
