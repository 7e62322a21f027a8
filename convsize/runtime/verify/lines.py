"""Lines of a receipt from what was predicted and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from convsize.records import Line
from convsize.records.receipt import Verdict


def agreement(
    quantity: str,
    unit: Literal["volumes", "tensors"],
    expected: Mapping[str, object],
    found: Mapping[str, object],
    note: str,
) -> Line:
    """Facts by name: how many there should be, and how many of them there are."""
    failures = [
        f"{name}: predicted {expected.get(name, 'none')}, measured {found.get(name, 'none')}"
        for name in dict.fromkeys([*expected, *found])
        if expected.get(name) != found.get(name)
    ]
    agreeing = sum(found.get(name) == value for name, value in expected.items())
    verdict: Verdict = "FAILS" if failures else "exact"
    return Line(quantity, unit, len(expected), agreeing, verdict, note, tuple(failures))


def exact(quantity: str, unit: Literal["macs", "flops", "bytes"], predicted: int, measured: int, note: str) -> Line:
    """A figure that must be met to the last digit."""
    return Line(quantity, unit, predicted, measured, "exact" if predicted == measured else "FAILS", note)


def within(
    quantity: str,
    unit: Literal["bytes", "µs"],
    predicted: int,
    measured: int,
    tolerance: float,
    note: str,
    least: int = 0,
) -> Line:
    """A figure that may be off by a share of the measured one, or by `least` where that is more."""
    near = abs(predicted - measured) <= max(tolerance * measured, least)
    return Line(quantity, unit, predicted, measured, "within" if near else "FAILS", note, tolerance=tolerance)
