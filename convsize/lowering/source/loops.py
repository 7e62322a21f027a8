"""Runs of equal blocks that a loop builds and runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from convsize.lowering.source.blocks import Group, Line, Template
from convsize.lowering.source.layout import Expr, flat
from convsize.record import Record

_FOLD_FROM = 3
"""Equal blocks in a row from which a loop reads better than lines."""


class Fold(Record):
    """A run of lines first … last - 1 whose blocks base{number} … are built by one loop, from these arguments."""

    first: int
    last: int
    base: str
    number: int
    arguments: dict[str, Expr]


def folds_of(template: Template) -> dict[int, Fold]:
    """The runs of blocks that a loop builds and runs, by their first lines.

    All are of one class, numbered on, each reads just the one before, and their arguments grow evenly, if at all.
    """
    uses: dict[int, int] = {}
    for line in template.lines:
        for index in line.reads:
            uses[index] = uses.get(index, 0) + 1
    for index in template.outputs:
        uses[index] = uses.get(index, 0) + 1
    found = {}
    at = 0
    lines = template.lines
    while at < len(lines):
        end = at + 1
        while end < len(lines) and _continues(lines[end - 1], lines[end], uses):
            end += 1
        while end - at >= _FOLD_FROM:
            arguments = _evenly(template, lines[at:end])
            if arguments is not None:
                base, number = _numbered(lines[at].name)
                found[at] = Fold(at, end, base, number, arguments)
                break
            end -= 1
        at = max(end, at + 1)
    return found


def _numbered(name: str) -> tuple[str, int]:
    base = re.sub(r"\d+$", "", name)
    return base, int(name[len(base) :] or 0)


def _continues(one: Line, other: Line, uses: dict[int, int]) -> bool:
    if not (isinstance(one.child, Group) and isinstance(other.child, Group)) or one.sets or other.sets:
        return False
    base, number = _numbered(one.name)
    return (
        one.child.template is other.child.template
        and other.name == f"{base}{number + 1}"
        and len(one.makes) == len(other.makes) == len(one.reads) == 1
        and other.reads == one.makes
        and uses[one.makes[0]] == 1
    )


def _evenly(template: Template, lines: Sequence[Line]) -> dict[str, Expr] | None:
    """The arguments of the run's blocks as expressions in i, the blocks' number; None where there are none."""
    found: dict[str, Expr] = {}
    (first, *_) = lines
    assert isinstance(first.child, Group)
    _, number = _numbered(first.name)
    for name in first.child.template.parameters:
        written = [flat(template.written[line.name, name]) for line in lines]
        if len(set(written)) == 1:
            found[name] = template.written[first.name, name]
            continue
        if not all(re.fullmatch(r"\d+", text) for text in written):
            return None
        values = [int(text) for text in written]
        step = values[1] - values[0]
        if step <= 0 or any(after - before != step for before, after in pairwise(values)):
            return None
        start = values[0] - step * number
        term = "i" if step == 1 else f"{step} * i"
        found[name] = f"{start} + {term}" if start > 0 else f"{term} - {-start}" if start else term
    return found


def loop(fold: Fold) -> str:
    """The head of a run's loop."""
    return f"for i in range({fold.number}, {fold.number + fold.last - fold.first}):"
