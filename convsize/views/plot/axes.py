"""The axes of plots: where a value stands, and which round numbers are written beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, isfinite, log10
from typing import Literal

from convsize.record import Record
from convsize.views.text import numbers

Scale = Literal["linear", "log", "log2"]
_ROOM = 0.08
"""The share of a logarithmic axis that is left free on either side; a linear one that does not start at 0 alike."""

_FULLEST = 0.96
"""How far up the largest value of a linear axis stands."""


class Axis(Record):
    """What an axis says.

    log2 marks powers of two (batches) where log marks decades. include: values that must lie on the axis; a linear axis
    without negative values starts at 0 unless `zero` is False. ticks: the places of words instead of numbers (layers),
    of which as many are written as have room.
    """

    title: str
    unit: numbers.Unit = "number"
    scale: Scale = "linear"
    include: tuple[float, ...] = ()
    zero: bool = True
    ticks: tuple[tuple[float, str], ...] | None = None

    def shows(self, value: float) -> bool:
        """Whether a value has a place: NaN and infinities have none, nor on a logarithmic axis 0 and below."""
        return isfinite(value) and (self.scale == "linear" or value > 0)


class PlacedAxis:
    """An axis between two places of the page, over the range of some values."""

    def __init__(self, axis: Axis, values: Sequence[float], start: float, end: float, *, tight: bool = False) -> None:
        """`tight`: the values fill the axis from end to end, as x mostly does."""
        self.axis = axis
        self.start, self.end = start, end
        shown = [value for value in (*values, *axis.include) if axis.shows(value)] or [1.0]
        if axis.scale == "linear":
            low, high = min(shown), max(shown)
            if axis.zero and not tight:
                low, high = min(low, 0.0), max(high, 0.0)
            if low == high:
                low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
            spare = 0.0 if tight else (high - low) * (1 / _FULLEST - 1)
            self.low, self.high = (low - spare if low < 0 or not axis.zero else low), high + spare
        else:
            low, high = log10(min(shown)), log10(max(shown))
            room = max((high - low) * _ROOM, 0.08)
            self.low, self.high = low - room, high + room

    def place(self, value: float) -> float:
        """Where a value stands; `axis.shows(value)` must hold."""
        at = value if self.axis.scale == "linear" else log10(value)
        return self.start + (self.end - self.start) * (at - self.low) / (self.high - self.low)

    def ticks(self, room: Callable[[str], float]) -> list[tuple[float, str]]:
        """Places and their texts, as many as there is room for: room(text) is the length that a text takes on the
        axis, with the blank around it.
        """
        if self.axis.ticks is not None:
            return _spread([(self.place(value), text) for value, text in self.axis.ticks if self._in(value)], room)
        found: list[tuple[float, str]] = []
        for level in self._levels():
            found = [(self.place(value), numbers.short(value, self.axis.unit)) for value in level]
            texts = [text for _, text in found]
            if len(set(texts)) == len(texts) and _apart(found, room):
                break
        return found

    def _in(self, value: float) -> bool:
        at = value if self.axis.scale == "linear" else log10(value)
        return self.low - 1e-9 <= at <= self.high + 1e-9

    def _levels(self) -> Iterator[list[float]]:
        """Round numbers on the axis, from many of them to few."""
        low, high = (self.low, self.high) if self.axis.scale == "linear" else (10**self.low, 10**self.high)
        if self.axis.scale == "linear" or high / low < 3:
            for step in _steps((high - low) / 24, binary=self.axis.unit == "bytes"):
                level = [float(step * at) for at in range(ceil(low / step), floor(high / step) + 1)]
                # 1/24 of the range goes into it often, 2 times the range never: the last level is short.
                yield [value for value in level if self._in(value)]
                if len(level) <= 1:
                    return
        elif self.axis.scale == "log2" or self.axis.unit == "bytes":
            powers = range(floor(self.low / log10(2)), ceil(self.high / log10(2)) + 1)
            for every in range(1, len(powers) + 1):
                yield [value for power in powers if power % every == 0 and self._in(value := 2.0**power)]
        else:
            powers = range(floor(self.low), ceil(self.high) + 1)
            for factors in ((*range(1, 10),), (1, 2, 5), (1, 3), (1,)):
                yield [
                    value
                    for power in powers
                    for factor in factors
                    if self._in(value := float(factor * Fraction(10) ** power))
                ]
            for every in range(2, len(powers) + 1):
                yield [float(Fraction(10) ** power) for power in powers if power % every == 0 and self._in(10.0**power)]


def _steps(least: float, *, binary: bool) -> Iterator[Fraction]:
    """Round steps from about `least` upwards: 1, 2, 5, 10 …, or powers of two."""
    if binary:
        step = Fraction(2) ** max(floor(log10(max(least, 1e-300)) / log10(2)), 0)
        while True:
            yield step
            step *= 2
    power = floor(log10(least))
    while True:
        for factor in (1, 2, 5):
            yield factor * Fraction(10) ** power
        power += 1


def _apart(ticks: Sequence[tuple[float, str]], room: Callable[[str], float]) -> bool:
    return all(abs(other[0] - one[0]) >= (room(one[1]) + room(other[1])) / 2 for one, other in pairwise(ticks))


def _spread(ticks: Sequence[tuple[float, str]], room: Callable[[str], float]) -> list[tuple[float, str]]:
    """The ticks from the first on, without those that would touch the one before."""
    found: list[tuple[float, str]] = []
    for tick in ticks:
        if not found or _apart((found[-1], tick), room):
            found.append(tick)
    return found
