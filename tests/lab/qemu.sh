# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lab/run
# SPDX-License-Identifier: GPL-2.0-or-later
# The AMD machine: QEMU's TCG emulates SVM with nested paging. The host's root
# filesystem comes over 9p, the command's output goes over virtio-serial.

machine_check() {
	need qemu-system-x86_64 qemu-system-x86
	# TCG's secondary CPUs do not come up when one counted clock drives them all.
	[ -z "$icount" ] || [ "$smp" -eq 1 ] || misuse '--icount counts one CPU: not with --smp'
}

vendor_module=kvm-amd
default_mem=2048
machine_language=C.UTF-8
machine_modules='virtio_pci virtio_console 9p 9pnet_virtio overlay kvm kvm-amd'

machine_take_module() { cp "$1" "$2"; }

# Everything is there over 9p.
machine_files() { echo qemu; }

# Under -icount one instruction is one cycle of 1 GHz.
tsc_khz() {
	if [ -n "$icount" ]; then
		echo 1000000
	else
		gcc -O1 -o "$work/tsc_khz" "$lab/tsc_khz.c" "$lab/../../user/tsc.c" && "$work/tsc_khz"
	fi
}

# Sets emulator and feeder: the processes that end with the machine, and with
# the last of its output.
machine_start() {
	local options=() append
	append="console=ttyS0 loglevel=5 panic=-1 oops=panic panic_on_warn=1 slab_nomerge"
	append+=" no_timer_check tsc=reliable tsc_early_khz=$(tsc_khz)"
	[ -z "$icount" ] || options+=(-icount 'shift=0,sleep=off')
	# QEMU takes two commas for one.
	local share="local,id=out,path=${out//,/,,},security_model=none" ports=${work//,/,,}
	[ -z "$out" ] || options+=(-fsdev "$share" -device 'virtio-9p-pci,fsdev=out,mount_tag=out')
	# The ports come first: virtio device 0 is vport0 in init.c.
	setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg -cpu EPYC,+svm,+npt -smp "$smp" -m "$mem" \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$kernel_dir/vmlinuz" -initrd "$work/initrd" \
		-append "$append" \
		-serial "file:$work/console" \
		-device virtio-serial-pci,max_ports=4 \
		-chardev "file,id=stdout,path=$ports/stdout" -device virtserialport,chardev=stdout,nr=1 \
		-chardev "file,id=stderr,path=$ports/stderr" -device virtserialport,chardev=stderr,nr=2 \
		-chardev "file,id=verdict,path=$ports/verdict" -device virtserialport,chardev=verdict,nr=3 \
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,fsdev=root,mount_tag=root \
		-device virtio-rng-pci "${options[@]}" >"$work/emulator.log" 2>&1 </dev/null &
	emulator=$!
	feeder=$emulator
}

# What the emulator itself had to say.
machine_log() {
	grep -v "TCG doesn't support requested feature" "$work/emulator.log"
}

# The output directory is the host's own.
machine_fetch_out() { :; }
