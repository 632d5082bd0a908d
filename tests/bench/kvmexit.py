#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs bcc's kvmexit as it is, but for what keeps it from counting here.

kvmexit.py SCRIPT [ARGUMENT...]

- It refuses CPUs that are not Intel's, and has no room for SVM's codes.
- Its first choice, a raw tracepoint, takes the first argument for the reason, which
  since Linux 5.16 is the vCPU (bcc issue 4654); with room for SVM's codes, 6.1 does
  not even load it. Its second choice reads the reason from the trace event.
What it does at an exit is unchanged.
"""
import signal
import sys

CHANGES = (
    ('b"Intel" in arch_info', 'True'),
    ('#define REASON_NUM 69', '#define REASON_NUM 128'),
    ('BPF.support_raw_tracepoint_in_module()', 'False'),
    ('#\n# Do some checks\n#\n',
     'exit_reasons += tuple(str(code) for code in range(len(exit_reasons), 128))\n'),
)

with open(sys.argv[1]) as script:
    text = script.read()
for old, new in CHANGES:
    if old not in text:
        sys.exit("kvmexit.py: %s has no '%s': has it changed?" % (sys.argv[1], old.strip()))
    text = text.replace(old, new)
# A shell has its background jobs ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = sys.argv[1:]
exec(compile(text, sys.argv[0], "exec"))
