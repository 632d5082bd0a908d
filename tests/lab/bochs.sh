# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lab/run
# SPDX-License-Identifier: GPL-2.0-or-later
# The Intel machine: Bochs emulates VMX with EPT. It interprets every single
# instruction, so nothing is done in there that can be done before:
# - no firmware, no boot loader, no disk: bochs_image.c lays out the memory and
#   bochs_rom.S jumps into the kernel, which was unpacked here;
# - no firmware tables, no PCI: there is nothing to find;
# - one tick of its clock is one instruction, and the kernel is told so, hence
#   a second is 50 million of them, and sleep costs next to nothing;
# - output goes over the parallel port, as fast as OUT is (init.c, frames.c).
# There is no 9p: what COMMAND needs travels in the initramfs, with the shared
# libraries that it is linked with.

ips=50000000

machine_check() {
	need bochs-bin 'bochs bochs-term'
	need tar tar
	[ "$smp" -eq 1 ] || misuse '--smp: the Intel machine has one CPU'
	# Without being asked, --icount is all that this clock can do.
}

vendor_module=kvm-intel
default_mem=512
machine_language=C	# there are no locale files in there
machine_modules='kvm kvm-intel'

# What scripts and tests use.
commands='awk basename bash cat chmod cmp comm cp cut date dd depmod df diff dirname dmesg
	echo env expr false find free grep head id insmod jq kill ln ls lsmod mkdir mkfifo
	mktemp modinfo modprobe mount mv nohup nproc od paste pgrep pkill printf ps pwd
	readlink realpath rm rmdir rmmod sed seq setsid sh sha256sum sleep sort stat stty sync
	tac tail tar tee test timeout touch tr true umount uname uniq wc xargs yes'

# Without their signatures modules are checked faster.
machine_take_module() { strip --strip-debug -o "$2" "$1"; }

# install_files FILE…: into the machine's root, at the same place. Links become what
# they lead to, but for the root's own (/bin and the like).
install_files() {
	local file dir link
	for file; do
		dir=$(realpath "${file%/*}/") || return
		mkdir -p "$root$dir" || return
		link=$(realpath -s "${file%/*}/")
		if ! [ -e "$root$link" ]; then	# it is reached through a link
			mkdir -p "$root${link%/*}" && ln -s "$dir" "$root$link" || return
		fi
		[ ! -f "$root$dir/${file##*/}" ] || continue
		cp -rL "$dir/${file##*/}" "$root$dir/" || return
	done
}

libraries() {
	ldd "$@" 2>/dev/null | grep -o '/[^ :)]*' | sort -u
}

# What runs a script: "#!/bin/sh -e", "#! /usr/bin/env bash".
interpreter() {
	local line words word
	line=$(head -c 256 "$1" 2>/dev/null | tr -d '\0' | sed -n '1s/^#!//p')
	read -ra words <<<"$line"
	[ ${#words[@]} -gt 0 ] || return 0
	if [ "${words[0]##*/}" = env ]; then words+=("$(type -P "${words[1]:-}")"); fi
	for word in "${words[@]}"; do
		if [[ $word == /* && -f $word ]]; then echo "$word"; fi
	done
}

# What is run or linked with in a directory.
programs_below() {
	find -L "$1" -type f \( -perm /111 -o -name '*.so*' \) 2>/dev/null
}

# Files that COMMAND names, and itself.
named_files() {
	local word path
	for word; do
		path=$(PATH=$tree/build:$PATH type -P -- "$word")
		for path in "$path" "$word"; do
			if [ -f "$path" ]; then realpath -s -- "$path"; fi
		done
	done
}

# Adds the machine's root filesystem to $work/run, and says what init.c is to expect.
machine_files() {
	local root=$work/run path files=() programs=()
	for path in /bin /sbin /lib /lib64; do
		[ ! -L "$path" ] || cp -P "$path" "$root/"
	done
	mkdir -p "$root"/{tmp,run,proc,sys,dev,etc,root,var/tmp} "$root$cwd"
	# shellcheck disable=SC2086 # a list of words
	for path in $commands; do
		path=$(type -P "$path") && files+=("$path")
	done
	mapfile -t -O ${#files[@]} files < <(named_files "$@")
	for path in "$tree"/build/kvmstat-* "$tree"/build/tests/* "$ko" "$tree"/build/{refuse,misread}/"$release"/kvmstat.ko "${add[@]}"; do
		if [ -e "$path" ]; then files+=("$(realpath -s -- "$path")"); fi
	done
	mapfile -t programs < <(for path in "${files[@]}"; do
		if [ -d "$path" ]; then programs_below "$path"; else echo "$path"; fi
	done)
	mapfile -t -O ${#files[@]} files < <(for path in "${programs[@]}"; do interpreter "$path"; done | sort -u)
	mapfile -t -O ${#files[@]} files < <(libraries "${programs[@]}" "${files[@]}")
	install_files "${files[@]}" "$tree/tests" || return
	rm -rf "$root$tree/tests/data"
	[ -e "$root/etc/passwd" ] || echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo bochs
}

# The ELF file in a bzImage (Documentation/x86/boot.rst: setup_sects,
# payload_offset, payload_length); the payload ends with the unpacked size.
number_at() { od -An -t "u$2" -j "$1" -N "$2" "$kernel_dir/vmlinuz" | tr -d ' '; }
unpack_vmlinux() {
	local at length
	at=$((($(number_at 0x1f1 1) + 1) * 512 + $(number_at 0x248 4)))
	length=$(($(number_at 0x24c 4) - 4))
	tail -c "+$((at + 1))" "$kernel_dir/vmlinuz" | head -c "$length" >"$work/payload"
	case $(head -c 4 "$work/payload" | od -An -t x1 | tr -d ' ') in
	fd377a58) xz -dc <"$work/payload" ;;
	28b52ffd) zstd -qdc <"$work/payload" ;;
	1f8b*) gzip -dc <"$work/payload" ;;
	*) die "$broken" "the compression of $kernel_dir/vmlinuz is not known" ;;
	esac >"$1.$$" && mv "$1.$$" "$1" && return
	rm -f "$1.$$"
	return 1
}

kernel_arguments() {
	echo "console=ttyS0,115200 loglevel=5 panic=-1 reboot=t oops=panic panic_on_warn=1 slab_nomerge"
	echo "nokaslr acpi=off pci=off no_timer_check tsc=reliable tsc_early_khz=$((ips / 1000))"
	echo "mitigations=off init_on_alloc=0 rodata=off cryptomgr.notests audit=0 apparmor=0"
	# HT (bit 28) would promise more threads than cores, of which there is one.
	# The timer's interrupt does not end a guest's turn here, so the kernel has no tick
	# until the next exit: 21 s later that is a stall to RCU. 300 s is as much as it takes.
	echo "nowatchdog rcupdate.rcu_cpu_stall_timeout=300 ipv6.disable=1 clearcpuid=28"
}

configuration() {
	cat <<-BOCHS
		config_interface: textconfig
		display_library: term
		memory: guest=$mem, host=$mem
		romimage: file="$work/rom", address=0xffff0000
		vgaromimage: file="$work/vga-rom"
		optramimage1: file="$work/low", address=0x10000
		optramimage2: file="$work/high", address=$1
		cpu: model=corei7_haswell_4770, count=1, ips=$ips, reset_on_triple_fault=0
		clock: sync=none
		boot: disk
		log: "$work/emulator.log"
		panic: action=fatal
		error: action=report
		info: action=report
		debug: action=ignore
		com1: enabled=1, mode=file, dev="$work/console"
		parport1: enabled=1, file="$work/frames"
		vga: extension=none, update_freq=1, realtime=0
		speaker: enabled=0
		sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
		plugin_ctrl: speaker=0, gameport=0, extfpuirq=0, biosdev=0, iodebug=0
	BOCHS
}

machine_start() {
	local vmlinux=$kernel_dir/vmlinux at
	[ -f "$vmlinux" ] || unpack_vmlinux "$vmlinux" || die "$broken" "cannot unpack $kernel_dir/vmlinuz"
	if ! gcc -c -o "$work/rom.o" "$lab/bochs_rom.S" ||
		! ld -Ttext 0 --oformat binary -e _start -o "$work/rom" "$work/rom.o" ||
		! gcc -O1 -o "$work/bochs_image" "$lab/bochs_image.c" ||
		! gcc -O1 -o "$work/take_frames" "$lab/frames.c"; then
		die "$broken" 'cannot compile the Intel machine'
	fi
	at=$("$work/bochs_image" "$kernel_dir/vmlinuz" "$vmlinux" "$work/initrd" "$mem" \
		"$(kernel_arguments | tr '\n' ' ')" "$work/low" "$work/high") || exit "$broken"
	configuration "$at" >"$work/bochsrc"
	head -c 512 /dev/zero >"$work/vga-rom"	# must be there, is never run
	echo c >"$work/debugger"	# Debian's has one built in: continue
	touch "$work/console" "$work/frames"
	# It wants a terminal by name, and draws nothing on it.
	TERM=dumb setpriv --pdeathsig KILL bochs-bin -q -f "$work/bochsrc" -rc "$work/debugger" >"$work/screen" 2>&1 </dev/null &
	emulator=$!
	tail -c +1 -s 0.1 -f --pid="$emulator" "$work/frames" |
		"$work/take_frames" "$work/stdout" "$work/stderr" "$work/verdict" "$work/out.tar" &
	feeder=$!
}

machine_log() {
	tail -n 3 "$work/screen"
	grep -aE 'PANIC|FATAL|no resolution' "$work/emulator.log" 2>/dev/null
}

machine_fetch_out() {
	[ ! -s "$work/out.tar" ] || tar -C "$out" --no-same-owner -m -xf "$work/out.tar"
}
