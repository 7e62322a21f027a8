"""Which entries of two sequences belong together: the shortest edit script, and what to do where it is long."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence

_EFFORT = 2_000_000
"""Comparisons. Two chains of 10,000 layers with a hundred edits need half of it."""

Pairs = list[tuple[int, int]]


def aligned(before: Sequence[Hashable], after: Sequence[Hashable], effort: int = _EFFORT) -> Pairs | None:
    """The places of a longest common subsequence, in order, or None where finding it is too much work.

    Myers' greedy algorithm: linear in the length times the number of edits, so that two versions of one network are
    compared at once however long they are; two networks without anything in common are not worth it.

    Source: Myers 1986, an O(ND) difference algorithm.
    """
    numbers: dict[Hashable, int] = {}
    one = [numbers.setdefault(entry, len(numbers)) for entry in before]
    two = [numbers.setdefault(entry, len(numbers)) for entry in after]
    start = 0
    while start < min(len(one), len(two)) and one[start] == two[start]:
        start += 1
    end = 0
    while end < min(len(one), len(two)) - start and one[-1 - end] == two[-1 - end]:
        end += 1
    middle = _shortest(one[start : len(one) - end], two[start : len(two) - end], effort)
    if middle is None:
        return None
    found = [(at, at) for at in range(start)]
    found += [(start + left, start + right) for left, right in middle]
    found += [(len(one) - at, len(two) - at) for at in range(end, 0, -1)]
    return found


def _shortest(one: Sequence[int], two: Sequence[int], effort: int) -> Pairs | None:
    if not one or not two:
        return []
    # history[d][i] is how far in `one` the best path of d edits has come on the diagonal k = x - y = 2i - d.
    history: list[array[int]] = []
    for edits in range(len(one) + len(two) + 1):
        reached = array("i", bytes(4 * (edits + 1)))
        for at in range(edits + 1):
            x, _ = _step(history, edits, at)
            y = x - (2 * at - edits)
            begun = x
            while x < len(one) and y < len(two) and one[x] == two[y]:
                x += 1
                y += 1
            effort -= 1 + x - begun
            reached[at] = x
            if x >= len(one) and y >= len(two):
                history.append(reached)
                return _back(one, two, history)
        if effort < 0:
            return None
        history.append(reached)
    raise AssertionError("an edit script is never longer than both sequences")


def _step(history: Sequence[array[int]], edits: int, at: int) -> tuple[int, bool]:
    """Where a path on a diagonal begins after one edit more, and whether that edit was an insertion."""
    if not edits:
        return 0, False
    before = history[edits - 1]
    if at == 0 or (at < edits and before[at - 1] < before[at]):
        return before[at], True
    return before[at - 1] + 1, False


def _back(one: Sequence[int], two: Sequence[int], history: Sequence[array[int]]) -> Pairs:
    """The matches on the way back from the end."""
    x, y = len(one), len(two)
    found: Pairs = []
    for edits in range(len(history) - 1, -1, -1):
        begun, inserted = _step(history, edits, (x - y + edits) // 2)
        while x > begun:
            x -= 1
            y -= 1
            found.append((x, y))
        if inserted:
            y -= 1
        else:
            x -= 1
    found.reverse()
    return found
