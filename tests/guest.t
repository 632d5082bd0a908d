#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kvmstat-guest's command line, without KVM: usage, messages, exit statuses.
set -u
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/.." || exit 1
guest=build/kvmstat-guest
err=$(mktemp)
trap 'rm -f "$err"' EXIT

status() { "$guest" "$@" >/dev/null 2>"$err"; echo $?; }

is "$(status)" 2 'no command: usage'
is "$(status frobnicate)" 2 'an unknown command'
like "$(cat "$err")" "no command 'frobnicate'.*--help" '…is named'
is "$(status --help)" 0 '--help'
is "$(status --version)" 0 '--version'
is "$(status run --help)" 0 'run --help'
is "$(status list)" 0 'list'
is "$("$guest" list | grep -c '^  SVM, nested')" "$("$guest" list | grep -c '^  count')" \
	'list gives each guest its expected exits'
is "$(status list hello)" 2 'list with an argument'
is "$("$guest" list 2>"$err" >/dev/full; echo $?)" 1 'list onto a full disk'
like "$(cat "$err")" 'No space left' '…says so'
is "$(status run)" 2 'run without a guest'
is "$(status run hello cpuid)" 2 'run with two guests'
is "$(status run nobody)" 2 'run with an unknown guest'
like "$(cat "$err")" "no guest 'nobody': there are hello .* cpuid " '…lists those there are'
for bad in 0 -1 1.5 ten 4294967296 18446744073709551616 ''; do
	is "$(status run --count "$bad" cpuid)" 2 "run --count '$bad'"
done
is "$(status run --count)" 2 'run --count without a number'
is "$(status run --count 1000000 touch)" 2 'more pages than there are'
like "$(cat "$err")" 'touch does it [0-9]+ times at most' '…says how many'
is "$(status run --vcpus 3 ipi)" 2 'a number of vCPUs that the guest does not take'
like "$(cat "$err")" '--vcpus 3: guest ipi runs on 2, or a multiple' '…says which it takes'
is "$(status run -xy hello)" 2 'options of one letter'
like "$(cat "$err")" "no option '-x'" '…are named'
is "$(status list --count 5)" 2 'an option of another command'
like "$(cat "$err")" 'does not take --count' '…is named'
is "$(status run --hold --isolate --help)" 0 '--help, whatever else there is'
is "$(status run --count ' 5' cpuid)" 2 'a number with a blank'
is "$(status verify ./hello)" 2 'verify takes no file'
is "$(status run --frob hello)" 2 'an unknown option'
is "$(status verify hello nobody)" 2 'verify with an unknown guest'
is "$(status verify --hold hello)" 2 'verify --hold'
is "$(status run --mode virtual hello)" 2 'an unknown mode'
like "$(cat "$err")" 'real, protected, paged or long' '…lists those there are'
is "$(status run --mode real cpuid)" 2 'a guest that has no form for a mode'
like "$(cat "$err")" 'cpuid has no form for real mode' '…says so'
is "$(status verify --mode paged cpuid)" 2 'verify, too'
for bad in 0 17 two ''; do
	is "$(status run --vcpus "$bad" hello)" 2 "run --vcpus '$bad'"
done

# Guests of one's own that are none.
own=$(mktemp -d)
cp /bin/true "$own/dynamic"
printf '\177ELF\2\1\1' >"$own/magic"
printf '\t.globl _start\n_start: hlt\n' >"$own/hlt.S"
link() { gcc -nostdlib -static -no-pie -Wl,-Ttext-segment="$1" "${@:3}" "$own/hlt.S" -o "$own/$2"; }
link 0x10000 low
printf '.section .more, "a"\n.byte 1\n' >>"$own/hlt.S" && link 0x3ff0000 high -Wl,--section-start=.more=0x4000000
link 0x100000 entry -Wl,-e,0x3000000
cp "$own/entry" "$own/big-endian" && printf '\2' | dd of="$own/big-endian" bs=1 seek=5 conv=notrunc 2>/dev/null
truncate -s 2G "$own/huge"
head -c 100 /bin/true >"$own/short"
head -c 20 /bin/true >"$own/shorter"
head -c 40000 /dev/zero >"$own/long"
: >"$own/empty"
mkfifo "$own/fifo"
for bad in dynamic magic low high entry big-endian huge short shorter long empty fifo missing ''; do
	is "$(status run "$own/$bad")" 1 "a file that is no guest: '$bad'"
	like "$(cat "$err")" "$own/$bad.*(-static|headers|room for 33792|no file with|No such file|bytes from 0x.*-Ttext-segment=0x100000|entry, 0x3000000|strip it)" '…says why'
done
rm -rf "$own"

if ! [ -e /dev/kvmstat ]; then
	is "$(status verify --source module hello)" 1 'verify without the module'
	like "$(cat "$err")" 'no module loaded: run "sudo insmod kvmstat.ko"' '…says what to do'
fi
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null && [ -e /dev/kvm ]; then
	copy=$(mktemp -d)
	cp "$guest" "$copy" && chmod -R a+rx "$copy"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$copy/kvmstat-guest" run hello 2>"$err"
	is $? 1 'run without rights on /dev/kvm'
	like "$(cat "$err")" 'cannot open /dev/kvm: no rights' '…says so'
	rm -rf "$copy"
fi
done_testing
