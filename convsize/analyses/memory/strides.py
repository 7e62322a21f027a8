"""Strides: how tensors lie in memory, by PyTorch's rules."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

Extents = tuple[int, ...]


def row_major(shape: Extents) -> Extents:
    """The strides of a contiguous tensor."""
    strides = []
    step = 1
    for extent in reversed(shape):
        strides.append(step)
        step *= max(extent, 1)
    return tuple(reversed(strides))


def channels_last(shape: Extents) -> Extents:
    """The strides of a batch of volumes whose depth is the innermost axis."""
    batch, depth, *extents = shape
    inner = tuple(step * depth for step in row_major(tuple(extents)))
    return (depth * prod(extents), 1, *inner) if batch else ()


def is_contiguous(shape: Extents, strides: Extents) -> bool:
    """Whether the values lie in memory in order; an axis of one position may have any stride."""
    step = 1
    for extent, stride in zip(reversed(shape), reversed(strides), strict=True):
        if extent != 1:
            if stride != step:
                return False
            step *= extent
    return True


def is_channels_last(shape: Extents, strides: Extents) -> bool:
    """Whether kernels take a batch of planes or volumes as channels last: what PyTorch calls its suggested format.

    The strides alone say it, those of axes of one position among them: a batch of single maps may be either. On one
    axis of space there is no such format.
    """
    if len(shape) < 4:
        return False
    # As c10::is_channels_last_strides_2d: from the depth outwards no stride is below what lies within it.
    step = 0
    for axis in (1, *range(len(shape) - 1, 1, -1), 0):
        if strides[axis] < step or (axis == 0 and step == strides[1]):
            return False
        step = strides[axis] * shape[axis]
    return strides[1] > 0


def fills_channels_last(shape: Extents, strides: Extents) -> bool:
    """Whether the values of a batch of planes or volumes lie in memory in order, the depth innermost."""
    order = (0, *range(2, len(shape)), 1)
    return len(shape) > 3 and is_contiguous(tuple(shape[a] for a in order), tuple(strides[a] for a in order))


def is_dense(shape: Extents, strides: Extents) -> bool:
    """Whether the values fill their block of memory without gaps and overlaps."""
    step = 1
    for stride, extent in sorted((s, e) for s, e in zip(strides, shape, strict=True) if e != 1):
        if stride != step:
            return False
        step *= extent
    return True


def preserved(shape: Extents, strides: Extents) -> Extents:
    """The strides of a clone or of a copy in another type: as they are, or the same order of axes without gaps."""
    return strides if is_dense(shape, strides) else _in_order(shape, [strides])


def elementwise(shape: Extents, operands: Sequence[tuple[Extents, Extents]]) -> Extents:
    """The strides of the result of an element-by-element operator on operands of these shapes and strides.

    As at::TensorIterator has it, where axes that lie in the same order in all operands lie so in the result.
    """
    if all(own == shape for own, _ in operands):
        if all(is_contiguous(*each) for each in operands):
            return row_major(shape)
        if len(shape) == 4 and all(fills_channels_last(*each) for each in operands):
            return channels_last(shape)
        first = operands[0][1]
        if all(is_dense(*each) and each[1] == first for each in operands):
            return first
    return _in_order(shape, [_repeated(shape, *each) for each in operands])


def broadcast(*shapes: Extents) -> Extents:
    """The shape of a result: axes are counted from the last one, and those of one position repeated."""
    rank = max(map(len, shapes))
    return tuple(map(max, *((1,) * (rank - len(each)) + each for each in (*shapes, (1,) * rank))))


def _repeated(shape: Extents, own: Extents, strides: Extents) -> Extents:
    """The strides of an operand in the shape of the result: none along the axes that it is repeated along."""
    missing = len(shape) - len(own)
    axes = zip(own, strides, shape[missing:], strict=True)
    return (*(0,) * missing, *(0 if extent == 1 != wanted else step for extent, step, wanted in axes))


def _in_order(shape: Extents, operands: Sequence[Extents]) -> Extents:
    """Strides without gaps, the axes in the order that the first operand to tell two of them apart has them in."""

    def after(axis: int, other: int) -> int:
        for strides in operands:
            if not strides[axis] or not strides[other]:
                continue
            if strides[axis] != strides[other]:
                return strides[axis] - strides[other]
            if shape[axis] > shape[other]:
                return 1
        return 0

    order = list(reversed(range(len(shape))))
    for place in range(1, len(order)):
        own = place
        for before in reversed(range(place)):
            compared = after(order[before], order[own])
            if compared > 0:
                order[before], order[own] = order[own], order[before]
                own = before
            elif compared < 0:
                break
    found = [0] * len(shape)
    step = 1
    for axis in order:
        found[axis] = step
        step *= shape[axis]
    return tuple(found)


def viewed(shape: Extents, strides: Extents, wanted: Extents) -> Extents | None:
    """The strides under which a tensor can be seen in another shape, or None where that takes a copy."""
    # As at::detail::computeStride: axes that lie in memory as one are split anew.
    found = [0] * len(wanted)
    place = len(wanted) - 1
    step = strides[-1] if strides else 1
    block = seen = 1
    for axis in range(len(shape) - 1, -1, -1):
        block *= shape[axis]
        if axis == 0 or (shape[axis - 1] != 1 and strides[axis - 1] != block * step):
            while place >= 0 and (seen < block or wanted[place] == 1):
                found[place] = seen * step
                seen *= wanted[place]
                place -= 1
            if seen != block:
                return None
            if axis > 0:
                step = strides[axis - 1]
                block = seen = 1
    return None if place != -1 else tuple(found)
