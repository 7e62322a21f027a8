"""Repeats: items that stand several times one after another, written once."""

from __future__ import annotations

import itertools

from convsize.importing.folding.keys import Keys, cost, merged, named
from convsize.importing.items import Branches, Item, Leaf, Repeat, Series

__all__ = ["Scopes", "begin", "borders_of", "end", "repeated", "weighs"]

MOST = 6_000_000
"""Items that are compared in the search for repeats of a network: a long chain beyond that is written as it is."""

Scopes = list[tuple[str, ...]]
"""The path of the module of every layer, in parts."""


def repeated(series: Series, keys: Keys, scopes: Scopes) -> Series:
    """The series with everything in it that stands several times in a row as a repeat."""
    found = tuple(
        item.replace(branches=tuple(repeated(each, keys, scopes) for each in item.branches))
        if isinstance(item, Branches)
        else item.replace(body=repeated(item.body, keys, scopes))
        if isinstance(item, Repeat)
        else item
        for item in series
    )
    short, long = (_greedy(found, keys, scopes, shortest) for shortest in (True, False))
    return short if sum(map(cost, short)) < sum(map(cost, long)) else long


def _greedy(found: Series, keys: Keys, scopes: Scopes, shortest: bool) -> Series:
    while True:
        best = _best(found, keys, scopes, shortest)
        if best is None:
            return found
        start, length, count = best
        bodies = [found[start + at * length : start + (at + 1) * length] for at in range(count)]
        body = merged(bodies)
        if not shortest and length > 3:
            body = _greedy(body, keys, scopes, shortest)
        found = (*found[:start], Repeat(body, count), *found[start + length * count :])


def _best(series: Series, keys: Keys, scopes: Scopes, shortest: bool) -> tuple[int, int, int] | None:
    """Start, length and count of the repeat that saves most words, or of the shortest; of equal ones that which cuts
    no module and begins with weights.
    """
    exact = [keys.exact(item) for item in series]
    costs = [0, *itertools.accumulate(map(cost, series))]
    plain = [not named((item,)) for item in series]
    borders = borders_of(series, scopes)
    best: tuple[tuple[int, ...], tuple[int, int, int]] | None = None
    for length in range(1, len(series) // 2 + 1):
        at = 0
        while at + length < len(series) and keys.compared < MOST:
            run = 0
            while at + run + length < len(series) and exact[at + run] == exact[at + run + length] and plain[at + run]:
                run += 1
            if run >= length and all(plain[at : at + run + length]):
                count = run // length + 1
                starts = range(at, at + run + length - length * count + 1)
                keys.compared += len(starts)
                for start in starts:
                    body = costs[start + length] - costs[start]
                    saved = body * (count - 1) - (3 if length > 1 else 1)
                    if saved > 0:
                        first = -length if shortest else saved
                        rank = (first, saved, -borders[start], int(weighs(series[start])), -length, -start)
                        if best is None or rank > best[0]:
                            best = (rank, (start, length, count))
            at += max(1, run)
            keys.compared += 1 + run
    return best[1] if best else None


def weighs(item: Item) -> bool:
    """Whether a reader would begin with an item: with weights or branches, not with what follows a layer."""
    return not isinstance(item, Leaf) or item.token.kind in ("C", "DW", "T", "FC") or item.first >= 0


def borders_of(series: Series, scopes: Scopes) -> list[int]:
    """How deep a module a cut before each item would cut: the common path of the layers on both sides."""
    found = [0]
    for before, after in itertools.pairwise(series):
        one, other = scopes[end(before)], scopes[begin(after)]
        depth = 0
        while depth < min(len(one), len(other)) and one[depth] == other[depth]:
            depth += 1
        found.append(depth)
    return found


def begin(item: Item) -> int:
    """The first layer of an item."""
    if isinstance(item, Leaf):
        return item.layer if item.first < 0 else item.first
    if isinstance(item, Branches):
        begun = [begin(series[0]) for series in item.branches if isinstance(series[0], Leaf | Branches | Repeat)]
        return min(begun, default=item.layer)
    if isinstance(item, Repeat):
        return begin(item.body[0])
    return 0


def end(item: Item) -> int:
    """The last layer of an item."""
    if isinstance(item, Leaf | Branches):
        return item.layer
    if isinstance(item, Repeat):
        return end(item.body[-1])
    return 0
