"""Lost pixels: what a layer's windows skip, and which rows and columns of an input no output ever reads."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.analyses.facts import Facts
from convsize.analyses.pixels.positions import (
    Budget,
    BudgetError,
    Positions,
    everything,
    folded,
    missing,
    read,
    union,
)
from convsize.geometry import AxisReads, AxisWindow, Shape, Window, output_extent
from convsize.graph.network import Network
from convsize.record import Record
from convsize.records import Lost, UnreadPixels

_BYTES = 150_000_000
"""What may be touched in all: a quarter of a second at most. Networks of usual extents need a thousandth of it."""


class LostPixels(Record):
    """For every layer, by node index, what its own windows skip; where `complete` is False some are missing."""

    layers: list[tuple[Lost, ...]]
    complete: bool


def lost_pixels(network: Network, facts: Sequence[Facts]) -> LostPixels:
    """The pixels of each layer's input that none of its windows reads, axis by axis."""
    budget = Budget(_BYTES)
    complete = True
    known: dict[tuple[int, tuple[int, ...]], tuple[Lost, ...]] = {}
    axes: dict[tuple[AxisWindow | AxisReads, int, int], _Skipped | None] = {}
    layers: list[tuple[Lost, ...]] = []
    for node, fact in zip(network.nodes, facts, strict=True):
        windows = fact.window.by_axis
        if not windows:
            layers.append(())
            continue
        key = (id(fact), node.output.spatial)
        found = known.get(key)
        if found is None:
            lost = []
            for axis, (window, extent, count) in enumerate(
                zip(windows, fact.inputs[0].spatial, node.output.spatial, strict=True)
            ):
                place = (window, extent, count)
                if place not in axes:
                    try:
                        axes[place] = _skipped(window, extent, count, budget)
                    except BudgetError:
                        complete = False
                        axes[place] = None
                skipped = axes[place]
                if skipped is not None and skipped.pixels:
                    lost.append(Lost(axis, skipped.pixels, skipped.first, skipped.padding, skipped.trailing))
            found = known[key] = tuple(lost)
        layers.append(found)
    return LostPixels(layers, complete)


class _Skipped(Record):
    pixels: int
    first: int
    padding: int
    trailing: bool


def _skipped(window: AxisWindow | AxisReads, extent: int, count: int, budget: Budget) -> _Skipped:
    """What `count` windows skip of an axis of `extent` pixels and of the padding around it."""
    if isinstance(window, AxisReads) or window.transposed:
        before, padded = 0, extent
        positions = read(everything(count), count, window, extent, budget)
    else:
        # The padding is looked at like pixels; a crop (negative padding) is no padding, it skips pixels.
        before = max(window.before, 0)
        padded = extent + before + max(window.after, 0)
        plain = window.replace(before=window.before - before, fill="zeros")
        positions = read(everything(count), count, plain, padded, budget)
        if window.fill != "zeros" and padded > extent:
            # A pixel that is read in the padding alone is read all the same.
            inside = folded(positions, extent, before, padded - extent - before, window.fill, budget)
            return _gaps(inside, 0, extent, extent).replace(padding=_gaps(positions, before, extent, padded).padding)
    return _gaps(positions, before, extent, padded)


def _gaps(positions: Positions, before: int, extent: int, padded: int) -> _Skipped:
    """What a set leaves out of `extent` pixels behind `before` of padding, on an axis of `padded` in all."""
    if isinstance(positions, bytes):
        pixels = positions.count(0, before, before + extent)
        first = positions.find(0, before, before + extent) - before
        last_read = positions.rfind(1) - before
        padding = positions.count(0) - pixels
    else:
        dropped, gaps = missing(positions, padded)
        inside = [(max(start, before), min(stop, before + extent)) for start, stop in gaps]
        inside = [(start, stop) for start, stop in inside if start < stop]
        pixels = sum(stop - start for start, stop in inside)
        first = inside[0][0] - before if inside else 0
        last_read = positions[-1][1] - 1 - before if positions else -1
        padding = dropped - pixels
    return _Skipped(pixels, first, padding, first > last_read)


class Unread(Record):
    """The rows and columns of the inputs that no output reads; None where following them would take too long."""

    rows: tuple[UnreadPixels, ...] | None


def unread_pixels(network: Network, facts: Sequence[Facts]) -> Unread:
    """Goes from the outputs back to the inputs, and unites what the users of a value read of it.

    Rows and columns are followed each for themselves: a row counts as read where any of its pixels is.
    """
    nodes = network.nodes
    budget = Budget(_BYTES)
    needed: list[tuple[Positions, ...] | None] = [None] * len(nodes)
    memo: dict[tuple[Positions, int, AxisWindow | AxisReads, int], Positions] = {}
    for index in network.outputs.values():
        needed[index] = tuple([everything(extent) for extent in nodes[index].output.spatial])
    try:
        for node in reversed(nodes):
            sets = needed[node.index]
            if sets is None or not node.inputs:
                continue
            needed[node.index] = None
            fact = facts[node.index]
            for place, index in enumerate(node.inputs):
                before = fact.inputs[place]
                window = fact.window if len(node.inputs) == 1 else node.op.window_of(place, *fact.inputs)
                wanted = _behind(sets, window, before, node.output, budget, memo)
                if wanted is None:
                    continue
                other = needed[index]
                needed[index] = (
                    wanted
                    if other is None or other == wanted
                    else tuple([union(a, b, e, budget) for a, b, e in zip(other, wanted, before.spatial, strict=True)])
                )
    except BudgetError:
        return Unread(None)
    found = []
    for name, index in network.inputs.items():
        sets = needed[index]
        for axis, extent in enumerate(nodes[index].output.spatial):
            pixels, ranges = (extent, everything(extent)) if sets is None else missing(sets[axis], extent)
            if pixels:
                found.append(UnreadPixels(name, axis, pixels, ranges))
    return Unread(tuple(found))


def _behind(
    sets: tuple[Positions, ...],
    window: Window,
    before: Shape,
    after: Shape,
    budget: Budget,
    memo: dict[tuple[Positions, int, AxisWindow | AxisReads, int], Positions],
) -> tuple[Positions, ...] | None:
    """What a layer reads of one of its inputs to produce `sets` of its output; None where that is nothing."""
    if window.kind == "pointwise" and before.spatial == after.spatial:
        return sets
    if window.kind == "blocks":
        # Of a block that is read at all, every position is.
        counts = tuple([output_extent(old, axis) for old, axis in zip(before.spatial, window.axes, strict=True)])
        whole = Shape(before.channels, counts)
        up = Window("axes", tuple([axis.replace(transposed=True) for axis in window.axes]))
        blocks = _behind(sets, up, whole, after, budget, memo)
        return None if blocks is None else _behind(blocks, Window("axes", window.axes), before, whole, budget, memo)
    if window.kind == "everything" or before.rank != after.rank:
        return tuple([everything(extent) for extent in before.spatial])
    if window.kind == "pointwise":
        return tuple(
            [
                wanted if old == new else everything(old)
                for wanted, old, new in zip(sets, before.spatial, after.spatial, strict=True)
            ]
        )
    found = []
    for wanted, axis, extent, count in zip(sets, window.by_axis, before.spatial, after.spatial, strict=True):
        if isinstance(wanted, bytes):
            positions = read(wanted, count, axis, extent, budget)
        else:
            key = (wanted, count, axis, extent)
            known = memo.get(key)
            positions = memo[key] = read(wanted, count, axis, extent, budget) if known is None else known
        if not positions:
            return None
        found.append(positions)
    return tuple(found)
