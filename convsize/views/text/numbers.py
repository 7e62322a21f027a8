"""How counts, bytes, volumes and shares are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Literal

from convsize.words import BYTES, COUNTS, form, four_digits
from convsize.words import size as size

Unit = Literal["number", "count", "bytes", "seconds", "share"]

_TIMES = ((Fraction(1), "s"), (Fraction(1, 10**3), "ms"), (Fraction(1, 10**6), "µs"), (Fraction(1, 10**9), "ns"))


def exact(value: int) -> str:
    """With thousands separators: 138,357,544."""
    return f"{value:,}"


def count(value: int) -> str:
    """In four digits with a decimal unit, K = 10³, M = 10⁶, G = 10⁹: 15.47G; exact below 10,000."""
    if abs(value) < 10_000:
        return exact(value)
    sign = "-" if value < 0 else ""
    value = abs(value)
    for index, (unit_size, unit) in enumerate(COUNTS):
        if value >= unit_size:
            text = four_digits(Fraction(value, unit_size))
            if text == "1000" and index:  # 999,960 is 1.000M, not 1000K
                return f"{sign}1.000{COUNTS[index - 1][1]}"
            return f"{sign}{text}{unit}"
    raise AssertionError(value)


def counted(value: int, noun: str) -> str:
    """A count in four digits with its noun.

    >>> counted(1, "parameter"), counted(138_357_544, "parameter")
    ('1 parameter', '138.4M parameters')
    """
    return f"{count(value)} {form(value, noun)}"


def duration(seconds: float) -> str:
    """A time in four digits: 1.234 s, 12.34 ms, 56.70 µs, 3.000 ns; below that 0 s."""
    value = Fraction(seconds)
    for at, (unit_size, unit) in enumerate(_TIMES):
        if value >= unit_size:
            text = four_digits(value / unit_size)
            if text == "1000" and at:  # 999.96 ms is 1.000 s
                return f"1.000 {_TIMES[at - 1][1]}"
            return f"{text} {unit}"
    return "0 s"


def rough(seconds: float) -> str:
    """A time in two digits, for what is not known better: 12 ms, 1.2 s."""
    value = Fraction(seconds)
    for unit_size, unit in _TIMES:
        if value >= unit_size * Fraction(995, 1000):
            scaled = float(value / unit_size)
            return f"{float(f'{scaled:.1e}'):,.{1 if scaled < 9.95 else 0}f} {unit}"
    return "0 s"


def short(value: float, unit: Unit = "number") -> str:
    """A round number in as few signs as it has: 50M, 256 MiB, 2.5 ms, 20%, 0.05."""
    if unit == "share":
        return f"{value * 100:.4g}%"
    if unit == "number" and 1e-4 <= abs(value) < 1e6:
        return f"{value:.6g}"
    if unit == "number" and value:
        return f"{value:.4g}".replace("e-0", "e-").replace("e+0", "e")
    scales: dict[str, Sequence[tuple[Fraction | int, str]]]
    scales = {"count": COUNTS, "bytes": BYTES, "seconds": _TIMES, "number": ()}
    for unit_size, name in scales[unit]:
        if abs(value) >= unit_size:
            return f"{float(Fraction(value) / unit_size):.4g}{'' if unit == 'count' else ' '}{name}"
    return f"{value:.4g}{ {'bytes': ' B', 'seconds': ' s'}.get(unit, '') if value else '' }"


def share(value: Fraction | float) -> str:
    """A share of 1 as a percentage: 89.4%, 100%, <0.1%."""
    percent = float(value) * 100
    if 0 < percent < 0.1:
        return "<0.1%"
    if 99.95 <= percent < 100:
        return ">99.9%"
    return f"{percent:.0f}%" if percent in (0.0, 100.0) else f"{percent:.1f}%"


def number(value: Fraction | int) -> str:
    """A whole number as it is, a fraction as a decimal: 0.5, 0.333."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.3f}".rstrip("0")


def axes(values: Iterable[Fraction | int], between: str = "x") -> str:
    """One number where all axes agree, else all of them: 7, 3x5."""
    texts = [number(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else between.join(texts)


def sized(values: Iterable[Fraction | int], noun: str) -> str:
    """Extents with what they are counted in.

    >>> sized((1, 1), "pixel"), sized((3, 5), "pixel")
    ('1 pixel', '3x5 pixels')
    """
    text = axes(values)
    return f"{text} {form(1 if text == '1' else 2, noun)}"


def places(values: Iterable[Fraction | int]) -> str:
    """Coordinates, which may be negative: -90, or -30,-59 where the axes differ."""
    return axes(values, ",")


def volume(dims: tuple[int, ...]) -> str:
    """depth@height×width in the spec's own notation: 64@224x224; a flat vector is its length."""
    depth, *extents = dims
    return f"{depth}@{'x'.join(map(str, extents))}" if extents else str(depth)
