"""What expected figures are compared by, and how they are written in a message."""

from __future__ import annotations

from fractions import Fraction

from convsize.geometry import Extents
from convsize.language.expectations import UNITS
from convsize.language.tree import Value


def within(ours: int, comparison: str, bound: int | Fraction) -> bool:
    """Whether a figure keeps a bound: `=`, `<=`, `>=`, `<` or `>`."""
    if comparison == "=":
        return ours == bound
    if comparison == "<=":
        return ours <= bound
    if comparison == ">=":
        return ours >= bound
    return ours < bound if comparison == "<" else ours > bound


def unit_of(value: Value) -> str:
    """The unit that a value is written in, or nothing."""
    return value.text.lstrip("0123456789.")


def amount(value: int | Fraction, unit: str, in_bytes: bool) -> str:
    """A number exactly, and in four digits in the unit that the spec writes it in: 4,089,184,256 (4.089G)."""
    exact = f"{int(value):,}" if value.denominator == 1 else f"{float(value):,.12g}"
    exact += " bytes" if in_bytes else ""
    if unit not in UNITS:
        return exact
    scaled = float(value / Fraction(UNITS[unit]))
    short = f"{scaled:,.0f}" if scaled >= 1000 else f"{scaled:.4g}"
    return f"{exact} ({short}{' ' if in_bytes else ''}{unit})"


def amounts(ours: Extents, unit: str, in_bytes: bool) -> str:
    """A figure, or one for every axis."""
    return amount(ours[0], unit, in_bytes) if len(ours) == 1 else "x".join(map(str, ours))
