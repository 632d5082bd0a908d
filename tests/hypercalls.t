#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the lab: guests that talk to their VMM by port, their files, and the VMM in its
# jail. What hostile ones cannot do is in tests/hostile.t.
set -u
. "$(dirname "$0")/tap.sh"
in_lab
dir=$(mktemp -d)
cd "$dir" || exit 1
mkdir root secret
echo 'from the file' >root/in
echo 'secret' >secret/canary

is "$(kvmstat-guest run --count 1 print)" "$(yes 'a whole line in one exit' | head -n 3)" 'a line in one exit'
is "$(kvmstat-guest run --root root files)" 'from the file' 'a guest reads a file'
is "$(ls root)" in '…and writes none, unless it may'
is "$(kvmstat-guest run --root root --writable files; cat root/out)" $'from the file\nfrom the file' \
	'…which it may with --writable'
is "$(kvmstat-guest run files)" '' 'without --root it has none'
chmod 400 root/in
chmod 666 /dev/kvm
chmod 777 root . && chown 65534 root/in && rm root/out
is "$(setpriv --reuid 65534 --regid 65534 --clear-groups kvmstat-guest run --root root --writable files)" \
	'from the file' '…a file that it may only read, too'
rm -f root/in root/out
for target in ../secret/canary "$dir/secret/canary"; do
	ln -s "$target" root/in
	is "$(kvmstat-guest run --root root files)" '' "a link to $target leads nowhere"
	rm root/in
	ln -s "$target" root/out
	echo overwritten >root/in
	kvmstat-guest run --root root --writable files >/dev/null
	is "$(cat secret/canary)" secret '…nor does it for writing'
	rm root/in root/out
done
echo shared >root/in

# A guest of one's own, in C: what it links and its stack are where calls can reach.
cat >own.c <<'EOF'
static char buffer[64];

static int call(unsigned short port, unsigned int value)
{
	int result;

	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
	__asm__ volatile("inl $0xe9, %0" : "=a"(result) : : "memory");
	return result;
}

void _start(void)
{
	char name[] = "in";

	call(0xeb, (unsigned long)name << 11 | 2);
	buffer[call(0xec, (unsigned long)buffer << 11 | 60)] = '\0';
	call(0xe8, (unsigned long)buffer);
}
EOF
for bits in 64 32; do
	gcc -m$bits -O2 -mno-sse -ffreestanding -nostdlib -static -no-pie -Wl,-Ttext-segment=0x100000 own.c -o own$bits
	is "$(kvmstat-guest run --root root ./own$bits)" shared "a guest of one's own, $bits bits, reads a file"
done
is "$( (ulimit -f 0; kvmstat-guest run --root root --writable files; echo $?) )" $'shared\n0' \
	'a limit on the size of files is an error of the call'
rm -f root/out own*

# A million calls of any kind: the VM ends as it should, and only files below the root
# were touched, if any.
before=$(find "$dir" -path "$dir/root" -prune -o -type f -exec md5sum {} +)
kvmstat-guest run --count 1000000 --root root --writable hostile >said
is $? 0 '1,000,000 hostile calls'
is "$(find "$dir" -path "$dir/root" -prune -o -type f ! -name said -exec md5sum {} +)" "$before" \
	'…and nothing outside is changed'
is "$(grep -c secret said)" 0 '…or read'
is "$(cat root/in)" shared '…and what it does not name is as it was'

# In the jail the same comes out, and nothing else is possible.
is "$(kvmstat-guest run --isolate hello)" 'Hello, world!' 'isolated: hello'
is "$(kvmstat-guest run --isolate --vcpus 4 hello | sort)" \
	"$(for i in 0 1 2 3; do echo "vCPU $i: Hello, world!"; done)" '…on 4 vCPUs'
is "$(kvmstat-guest run --isolate --root root files)" shared '…with files'
kvmstat-guest run --isolate --count 20000 --root root --writable hostile >/dev/null
is $? 0 '…a hostile guest'
modprobe zram num_devices=1 && echo 64M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null &&
	swapon /dev/zram0
for guest in touch mmio port-in page-out dirty-log drop ipi timer; do
	ok "isolated: $guest" kvmstat-guest run --isolate --count 10 $guest
done
is "$(setpriv --reuid 65534 --regid 65534 --clear-groups kvmstat-guest run --isolate hello 2>&1)" 'Hello, world!' \
	'isolated: without rights'
kvmstat-guest run --isolate --vcpus 2 --count 4000000000 cpuid 7<"$0" &
pid=$!
sleep 1
filtered=$(grep -l '^Seccomp:.*2' /proc/[0-9]*/status)
is "$(echo "$filtered" | grep -c /proc)" 1 'isolated: the one that runs the guest is filtered'
vmm=${filtered%/status}
# Newer kernels add a thread of their own.
is "$(grep -h '^Cap[IPE]' "$vmm"/task/*/status | cut -f 2 | sort -u)" 0000000000000000 \
	'…and has no capability, in no thread'
is "$(readlink "$vmm"/fd/* | grep -c hypercalls)" 0 '…nor what its caller had open'
kill $pid
wait $pid
is $? 143 'SIGTERM ends it'
sleep 0.5
is "$(pgrep -c kvmstat-guest)" 0 '…and nothing is left'
status=$(kvmstat-guest run --isolate --hold hello 2>err; echo $?)
is "$status" 2 'isolated: --hold is refused'
status=$(kvmstat-guest run --writable hello 2>err; echo $?)
is "$status" 2 '--writable without --root'
status=$(kvmstat-guest run --root missing hello 2>err; echo $?)
is "$status" 1 'a root that is not there'
like "$(cat err)" 'missing' '…is named'
done_testing
