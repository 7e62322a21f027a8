"""Calls that hold no weights: pointwise functions, arithmetic, views and reductions."""

from __future__ import annotations

import math
from typing import Any

from convsize.importing.aten.windows import shown
from convsize.importing.writer import CallError, Wire, Writer

__all__ = [
    "arithmetic",
    "broadcast",
    "concatenated",
    "flattened",
    "permuted",
    "pointwise",
    "reduced",
    "sliced",
    "viewed",
]


def pointwise(writer: Writer, op: str, x: Wire, **arguments: Any) -> Wire:
    """A function of every value by itself, or of an axis that keeps its length."""
    first = "input" if op in ("dropout", "alpha_dropout", "feature_dropout") else "self"
    return writer.call(op, x.shape, {first: x, **arguments})


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of arithmetic. Raises CallError where the axes do not go together."""
    rank = max(map(len, shapes))
    found = []
    for column in zip(*((1,) * (rank - len(each)) + each for each in shapes), strict=True):
        longest = max(column)
        if any(length not in (1, longest) for length in column):
            raise CallError(f"{' and '.join('x'.join(map(str, each)) for each in shapes)} do not go together")
        found.append(longest)
    return tuple(found)


def arithmetic(writer: Writer, op: str, x: Wire, other: Wire | float) -> Wire:
    """add, sub, mul, div of a value and another, or a number."""
    shape = broadcast(x.shape, other.shape) if isinstance(other, Wire) else x.shape
    return writer.call(op, shape, {"self": x, "other": other})


def concatenated(writer: Writer, values: list[Wire], axis: int) -> Wire:
    """Values one after the other along an axis."""
    first = values[0].shape
    axis = _axis(axis, len(first))
    for each in values[1:]:
        if len(each.shape) != len(first) or (*each.shape[:axis], *each.shape[axis + 1 :]) != (
            *first[:axis],
            *first[axis + 1 :],
        ):
            raise CallError(
                f"{shown(values[0])} and {shown(each)} differ in more than the axis that they are joined along"
            )
    shape = (*first[:axis], sum(each.shape[axis] for each in values), *first[axis + 1 :])
    return writer.call("cat", shape, {"tensors": tuple(values), "dim": axis})


def flattened(writer: Writer, x: Wire, start: int = 1, end: int = -1) -> Wire:
    """Axes `start` to `end` as one."""
    start, end = _axis(start, len(x.shape)), _axis(end, len(x.shape))
    if end < start:
        raise CallError(f"axes {start} to {end} of {shown(x)}: the first stands after the last")
    shape = (*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :])
    return writer.call("flatten", shape, {"self": x, "start_dim": start, "end_dim": end})


def viewed(writer: Writer, x: Wire, shape: tuple[int, ...]) -> Wire:
    """The same values in their order, in other axes; one -1 is as long as it must be."""
    if shape.count(-1) == 1:
        rest = -math.prod(shape)
        if rest < 1 or math.prod(x.shape) % rest:
            raise CallError(f"{shown(x)} cannot be seen as {shape}")
        shape = tuple(math.prod(x.shape) // rest if each == -1 else each for each in shape)
    if any(each < 1 for each in shape) or math.prod(shape) != math.prod(x.shape):
        raise CallError(f"{shown(x)} cannot be seen as {shape}: the number of values differs")
    return writer.call("reshape", shape, {"self": x, "shape": shape}) if shape != x.shape else x


def permuted(writer: Writer, x: Wire, order: tuple[int, ...]) -> Wire:
    """The axes in another order."""
    if sorted(order) != list(range(len(x.shape))):
        raise CallError(f"{order} is no order of the axes of {shown(x)}")
    if order == tuple(range(len(order))):
        return x
    return writer.call("permute", tuple(x.shape[at] for at in order), {"self": x, "dims": order})


def reduced(writer: Writer, op: str, x: Wire, axes: tuple[int, ...], keep: bool) -> Wire:
    """mean, sum, amax or amin over axes."""
    axes = tuple(sorted({_axis(each, len(x.shape)) for each in axes}))
    shape = tuple(1 if at in axes else n for at, n in enumerate(x.shape) if keep or at not in axes)
    return writer.call(op, shape, {"self": x, "dim": axes, "keepdim": keep})


def sliced(writer: Writer, x: Wire, axis: int, start: int, end: int, step: int = 1) -> Wire:
    """Positions `start` to before `end` of an axis, every `step`-th."""
    axis = _axis(axis, len(x.shape))
    length = x.shape[axis]
    if step < 1:
        raise CallError("a slice from the end to the start")
    start, end = (max(0, min(length, each + length if each < 0 else each)) for each in (start, end))
    count = max(0, -(-(end - start) // step))
    if count == length:
        return x
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    return writer.call("slice", shape, {"self": x, "dim": axis, "start": start, "end": end, "step": step})


def _axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise CallError(f"there is no axis {axis} of {rank}")
    return axis % rank
