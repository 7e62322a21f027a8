"""Holes: the numbers of a series that a block's parameters may take the places of."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from convsize.importing.folding.keys import fixed
from convsize.importing.items import Branches, Leaf, Repeat, Series
from convsize.importing.tokens import Expr, Number, Slot
from convsize.record import Record

__all__ = ["Hole", "entry", "filled", "holes"]

_DEEP = {("C", "D"), ("DW", "D"), ("T", "D"), ("FC", ""), ("C", "g"), ("slice", ""), ("GN", "")}


class Hole(Record):
    """A number. source: the depth of what enters its layer, 0 where it is unknown; deep: whether it may go with it."""

    value: int | Fraction
    default: Number
    lead: str
    source: int
    deep: bool
    kind: str


def holes(series: Series) -> Iterator[Hole]:
    """The numbers of a series in their order."""
    for item in series:
        if isinstance(item, Leaf):
            for slot in item.token.slots:
                if not fixed(slot):
                    assert isinstance(slot.value, int | Fraction)
                    deep = item.first >= 0 or (item.token.kind, slot.lead) in _DEEP
                    yield Hole(slot.value, slot.default, slot.lead, item.token.source, deep, item.token.kind)
        elif isinstance(item, Branches):
            for each in item.branches:
                yield from holes(each)
        elif isinstance(item, Repeat):
            yield from holes(item.body)
            if isinstance(item.count, int):
                yield Hole(item.count, None, "*", 0, False, "*")


def filled(series: Series, values: Iterator[Number]) -> Series:
    """The series with other values in its holes; None leaves out what is written there."""
    found = []
    for item in series:
        if isinstance(item, Leaf):
            slots = tuple(slot if fixed(slot) else _slot(slot, next(values)) for slot in item.token.slots)
            item = item.replace(token=item.token.replace(slots=slots))
        elif isinstance(item, Branches):
            item = item.replace(branches=tuple(filled(each, values) for each in item.branches))
        elif isinstance(item, Repeat):
            body = filled(item.body, values)
            count = item.count
            if isinstance(count, int):
                given = next(values)
                count = given if isinstance(given, int | Expr) else count
            item = Repeat(body, count)
        found.append(item)
    return tuple(found)


def _slot(slot: Slot, value: Number) -> Slot:
    if value is None:
        return Slot(slot.lead, "", "")
    return Slot(slot.lead, value, None)


def entry(series: Series) -> int:
    """The depth of what enters a series; 0 where it is not known."""
    first = series[0]
    if isinstance(first, Leaf):
        return first.token.source
    if isinstance(first, Branches):
        return first.source
    return entry(first.body) if isinstance(first, Repeat) else 0
