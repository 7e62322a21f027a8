"""Blocks: series of one structure that stand at several places, as definitions with parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from convsize.importing.folding.holes import entry, filled
from convsize.importing.folding.keys import Keys, cost, leaves, merged, named
from convsize.importing.folding.parameters import Written, parametrised
from convsize.importing.folding.repeats import Scopes, begin, borders_of, end, weighs
from convsize.importing.items import Block, Branches, Item, Leaf, Repeat, Series, Start
from convsize.importing.tokens import Expr, Slot, Token

__all__ = ["Run", "best_block", "inner", "replaced"]

LONGEST = 60
WORTH = 3
"""Words that a block must save."""

_MODULE = 1.35
_CUT = 0.5


class Run:
    """Items from one place to another of a series."""

    __slots__ = ("fits", "length", "series", "start")

    def __init__(self, series: Series, start: int, length: int, fits: float) -> None:
        self.series = series
        self.start = start
        self.length = length
        self.fits = fits

    @property
    def items(self) -> Series:
        """The items of the run."""
        return self.series[self.start : self.start + self.length]


def inner(series: Series) -> Iterator[Series]:
    """A series and all that stand in it."""
    yield series
    for item in series:
        if isinstance(item, Branches):
            for each in item.branches:
                yield from inner(each)
        elif isinstance(item, Repeat):
            yield from inner(item.body)


def best_block(
    roots: list[Series], keys: Keys, scopes: Scopes, name: Callable[[list[Series]], str]
) -> tuple[Block, dict[tuple[int, int, int], Leaf]] | None:
    """The block that saves most, with the call that stands for each run, by the series' identity, start and length."""
    groups: dict[tuple[int, ...], list[Run]] = {}
    for root in roots:
        for series in inner(root):
            _enumerate(series, keys, scopes, groups)
    bounded = []
    for key, runs in groups.items():
        chosen = _apart(runs)
        if len(chosen) > 1:
            body = sum(map(cost, chosen[0].items))
            bounded.append(((len(chosen) - 1) * body - 4, key, chosen))
    bounded.sort(key=lambda each: -each[0])
    best: tuple[float, list[Run], Written] | None = None
    for bound, _, runs in bounded:
        if bound * _MODULE <= (best[0] if best else WORTH):
            break
        written = parametrised([run.items for run in runs])
        if written is None:
            continue
        body = sum(map(cost, runs[0].items))
        calls = sum(1 + len(each) for each in written.arguments)
        saved = len(runs) * body - (3 + len(written.parameters) + body) - calls
        worth = saved * sum(run.fits for run in runs) / len(runs)
        if saved >= WORTH and worth > (best[0] if best else 0):
            best = (worth, runs, written)
    if best is None:
        return None
    _, runs, written = best
    called = name([run.items for run in runs])
    body_ = merged([run.items for run in runs])
    block = Block(called, written.parameters, filled(body_, iter(written.filling)))
    calls_ = {}
    for run, arguments in zip(runs, written.arguments, strict=True):
        token = Token(called, tuple(Slot(lead, value) for lead, value in arguments), entry(run.items))
        leaf = Leaf(token, end(run.items[-1]), begin(run.items[0]), 1 + len(arguments))
        calls_[(id(run.series), run.start, run.length)] = leaf
    return block, calls_


def _enumerate(series: Series, keys: Keys, scopes: Scopes, groups: dict[tuple[int, ...], list[Run]]) -> None:
    skeletons = [keys.skeleton(item) for item in series]
    usable = [not named((item,)) and not isinstance(item, Start) and not _computed((item,)) for item in series]
    borders = [*borders_of(series, scopes), 0] if series else []
    for start in range(len(series)):
        lowest = 10**6
        for stop in range(start + 1, min(len(series), start + LONGEST) + 1):
            if not usable[stop - 1]:
                break
            if stop - 1 > start:
                lowest = min(lowest, borders[stop - 1])
            if stop - start == 1 and isinstance(series[start], Leaf):
                continue
            cut = max(borders[start], borders[stop])
            fits = _MODULE if cut < lowest else _CUT if cut > lowest else 1.0
            if fits <= 1 and not weighs(series[start]):
                continue
            groups.setdefault(tuple(skeletons[start:stop]), []).append(Run(series, start, stop - start, fits))


def _computed(series: Series) -> bool:
    """Whether numbers of a series are computed of the parameters of the block that it stands in."""
    if any(isinstance(slot.value, Expr) for leaf in leaves(series) for slot in leaf.token.slots):
        return True
    return any(isinstance(item, Repeat) and isinstance(item.count, Expr) for each in inner(series) for item in each)


def _apart(runs: list[Run]) -> list[Run]:
    """The runs that do not overlap, from the left."""
    found: list[Run] = []
    for run in runs:
        last = found[-1] if found else None
        if last is None or last.series is not run.series or last.start + last.length <= run.start:
            found.append(run)
    return found


def replaced(series: Series, calls: dict[tuple[int, int, int], Leaf]) -> Series:
    """The series with calls in the places of runs."""
    by_start = {start: (length, leaf) for (place, start, length), leaf in calls.items() if place == id(series)}
    found: list[Item] = []
    at = 0
    while at < len(series):
        if at in by_start:
            length, leaf = by_start[at]
            found.append(leaf)
            at += length
            continue
        item = series[at]
        if isinstance(item, Branches):
            item = item.replace(branches=tuple(replaced(each, calls) for each in item.branches))
        elif isinstance(item, Repeat):
            item = item.replace(body=replaced(item.body, calls))
        found.append(item)
        at += 1
    return tuple(found)
