"""Reading what a spec states of its figures: `expect main: params=25557032 macs~4.09G`."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from convsize.errors import Span
from convsize.language.expressions import arguments, tap
from convsize.language.scanner import DIGITS, IDENTIFIER, LOWER, UPPER, Scanner
from convsize.language.statements import malformed, read_colon, read_name
from convsize.language.tree import Arg, Check, ExpectStmt, Ident, Tap, Value
from convsize.language.volumes import read_volume
from convsize.words import BYTES, COUNTS

SECONDS: dict[str, int | Fraction] = {"s": 1, "ms": Fraction(1, 10**3), "us": Fraction(1, 10**6)}
"""Units of time, in seconds."""

UNITS: dict[str, int | Fraction] = {**{unit: size for size, unit in (*reversed(COUNTS), *reversed(BYTES))}, **SECONDS}
"""All units of figures."""

_COMPARISONS: tuple[Literal["<=", ">=", "=", "<", ">", "~"], ...] = ("<=", ">=", "=", "<", ">", "~")


def read_expect(scanner: Scanner, start: int) -> ExpectStmt:
    """The statement whose word begins at `start`, the cursor after it. Raises Skip."""
    example = "expect: params=25557032"
    target: Ident | Tap | None = None
    char = scanner.skip()
    if char == "@":
        target = tap(scanner)
    elif char in LOWER or char in UPPER:
        target = read_name(scanner, "expect", "expect main: params=25557032")
    read_colon(scanner, "expect", example, start)
    checks: list[Check] = []
    while True:
        char = scanner.skip()
        if char == "\n" and checks:
            return ExpectStmt(target, tuple(checks), Span(start, checks[-1].span.end))
        if char == "\n":
            malformed(scanner, "this `expect` states nothing", f"write it as in `{example}`", Span(start, start + 6))
        if char not in LOWER:
            if char in UPPER:
                read_name(scanner, "expect", example)
            what = scanner.word_at(scanner.pos) or char
            hint = "write `params=25557032`"
            if char == "," and checks:
                hint = "separate them with a space"
                digits = scanner.word_at(scanner.pos + 1)
                if len(digits) == 3 and digits.isdigit() and checks[-1].value.number is not None:
                    hint = "write a long number without commas"
            malformed(
                scanner,
                f"`{what}` is not a quantity that `expect` can check",
                hint,
                Span(scanner.pos, scanner.pos + len(what)),
            )
        checks.append(_check(scanner))


def _check(scanner: Scanner) -> Check:
    text = scanner.text
    metric = read_name(scanner, "expect", "expect: params=25557032")
    args: tuple[Arg, ...] = ()
    if text[scanner.pos] == "(":
        args = arguments(scanner)
    scanner.skip()
    pos = scanner.pos
    comparison = next((sign for sign in _COMPARISONS if text.startswith(sign, pos)), None)
    if comparison is None:
        malformed(
            scanner,
            f"`{metric.name}` is compared to nothing",
            f"write `{metric.name}=…` for exactly, `~` for about, or a bound with `<=` or `>=`",
            metric.span,
        )
    scanner.pos = pos + len(comparison)
    if comparison == "=" and text[scanner.pos] == "=":
        malformed(scanner, "there are two equal signs here", f"write `{metric.name}=…`, with one", Span(pos, pos + 2))
    value = _value(scanner, metric)
    return Check(metric, args, comparison, value, metric.span.to(value.span))


def _value(scanner: Scanner, metric: Ident) -> Value:
    """`1000`, `4.09G`, `8GiB`, `512@7x7`, a word, or a digest such as `1f3a90c2`."""
    text = scanner.text
    char = scanner.skip()
    start = scanner.pos
    if char not in IDENTIFIER:
        malformed(
            scanner, f"`{metric.name}` is compared to nothing", f"write a value: `{metric.name}=1000`", metric.span
        )
    if char in UPPER:
        malformed(
            scanner,
            f"`{scanner.word_at(start)}` is not a value",
            "a value is a number, a volume, a word in small letters or a digest",
        )
    end = scanner.run(start)
    if char in DIGITS:
        volume = read_volume(scanner)
        if volume is not None:
            return Value(text[start : scanner.pos], None, None, volume, volume.span)
        number = scanner.integer()
        digits = 0
        whole = number.value
        if text[scanner.pos] == "." and text[scanner.pos + 1] in DIGITS:
            scanner.pos += 1
            part = scanner.integer()
            digits = part.span.end - part.span.start
            whole += part.value / 10**digits
            end = scanner.run(scanner.pos)
        unit = text[scanner.pos : end]
        if unit == "" or unit in UNITS:
            scanner.pos = end
            scale = UNITS.get(unit, 1)
            step = Fraction(scale) / 10**digits
            return Value(text[start:end], whole * scale, step, None, Span(start, end))
        if digits or not all(char in "0123456789abcdef" for char in text[start:end]):
            scanner.pos = end
            malformed(
                scanner,
                f"`{unit}` is not a unit",
                f"the units are {', '.join(UNITS)}",
                Span(end - len(unit), end),
            )
    scanner.pos = end
    return Value(text[start:end], None, None, None, Span(start, end))
