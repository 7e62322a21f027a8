"""Parameters: how the numbers that differ between the uses of a block are written."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from convsize.importing.folding.holes import Hole, entry, holes
from convsize.importing.items import Series
from convsize.importing.tokens import Expr, Number
from convsize.record import Record

__all__ = ["Written", "parametrised"]

MOST = 6
"""Parameters that a reader can keep apart."""

_NAMES = {"/": "s", "*": "n", "g": "g", "d": "r"}
_DEPTHS = "dehmuvw"


class Written(Record):
    """A block's parameters, what stands in its holes, and the arguments of every use."""

    parameters: tuple[tuple[str, str | None], ...]
    filling: tuple[Number, ...]
    arguments: tuple[tuple[tuple[str, int | Fraction], ...], ...]
    """By use: (lead, value) of every argument that is given."""


class _Parameter:
    def __init__(self, name: str, values: tuple[int | Fraction, ...]) -> None:
        self.name = name
        self.values = values


def parametrised(uses: list[Series]) -> Written | None:
    """How a block is written that stands for several series of one skeleton; None where it has too many parameters."""
    columns = list(zip(*(holes(each) for each in uses), strict=True))
    entries = [entry(each) for each in uses]
    found: list[_Parameter] = []
    entered = False
    values: list[Number] = []
    for column in columns:
        given = tuple(each.value for each in column)
        value, uses_entry = _known(column, given, found, entries)
        entered = entered or uses_entry
        if value is _NEW:
            found.append(_Parameter(_name(column[0], {each.name for each in found}), given))
            if len(found) > MOST:
                return None
            value = Expr(found[-1].name)
        values.append(value)
    usual = {each.name: _usual(each.values) for each in found}
    ordered = sorted(found, key=lambda each: usual[each.name] is not None)
    parameters = [(each.name, None if usual[each.name] is None else str(usual[each.name])) for each in ordered]
    if entered:
        parameters.append(("n0", "c"))
    arguments = tuple(
        tuple(
            (f"{each.name}=" if usual[each.name] is not None else "", each.values[at])
            for each in ordered
            if each.values[at] != usual[each.name]
        )
        for at in range(len(uses))
    )
    return Written(tuple(parameters), tuple(values), arguments)


_NEW = Expr("new")


def _known(
    column: tuple[Hole, ...], given: tuple[int | Fraction, ...], found: list[_Parameter], entries: list[int]
) -> tuple[Number, bool]:
    """What a number is written as without another parameter, and whether that reads the depth that enters."""
    if all(each.value == each.default for each in column):
        return None, False
    if len(set(given)) == 1:
        return given[0], False
    for each in found:
        if each.values == given:
            return Expr(each.name), False
    if all(each.deep for each in column):
        for source, name in ((tuple(each.source for each in column), "c"), (tuple(entries), "n0")):
            ratio = _ratio(given, source)
            if ratio is not None:
                return Expr(_times(ratio, name)), name == "n0"
        for each in found:
            ratio = _ratio(given, each.values)
            if ratio is not None and ratio.numerator <= 64 and ratio.denominator <= 64:
                return Expr(_times(ratio, each.name)), False
    return _NEW, False


def _ratio(given: tuple[int | Fraction, ...], others: tuple[int | Fraction, ...]) -> Fraction | None:
    """How many times the others the numbers are, where that is the same for all."""
    if not all(others):
        return None
    ratios = {Fraction(one) / Fraction(other) for one, other in zip(given, others, strict=True)}
    return ratios.pop() if len(ratios) == 1 else None


def _times(ratio: Fraction, name: str) -> str:
    text = name if ratio.numerator == 1 else f"{ratio.numerator}*{name}"
    return text if ratio.denominator == 1 else f"{text}/{ratio.denominator}"


def _usual(values: tuple[int | Fraction, ...]) -> int | Fraction | None:
    """The value of most uses, where it is worth a default."""
    value, count = max(Counter(values).items(), key=lambda pair: (pair[1], -pair[0]))
    return value if count >= 2 and count * 2 >= len(values) else None


def _name(hole: Hole, used: set[str]) -> str:
    wanted = _NAMES.get(hole.lead)
    if wanted is None:
        wanted = "k" if hole.lead == "" and hole.kind in ("C", "DW", "T", "M", "A") else _DEPTHS[0]
    if hole.lead.endswith("="):
        wanted = hole.lead[:-1]
    if wanted not in used:
        return wanted
    free: str = next(each for each in (*_DEPTHS, *(f"{wanted}{at}" for at in range(1, 99))) if each not in used)
    return free
