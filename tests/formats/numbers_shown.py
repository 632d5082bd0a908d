# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers as people read them, held against what they are of; and TAP."""
import math
import re

UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
         "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "%": 0.01, "x": 1}
NUMBER = re.compile(r"<?([0-9]+)(?:\.([0-9]+))?(ns|us|ms|s|[kMGTPE%x]?)$")


class Tap:
    """Counts what was compared, and what was found."""
    tests = failed = compared = 0
    wrong: list = []

    def same(self, got, wanted, where):
        self.compared += 1
        if isinstance(got, float) or isinstance(wanted, float):
            equal = isinstance(got, (int, float)) and isinstance(wanted, (int, float)) and \
                math.isclose(got, wanted, rel_tol=1e-11, abs_tol=1e-15)
        else:
            equal = got == wanted
        if not equal:
            self.wrong.append(f"{where}: got {got}, wanted {wanted}"[:500])

    def end(self, name):
        self.tests += 1
        bad = self.wrong or not self.compared
        print(f"{'not ok' if bad else 'ok'} {self.tests} - {name}")
        for line in self.wrong[:10] or ([] if self.compared else ["nothing was compared"]):
            print(f"#   {line}")
        self.failed |= bool(bad)
        self.wrong, self.compared = [], 0


def shown(tap, text, value, where, slack=0):
    """A cell for people is the value, rounded to the digits that it has."""
    if text in ("-", ""):
        tap.same(value in (None, 0, "", "-"), True, f"{where}: {text!r} for {value}")
        return
    match = NUMBER.match(text or "")
    if not match or not isinstance(value, (int, float)):
        tap.same(text, value, where)
        return
    scale = UNITS[match[3]]
    got = float(f"{match[1]}.{match[2] or 0}") * scale
    half = 0.5 * 10.0 ** -len(match[2] or "") * scale
    tap.same(abs(got - value) <= half + slack + 1e-9 * abs(value), True, f"{where}: {text} for {value}")
