"""How the time of a check grows with a spec: of every dimension, four times as much takes about four times as long."""

import time
from collections.abc import Callable, Iterable

import pytest

from convsize.check.check import check_source
from convsize.errors import Source


def lines(count: int, line: str) -> str:
    return "\n".join(line.replace("#", str(number)) for number in range(count))


def words(count: int, word: str, between: str = " ") -> str:
    return between.join(word.replace("#", str(number)) for number in range(count))


DIMENSIONS: dict[str, Callable[[int], Iterable[str]]] = {
    "inputs": lambda n: (lines(n, "input i#: 1@4"), "@i0 C1"),
    "inputs that are read": lambda n: (lines(n, "input i#: 1@4"), f"@i0 [{words(n, '@i#', ' | ')}] C1D1"),
    "taps": lambda n: ("input: 1@4", lines(n, "R as t#")),
    "taps that are read": lambda n: ("input: 1@4", words(n, "C1 as t#"), f"({words(n, '@t#', ' + ')})"),
    "heads": lambda n: ("input: 1@4", "C1 as t", lines(n, "head h# @t: C1")),
    "blocks": lambda n: ("input: 1@4", lines(n, "def d#: R"), words(n, "d#")),
    "parameters": lambda n: ("input: 1@4", f"def d({words(n, 'p#=1', ', ')}): {words(n, 'C{p#}')}", "d"),
    "arguments": lambda n: ("input: 1@4", f"def d({words(n, 'p#', ', ')}): C1", f"d({words(n, '1', ',')})"),
    "named arguments": lambda n: ("input: 1@4", f"def d({words(n, 'p#=1', ', ')}): C1", f"d({words(n, 'p#=1', ',')})"),
    "branches": lambda n: ("input: 1@4", f"[{words(n, 'C1', ' | ')}]"),
    "branches of a sum": lambda n: ("input: 1@4", f"({words(n, 'C1', ' + ')})"),
    "branches of a split": lambda n: (f"input: {n}@4", f"split[{words(n, 'C1', ' | ')}]"),
    "nesting": lambda n: ("input: 1@4", words(n // 50, "(" * 50 + "R" + ")" * 50)),
    "repeats": lambda n: ("input: 1@4", f"R*{n}"),
    "repeats of a block": lambda n: ("input: 1@4", "def b: C1 R", f"b*{n}"),
    "repeats with an index": lambda n: ("input: 1@4", f"C1D{{1+i%3}}*{{{n}, i}}"),
    "repeats one by one": lambda n: ("input: 1@4", words(n, "R*1")),
    "constants": lambda n: ("input: 1@4", lines(n, "let l#=1"), words(n, "C{l#}")),
    "expectations": lambda n: ("input: 1@4", "C1", lines(n, "expect: params=2")),
    "checks of a line": lambda n: ("input: 1@4", "C1", f"expect: {words(n, 'params=2')}"),
    "comments": lambda n: ("input: 1@4", "C1", lines(n, "# a comment")),
    "suppressions": lambda n: ("input: 1@4", "C1", "C1 # convsize: ignore[W501]\n" * n),
    "lines": lambda n: ("input: 1@4", lines(n, "C1")),
    "one long line": lambda n: ("input: 1@4", words(n, "C1")),
    "one long token": lambda n: ("input: 1@4", "R" * n),
    "concatenations on each other": lambda n: ("input: 1@4", words(n, "[x | C3D1]")),
    "sums on each other": lambda n: ("input: 2@4", words(n, "(C3 + x)")),
    "picked maps": lambda n: (f"input: {n}@4", f"pick({words(n, '#', ',')})"),
    "mistakes": lambda n: ("input: 1@4", words(n, "C5p0")),
    "joins that do not fit": lambda n: ("input: 1@4", words(n, "(C1D2 + C1D3)")),
    "misplaced x": lambda n: ("input: 1@4", words(n, "x")),
    "unknown words": lambda n: ("input: 1@4", lines(n, "def bl#: R"), words(n, "blo#")),
    "unknown numbers": lambda n: ("input: 1@4", lines(n, "let ln#=1"), words(n, "C{lm#}")),
    "unknown taps": lambda n: ("input: 1@4", lines(n, "C1 as ta#"), words(n, "@tb# C1")),
}


def seconds(text: str) -> float:
    start = time.process_time()
    check_source(Source(text, "net.spec"))
    return time.process_time() - start


@pytest.mark.timed
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_pass_is_linear(dimension: str) -> None:
    quarter, whole = ("\n".join(DIMENSIONS[dimension](count)) for count in (1000, 4000))
    check_source(Source(quarter, "net.spec"))  # files are imported when they are needed
    for _ in range(4):  # on a machine that others may disturb: one quiet try of four
        small, large = seconds(quarter), seconds(whole)
        if large < 0.05 or large < 2 * 4 * small:  # twice what linear growth gives, for noise and the collector
            return
    pytest.fail(f"4 times as many {dimension} take {large / small:.1f} times as long: {small:.3f} s and {large:.3f} s")
