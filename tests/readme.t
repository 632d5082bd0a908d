#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What README says is what there is: the matrix of kernels and CPUs.
set -u
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/.." || exit 1

# | 6.1 | amd | npt, shadow | `make check` |
# shellcheck disable=SC2016 # those are README.s own backquotes
rows() {
	sed -n 's/^| \([0-9.]*\) | \(amd\|intel\) | \(.*\), shadow | `make \(.*\)` |$/\1-\2 \3 \4/p' README.md | sort
}
cells() {
	local t cell mode by
	for t in tests/cells/*.t; do
		cell=$(basename "$t" .t)
		mode=npt by=check-all
		[ "${cell##*-}" = amd ] || mode=ept
		grep -q "^cells='.*$t" tests/check && by=check
		echo "$cell $mode $by"
	done | sort
}
is "$(rows)" "$(cells)" 'the matrix has the cells of tests/cells, run by what runs them'
is "$(find tests/cells -type l -lname ../cell | wc -l)" "$(find tests/cells -mindepth 1 | wc -l)" 'each of which is tests/cell'
done_testing
