"""How the values of two branches of a sum or a gate meet."""

from __future__ import annotations

from convsize.geometry import Shape


def met(first: Shape, second: Shape) -> Shape | None:
    """The volume of two branches that meet value by value; None where they do not.

    On every axis they have the same extent, or one of them has 1, whose values meet all of the other. A vector meets a
    volume as one that is 1 in space.
    """
    if not first.rank or not second.rank:
        larger = first if first.rank else second
        if first.channels == second.channels or 1 in (first.channels, second.channels):
            return Shape(max(first.channels, second.channels), larger.spatial)
    elif first.rank == second.rank:
        pairs = tuple(zip(first.dims, second.dims, strict=True))
        if all(a == b or 1 in (a, b) for a, b in pairs):
            return Shape(max(pairs[0]), tuple(map(max, pairs[1:])))
    return None
