#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module's tally, compiled for here and with the compiler's sanitizers:
# event by event, and random lives of vCPUs against a plain model.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for program in tally_test tally_fuzz; do
	"${CC:-gcc}" -std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined \
		-fno-sanitize-recover=all -I tests/unit -o "$work/$program" \
		"tests/unit/$program.c" module/tally.c || exit 1
done
relay 'tally' "$work/tally_test"
relay 'random lives' "$work/tally_fuzz" 5000
done_testing
