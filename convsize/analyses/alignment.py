"""Which entries of two sequences belong together: the shortest edit script, and what to do where it is long."""

from __future__ import annotations

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
    # furthest[k] is how far the best path on the diagonal k = x - y has come in `one`.
    furthest = {1: 0}
    history: list[dict[int, int]] = []
    for edits in range(len(one) + len(two) + 1):
        reached: dict[int, int] = {}
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and furthest.get(k - 1, -1) < furthest.get(k + 1, -1))
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            y = x - k
            begun = x
            while x < len(one) and y < len(two) and one[x] == two[y]:
                x += 1
                y += 1
            effort -= 1 + x - begun
            reached[k] = x
            if x >= len(one) and y >= len(two):
                history.append(reached)
                return _back(one, two, history)
        if effort < 0:
            return None
        history.append(reached)
        furthest = reached
    raise AssertionError("an edit script is never longer than both sequences")


def _back(one: Sequence[int], two: Sequence[int], history: list[dict[int, int]]) -> Pairs:
    """The matches on the way back from the end."""
    x, y = len(one), len(two)
    found: Pairs = []
    for edits in range(len(history) - 1, -1, -1):
        k = x - y
        if edits:
            before = history[edits - 1]
            down = k == -edits or (k != edits and before.get(k - 1, -1) < before.get(k + 1, -1))
            from_k = k + 1 if down else k - 1
            from_x = before[from_k]
            from_y = from_x - from_k
            landed = from_x if down else from_x + 1
        else:
            from_x = from_y = landed = 0
        while x > landed:
            x -= 1
            y -= 1
            found.append((x, y))
        x, y = from_x, from_y
    found.reverse()
    return found
