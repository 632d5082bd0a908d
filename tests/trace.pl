#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# trace.pl [--clocks] WINDOW.json TRACE: a window against a trace of its events;
# --clocks compares the vCPUs' clocks alone. Threads are told apart by their pid,
# and vCPUs by their thread: a VM has one, or is the only one.
# The event vm_gone, a kprobe, ends the VM of its process.
# Every duration is computed here from single events, in the plainest way, and
# percentiles from sorted lists. Prints TAP.
use strict;
use warnings;
use JSON::PP;

# The trace's times and ours lie some instructions apart, and not by the same number
# at one event and the next: so much may each piece of an exit's kernel time differ,
# in cycles.
use constant OFFSET => 400;
# And now and then an interrupt of the host falls between the two: its timer's tick
# takes some 4,200 instructions.
use constant INTERRUPT => 6000;
# What the histogram promises.
use constant ERROR => 0.125;
# Percentiles of fewer exits than this jump from one to the next.
use constant ENOUGH => 100;

my ($tests, $failed) = (0, 0);
my $clocks = $ARGV[0] eq '--clocks' && shift;

sub ok {
	my ($good, $name, @more) = @_;
	$tests++;
	print $good ? "ok $tests - $name\n" : "not ok $tests - $name\n";
	return if $good;
	$failed = 1;
	print "#   $_\n" for @more;
}

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	return <$file>;
}

# One per vCPU thread: state is unknown, guest, kernel, user or off; 'open' is
# the exit being handled, 'mark' when the present piece of time began.
my (%thread, %exits);

sub spend {
	my ($t, $part, $now) = @_;
	my $took = $now - $t->{mark};
	$t->{mark} = $now;
	return if $t->{state} eq 'unknown' || $t->{gone};
	$t->{pieces}++;
	if ($part eq 'kernel') {
		$t->{open}{kernel} += $took;
		$t->{open}{pieces}++;
	} else {
		$t->{$part} += $took;
	}
	$t->{open}{$part} += $took if $part eq 'user' || $part eq 'offcpu';
}

my %on = (
	kvm_exit => sub {
		my ($t, $now, $text) = @_;
		my ($reason) = $text =~ /reason (.+?) rip /;
		my $late = $t->{late} // { kernel => 0, offcpu => 0 };
		$t->{first} //= $now;
		if ($t->{late}) {	# it was switched out before the event came
			$late->{kernel} += $now - $t->{mark};
		} else {
			spend($t, 'guest', $now);
		}
		$t->{late} = undef;
		$t->{offcpu} += $late->{offcpu};
		$t->{open} = { reason => $reason, kernel => $late->{kernel},
			       user => 0, offcpu => $late->{offcpu} };
		push @{$exits{$reason}}, $t->{open};
		($t->{state}, $t->{mark}) = ('kernel', $now);
	},
	kvm_entry => sub {
		my ($t, $now) = @_;
		$t->{first} //= $now;
		spend($t, $t->{state} eq 'user' ? 'user' : 'kernel', $now);
		if ($t->{open}) {
			$t->{open}{ended} = 1;
			$t->{kernel} += $t->{open}{kernel};
		}
		($t->{state}, $t->{mark}, $t->{open}) = ('guest', $now, undef);
	},
	kvm_fpu => sub {
		my ($t, $now, $text) = @_;
		$t->{leaving} = $text =~ /^unload/ && $now;
		return if $t->{leaving} || $t->{state} ne 'user';
		spend($t, 'user', $now);
		$t->{state} = 'kernel';
	},
	kvm_userspace_exit => sub {
		my ($t, $now) = @_;
		return unless $t->{state} eq 'kernel';
		spend($t, 'kernel', $now);
		$t->{state} = 'user';
	},
	vm_gone => sub {
		my ($t, $now) = @_;
		spend($t, 'user', $now) if $t->{state} eq 'user';
		$t->{gone} = 1;
	},
	out => sub {
		my ($t, $now) = @_;
		if ($t->{late}) {
			$t->{late}{kernel} += $now - $t->{mark};
			($t->{state}, $t->{mark}) = ('late', $now);
		} elsif ($t->{state} eq 'guest') {
			spend($t, 'guest', $now);
			$t->{late} = { kernel => 0, offcpu => 0 };
			$t->{state} = 'late';
		} elsif ($t->{state} eq 'kernel') {
			# KVM has let go of the vCPU: nothing tells this thread's return.
			spend($t, 'kernel', $t->{leaving} || $now);
			$t->{state} = $t->{leaving} ? 'user' : 'off';
		}
	},
	in => sub {
		my ($t, $now) = @_;
		if ($t->{state} eq 'late') {
			$t->{late}{offcpu} += $now - $t->{mark};
			$t->{mark} = $now;
		} elsif ($t->{state} eq 'off') {
			spend($t, 'offcpu', $now);
			$t->{state} = 'kernel';
		}
	},
);

sub thread_of {
	my ($pid) = @_;
	return $thread{$pid} //= { state => 'unknown', mark => 0, guest => 0, kernel => 0,
				   user => 0, offcpu => 0 };
}

# Up to the window's end: where a vCPU is away then, its time until then is known.
sub read_trace {
	my ($path, $end) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	while (<$file>) {
		my ($pid, $now, $event, $text) =
			/-(\d+)\s+\[\d+\]\s+\S+\s+(\d+): (\w+): (.*)/ or next;
		last if $now > $end;
		if ($event eq 'sched_switch') {
			my ($prev) = $text =~ /prev_pid=(\d+)/;
			my ($next) = $text =~ /next_pid=(\d+)/;
			$on{out}->($thread{$prev}, $now) if $thread{$prev};
			$on{in}->($thread{$next}, $now) if $thread{$next};
			next;
		}
		# QEMU's probing of KVM makes no vCPU run; whose vCPU it is shows at once.
		my $t = thread_of($pid);
		$t->{vcpu} = $1 if $text =~ /^vcpu (\d+)/;
		$on{$event}->($t, $now, $text) if $on{$event};
	}
	for my $t (values %thread) {
		spend($t, $t->{state} eq 'user' ? 'user' : 'offcpu', $end) if $t->{state} =~ /^(user|off)$/;
	}
}

# Nearest rank: the exit that so many are not longer than.
sub percentile {
	my ($sorted, $p) = @_;
	my $rank = int($p * @$sorted);
	$rank++ if $rank < $p * @$sorted;
	return $sorted->[($rank || 1) - 1];
}

sub check_vcpu {
	my ($vm, $vcpu, $t) = @_;
	my $name = "VM $vm->{id} vCPU $vcpu->{id}";
	my $wall = $t->{guest} + $t->{kernel} + $t->{user} + $t->{offcpu};
	my %ours = map { $_ => $vcpu->{"${_}_cycles"} } qw(guest kernel user offcpu wall);
	my $sum = $ours{guest} + $ours{kernel} + $ours{user} + $ours{offcpu};

	printf "# %s: wall %.3fM, guest %.1f%%, kernel %.1f%%, user %.1f%%, off CPU %.1f%%\n", $name,
		$ours{wall} / 1e6, map { 100 * $ours{$_} / $ours{wall} } qw(guest kernel user offcpu);
	ok(abs($sum - $ours{wall}) <= $ours{wall} / 1000,
	   "$name: its four parts add up to its wall clock, within 0.1%", "$sum of $ours{wall}");
	ok(abs($wall - $ours{wall}) <= $wall / 1000,
	   "$name: which is the trace's, within 0.1%", "$ours{wall}, the trace says $wall");
	return if $clocks;
	for my $part (qw(guest kernel user offcpu)) {
		ok(abs($t->{$part} - $ours{$part}) <= $wall / 1000 + OFFSET * $t->{pieces},
		   "$name: so is its $part time", "$ours{$part}, the trace says $t->{$part}");
	}
}

sub check_reason {
	my ($ours) = @_;
	my $all = $exits{$ours->{name}} // [];
	my @exits = sort { $a->{kernel} <=> $b->{kernel} } grep { $_->{ended} } @$all;
	my @sorted = map { $_->{kernel} } @exits;
	my $name = $ours->{name};

	ok(@$all == $ours->{exits} && @sorted == $ours->{ended}, "$name: as many exits and entries",
	   "$ours->{exits}, $ours->{ended}; the trace says " . @$all . ', ' . @sorted);
	return if @sorted < ENOUGH;
	for (['p50', 0.5], ['p90', 0.9], ['p99', 0.99]) {
		my ($key, $p) = @$_;
		my ($true, $pieces) = @{percentile(\@exits, $p)}{qw(kernel pieces)};
		ok(abs($ours->{$key} - $true) <= ERROR * $true + OFFSET * $pieces,
		   "$name: $key is the trace's, within 12.5%", "$ours->{$key}, the trace says $true");
	}
	for (['min', 0], ['max', -1]) {
		my ($key, $index) = @$_;
		ok(abs($ours->{$key} - $sorted[$index]) <= OFFSET * $exits[$index]{pieces} + INTERRUPT,
		   "$name: $key is the trace's",
		   "$ours->{$key}, the trace says $sorted[$index]");
	}
	my $sum = 0;
	$sum += $_ for @sorted;
	ok(abs($ours->{mean} - $sum / @sorted) <= OFFSET, "$name: so is the mean",
	   "$ours->{mean}, the trace says " . $sum / @sorted);
}

my $window = decode_json(slurp($ARGV[0]));
read_trace($ARGV[1], $window->{end_tsc});
for my $vm (@{$window->{vms}}) {
	for my $vcpu (@{$vm->{vcpus}}) {
		my ($t) = grep { ($_->{vcpu} // -1) == $vcpu->{id} } @{$window->{vms}} == 1 ?
			values %thread : ($thread{$vm->{pid}} // ());
		check_vcpu($vm, $vcpu, $t) if $t;
		ok($t, "VM $vm->{id} vCPU $vcpu->{id} is in the trace");
	}
}
$clocks or check_reason($_) for @{$window->{reasons}};
print "1..$tests\n";
exit $failed;
