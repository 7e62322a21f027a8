"""Strides: how tensors lie in memory, by PyTorch's rules."""

from __future__ import annotations

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


def is_dense(shape: Extents, strides: Extents) -> bool:
    """Whether the values fill their block of memory without gaps and overlaps."""
    step = 1
    for stride, extent in sorted((s, e) for s, e in zip(strides, shape, strict=True) if e != 1):
        if stride != step:
            return False
        step *= extent
    return True


def dense_strides(shape: Extents, strides: Extents) -> Extents:
    """The strides of an element-by-element result: the same order of axes, without gaps."""
    if is_dense(shape, strides):
        return strides
    order = sorted(range(len(shape)), key=lambda axis: (strides[axis], -axis))
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
