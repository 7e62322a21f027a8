"""Axes: which axes of a volume the axes of a tensor are, whatever views have made of them.

A tensor of PyTorch is a *view* of a volume: each of its axes holds factors of the volume's axes, the outermost first.
`view`, `permute`, `flatten` and their like only regroup factors, so that they are followed and never guessed from
shapes. A factor (axis, stride, size) is `position // stride % size` of positions along one axis of the volume.
"""

from __future__ import annotations

import math

from convsize.record import Record

__all__ = ["BATCH_AXIS", "Axes", "Factor", "UnsayableError", "flat", "merged", "regrouped", "size", "standard"]

BATCH_AXIS = -1
"""The axis of samples; 0 is the depth, 1 and on are positions."""

EXPANDED = -2
"""An axis that `expand` made longer: all its positions hold the same values."""


class UnsayableError(Exception):
    """What a spec cannot say, in a few words."""


class Factor(Record):
    """Part of an axis of a volume."""

    axis: int
    stride: int
    size: int


Axes = tuple[tuple[Factor, ...], ...]
"""The factors of every axis of a tensor; an axis of length 1 holds none."""


def standard(batch: int, volume: tuple[int, ...]) -> Axes:
    """The axes of a volume as it is computed: samples, depth, positions."""
    return (
        (Factor(BATCH_AXIS, 1, batch),),
        *((Factor(at, 1, length),) if length > 1 else () for at, length in enumerate(volume)),
    )


def size(axis: tuple[Factor, ...]) -> int:
    """The length of an axis."""
    return math.prod(each.size for each in axis)


def flat(axes: Axes) -> tuple[Factor, ...]:
    """The factors of all axes in their order."""
    return tuple(each for axis in axes for each in axis)


def merged(factors: tuple[Factor, ...]) -> tuple[Factor, ...]:
    """The same positions with as few factors as there can be."""
    found: list[Factor] = []
    for each in factors:
        if each.size == 1:
            continue
        if (
            found
            and found[-1].axis == each.axis
            and each.axis != EXPANDED
            and found[-1].stride == each.stride * each.size
        ):
            found[-1] = Factor(each.axis, each.stride, found[-1].size * each.size)
        else:
            found.append(each)
    return tuple(found)


def regrouped(axes: Axes, shape: tuple[int, ...]) -> Axes:
    """The axes after a `view` to a shape. Raises UnsayableError where a factor would have to be cut unevenly."""
    left = list(reversed(flat(axes)))
    found = []
    for length in shape:
        axis: list[Factor] = []
        open_ = length
        while open_ > 1:
            if not left:
                raise UnsayableError("a view to another number of values")
            each = left.pop()
            if open_ % each.size == 0:
                axis.append(each)
                open_ //= each.size
            elif each.size % open_ == 0:
                rest = each.size // open_
                axis.append(Factor(each.axis, each.stride * rest, open_))
                left.append(Factor(each.axis, each.stride, rest))
                open_ = 1
            else:
                raise UnsayableError(f"a view that cuts an axis of {each.size} into pieces of {open_}")
        found.append(merged(tuple(axis)))
    if left:
        raise UnsayableError("a view to another number of values")
    return tuple(found)
