"""Sets of positions along an axis, and which inputs a window reads to produce a set of outputs.

A set is a few half-open ranges, which is what dense networks need: a range costs the same however long it is. Sets with
holes at every other pixel (a 1x1 convolution with stride 2) become a byte per position, handled by slices and whole
integers at the speed of C. A budget bounds the bytes that are touched.
"""

from __future__ import annotations

from itertools import pairwise

from convsize.geometry import AxisReads, AxisWindow, Fill

Ranges = tuple[tuple[int, int], ...]
Positions = Ranges | bytes

_MOST_RANGES = 32
SHOWN_RANGES = 100


class BudgetError(Exception):
    """The sets have so many holes over so many pixels that following them would take too long."""


class Budget:
    """The bytes that may still be touched."""

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, count: int) -> None:
        """Raises BudgetError where nothing is left."""
        self.left -= count
        if self.left < 0:
            raise BudgetError


def everything(extent: int) -> Ranges:
    """All positions of an axis."""
    return ((0, extent),) if extent > 0 else ()


def merged(ranges: list[tuple[int, int]], extent: int) -> Ranges:
    """Ranges in order, those that touch made one, clipped to the axis."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        start, stop = max(start, 0), min(stop, extent)
        if start >= stop:
            continue
        if found and start <= found[-1][1]:
            if stop > found[-1][1]:
                found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    return tuple(found)


def _bytes(positions: Positions, extent: int) -> bytes:
    if isinstance(positions, bytes):
        return positions
    mask = bytearray(extent)
    for start, stop in positions:
        mask[start:stop] = b"\1" * (stop - start)
    return bytes(mask)


def _compact(mask: bytes) -> Positions:
    """The mask as ranges where few say it."""
    count = mask.count(b"\0\1") + mask.startswith(b"\1")
    return tuple(_runs(mask, 1, _MOST_RANGES)) if count <= _MOST_RANGES else mask


def _runs(mask: bytes, value: int, most: int) -> list[tuple[int, int]]:
    """The first `most` runs of a value."""
    wanted, other = bytes([value]), bytes([1 - value])
    found: list[tuple[int, int]] = []
    start = mask.find(wanted)
    while start >= 0 and len(found) < most:
        stop = mask.find(other, start)
        stop = len(mask) if stop < 0 else stop
        found.append((start, stop))
        start = mask.find(wanted, stop)
    return found


def union(first: Positions, second: Positions, extent: int, budget: Budget) -> Positions:
    """The positions in either."""
    if first is second or first == second:
        return first
    if not isinstance(first, bytes) and not isinstance(second, bytes):
        together = merged([*first, *second], extent)
        if len(together) <= _MOST_RANGES:
            return together
    budget.spend(6 * extent)
    whole = int.from_bytes(_bytes(first, extent), "little") | int.from_bytes(_bytes(second, extent), "little")
    return _compact(whole.to_bytes(extent, "little"))


def missing(positions: Positions, extent: int) -> tuple[int, Ranges]:
    """How many positions of the axis are not in the set, and the first ranges of them (at most SHOWN_RANGES)."""
    if isinstance(positions, bytes):
        return positions.count(0), tuple(_runs(positions, 0, SHOWN_RANGES))
    gaps = []
    end = 0
    for start, stop in positions:
        if start > end:
            gaps.append((end, start))
        end = stop
    if end < extent:
        gaps.append((end, extent))
    return sum(stop - start for start, stop in gaps), tuple(gaps)


def read(outputs: Positions, count: int, window: AxisWindow | AxisReads, extent: int, budget: Budget) -> Positions:
    """The positions of an axis of `extent` that are read to produce a set of the `count` outputs of a window."""
    if isinstance(window, AxisReads):
        return _uneven(outputs, count, window, extent, budget)
    before, after = max(window.before, 0), max(window.after, 0)
    if window.fill != "zeros" and (before or after):
        plain = window.replace(before=window.before - before, after=window.after - after, fill="zeros")
        padded = read(outputs, count, plain, extent + before + after, budget)
        return folded(padded, extent, before, after, window.fill, budget)
    if not isinstance(outputs, bytes):
        ranges = _transposed_ranges(outputs, window) if window.transposed else _ranges(outputs, window)
        if ranges is not None:
            together = merged(ranges, extent)
            if len(together) <= _MOST_RANGES:
                return together
    if window.transposed:
        return _transposed_mask(_bytes(outputs, count), window, extent, budget)
    return _mask(outputs, count, window, extent, budget)


def _uneven(outputs: Positions, count: int, reads: AxisReads, extent: int, budget: Budget) -> Positions:
    """What is read by windows that are uneven: without gaps between neighbours all that lies between two ends."""
    period = reads.period
    budget.spend(8 * period)
    ends = [reads.of(output) for output in range(period + 1)]
    if not isinstance(outputs, bytes) and all(after[0] <= one[1] + 1 for one, after in pairwise(ends)):
        return merged([(reads.of(start)[0], reads.of(stop - 1)[1] + 1) for start, stop in outputs], extent)
    budget.spend(16 * count + extent)
    mask = bytearray(extent)
    for output, wanted in enumerate(_bytes(outputs, count)):
        if wanted:
            first, last = reads.of(output)
            first, last = max(first, 0), min(last, extent - 1)
            mask[first : last + 1] = b"\1" * (last - first + 1)
    return _compact(bytes(mask))


def folded(padded: Positions, extent: int, before: int, after: int, fill: Fill, budget: Budget) -> Positions:
    """The positions of an axis that positions of the padded axis read: those in the padding read some of the axis."""
    size = extent + before + after
    budget.spend(2 * size)
    mask = _bytes(padded, size)
    inner = bytearray(mask[before : before + extent])
    first, last = mask[:before], mask[before + extent :]
    if fill == "replicate":
        places = [(0, bytes([max(first, default=0)])), (extent - 1, bytes([max(last, default=0)]))]
    elif fill == "reflect":
        places = [(1, first[::-1]), (extent - 1 - after, last[::-1])]
    else:
        places = [(extent - before, first), (0, last)]
    for start, taken in places:
        for place, value in enumerate(taken, start):
            inner[place] |= value
    return _compact(bytes(inner))


def _ranges(outputs: Ranges, window: AxisWindow) -> list[tuple[int, int]] | None:
    """The ranges o·s - before + d·t, or None where they are many."""
    found = []
    kernel, stride = window.kernel, window.stride
    dilation = window.dilation if kernel > 1 else 1
    for start, stop in outputs:
        count = stop - start
        first, last = start * stride - window.before, (stop - 1) * stride - window.before
        # Windows that touch leave no holes; nor do dilated ones that are shifted by one pixel often enough.
        dense = stride <= kernel if dilation == 1 else stride == 1 and count >= dilation
        if dense or (count == 1 and dilation == 1):
            found.append((first, last + window.reach))
        elif dilation == 1 and count + len(found) <= _MOST_RANGES:
            found.extend((base, base + kernel) for base in range(first, last + 1, stride))
        elif (stride == 1 or count == 1) and kernel + len(found) <= _MOST_RANGES:
            found.extend((first + dilation * tap, last + dilation * tap + 1) for tap in range(kernel))
        else:
            return None
    return found


def _transposed_ranges(outputs: Ranges, window: AxisWindow) -> list[tuple[int, int]] | None:
    """The ranges of i for which some o = i·s - before + d·t is in the set, or None where holes may hide between."""
    found = []
    for start, stop in outputs:
        # Taps d apart cannot step over a range that is d long.
        if stop - start < window.dilation and window.kernel > 1:
            return None
        lowest = -(-(start + window.before - window.reach + 1) // window.stride)
        found.append((lowest, (stop - 1 + window.before) // window.stride + 1))
    return found


def _smeared(bits: int, step: int, taps: int) -> int:
    """The bytes of an integer or-ed with themselves moved up by step, 2·step, … (taps - 1)·step, by doubling."""
    have = 1
    while have < taps:
        more = min(have, taps - have)
        bits |= bits << (8 * step * more) if step > 0 else bits >> (8 * -step * more)
        have += more
    return bits


def _mask(outputs: Positions, count: int, window: AxisWindow, extent: int, budget: Budget) -> Positions:
    span = (count - 1) * window.stride + window.reach
    budget.spend(count + span * (4 + 2 * window.kernel.bit_length()) + extent)
    spread = bytearray((count - 1) * window.stride + 1)
    spread[:: window.stride] = _bytes(outputs, count)
    bits = _smeared(int.from_bytes(spread, "little"), window.dilation, window.kernel)
    positions = bits.to_bytes(span, "little")
    # Position p of the span is pixel p - before.
    before = window.before
    clipped = positions[before : before + extent] if before >= 0 else bytes(-before) + positions[: extent + before]
    return _compact(clipped.ljust(extent, b"\0")[:extent])


def _transposed_mask(outputs: bytes, window: AxisWindow, extent: int, budget: Budget) -> Positions:
    span = (extent - 1) * window.stride + 1
    size = len(outputs) + max(window.before, 0)
    budget.spend(size * (4 + 2 * window.kernel.bit_length()) + span + extent)
    # Byte p is output p - before; input i reads the bytes i·s + d·t.
    bits = int.from_bytes(outputs, "little")
    bits = bits << (8 * window.before) if window.before >= 0 else bits >> (8 * -window.before)
    bits = _smeared(bits, -window.dilation, window.kernel)
    mask = bits.to_bytes((bits.bit_length() + 7) // 8, "little")[:span].ljust(span, b"\0")
    return _compact(mask[:: window.stride])
