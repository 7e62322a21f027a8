"""Views: other axes of the same values, and parts of them."""

from __future__ import annotations

from convsize.importing.axes import (
    BATCH_AXIS,
    EXPANDED,
    Axes,
    Factor,
    UnsayableError,
    flat,
    merged,
    regrouped,
    size,
    standard,
)
from convsize.importing.calls import BATCH
from convsize.importing.reader import Asked, Handler
from convsize.importing.values import Added, Constant, Meaning, Scores, Standard, Value, Weight

__all__ = ["HANDLERS", "narrowed"]


def _shaped(asked: Asked) -> Meaning:
    """Any view that keeps the order of values: the shape that the call gave says which."""
    found = asked.meaning("self")
    if isinstance(found, Constant):
        return found.replace(shape=asked.shape)
    if isinstance(found, Standard | Scores | Added):
        return found
    if isinstance(found, Value):
        whole = standard(BATCH, asked.reader.layers[found.layer].volume)
        sure = merged(flat(found.axes)) == merged(flat(whole)) or asked.call.op in ("view", "unsqueeze", "squeeze")
        return found.replace(axes=regrouped(found.axes, asked.shape), alias=found.alias and sure)
    if isinstance(found, Weight):
        return found.replace(axes=regrouped(found.axes, asked.shape))
    raise UnsayableError("a view of nothing")


def _ordered(asked: Asked) -> Meaning:
    """permute, transpose, movedim: axes in another order."""
    found = asked.meaning("self")
    rank = len(asked.shape)
    if asked.call.op == "permute":
        order = [each % rank for each in asked.number("dims")]
    elif asked.call.op == "movedim":
        source, target = asked.number("source"), asked.number("destination")
        source, target = (
            source if isinstance(source, tuple) else (source,),
            target if isinstance(target, tuple) else (target,),
        )
        places = {to % rank: of % rank for of, to in zip(source, target, strict=True)}
        left = iter(each for each in range(rank) if each not in places.values())
        order = [places[at] if at in places else next(left) for at in range(rank)]
    else:
        names = ("axis0", "axis1") if asked.call.op == "swapaxes" else ("dim0", "dim1")
        one, other = (
            (0, 1) if asked.call.op in ("t", "numpy_T", "mT") else (asked.number(names[0]), asked.number(names[1]))
        )
        order = list(range(rank))
        if asked.call.op == "mT":
            one, other = -2, -1
        if rank:
            order[one % rank], order[other % rank] = order[other % rank], order[one % rank]
    if isinstance(found, Constant):
        return Constant(asked.shape, found.data if sum(each > 1 for each in found.shape) <= 1 else None)
    if isinstance(found, Value | Weight):
        return found.replace(axes=tuple(found.axes[each] for each in order))
    if isinstance(found, Added):
        return found
    raise UnsayableError("a view of nothing")


def _expanded(asked: Asked) -> Meaning:
    found = asked.meaning("self")
    if isinstance(found, Constant):
        return Constant(asked.shape, found.data if found.shape == asked.shape else None)
    if not isinstance(found, Value | Weight):
        raise UnsayableError("a view of nothing")
    lead = len(asked.shape) - len(found.axes)
    axes: Axes = ((),) * lead + found.axes
    grown = tuple(
        axis if size(axis) == length else (Factor(EXPANDED, 1, length),)
        for axis, length in zip(axes, asked.shape, strict=True)
    )
    return found.replace(axes=grown)


def narrowed(asked: Asked, value: Value, dim: int, start: int, count: int, step: int = 1) -> Value:
    """Positions `start`, `start + step`, … of an axis, `count` of them."""
    axis = merged(value.axes[dim])
    if start == 0 and step == 1 and count == size(axis):
        return value
    if len(axis) != 1:
        value = Value(layer := asked.reader.volume(value), standard(BATCH, asked.reader.layers[layer].volume))
        axis = merged(value.axes[dim])
        if len(axis) != 1:
            raise UnsayableError("a part of an axis that holds several")
    (factor,) = axis
    volume = asked.reader.layers[value.layer].volume
    if factor.axis == BATCH_AXIS:
        raise UnsayableError("some of the samples")
    if factor.axis == EXPANDED:
        return value.replace(
            axes=(*value.axes[:dim], (Factor(EXPANDED, 1, count),) if count > 1 else (), *value.axes[dim + 1 :])
        )
    if factor.axis > 0:
        return _positions(asked, value, dim, factor, start, count, step)
    inner = factor.stride
    if inner * factor.size == volume[0] and step == 1:
        low, high = start * inner, (start + count) * inner
        shape = (high - low, *volume[1:])
        made = asked.reader.add("slice", (value.layer,), shape, shares=(low, high), start=low, end=high)
    elif inner == 1 and (step == 1 or factor.size == volume[0]):
        every = factor.size if step == 1 else step
        picked = range(start, start + count) if step == 1 else (start,)
        groups = volume[0] // factor.size if step == 1 else count
        shape = (groups * len(picked), *volume[1:])
        if len(picked) > 8 or (step > 1 and start >= step):
            raise UnsayableError(f"maps {start} to {start + count} of every {factor.size}")
        if step > 1 and len(range(start, volume[0], step)) != count:
            raise UnsayableError("every n-th map, up to a certain one")
        made = asked.reader.add("pick", (value.layer,), shape, maps=tuple(picked), step=every)
    else:
        raise UnsayableError(f"maps of the middle of groups: {count} of {factor.size}, {inner} apart")
    axes = tuple(
        merged(tuple(_cut(each, factor, count) for each in each_axis))
        if at != dim
        else merged((_cut(factor, factor, count),))
        for at, each_axis in enumerate(value.axes)
    )
    return Value(made.layer, axes, value.rolled)


def _cut(each: Factor, factor: Factor, count: int) -> Factor:
    """A factor of the depth after another has become shorter."""
    if each == factor:
        return Factor(0, each.stride, count)
    if each.axis == 0 and each.stride > factor.stride:
        return Factor(0, each.stride // factor.size * count, each.size)
    return each


def _positions(asked: Asked, value: Value, dim: int, factor: Factor, start: int, count: int, step: int) -> Value:
    volume = asked.reader.layers[value.layer].volume
    if factor.stride != 1 or factor.size != volume[factor.axis] or value.rolled:
        raise UnsayableError("a part of the positions of an axis that was cut into windows")
    length = volume[factor.axis]
    at = factor.axis
    layer = value.layer
    after = length - (start + (count - 1) * step + 1)
    if step > 1:
        after = max(0, length - (start + count * step)) if length - start > count * step else 0
    shape = list(volume)
    if len(volume) == 2 and start == 0 and step == 1:
        shape[at] = count
        layer = asked.reader.add("front", (layer,), tuple(shape), count=count).layer
    else:
        if start or after:
            shape[at] = length - start - after
            pads = tuple((-start, -after) if each == at else (0, 0) for each in range(1, len(volume)))
            layer = asked.reader.add("pad", (layer,), tuple(shape), pads=pads, value=0.0, mode="constant").layer
        if step > 1:
            shape[at] = count
            ones = tuple(1 for _ in volume[1:])
            steps = tuple(step if each == at else 1 for each in range(1, len(volume)))
            none = tuple((0, 0) for _ in ones)
            layer = asked.reader.add(
                "M", (layer,), tuple(shape), size=ones, stride=steps, padding=none, dilation=ones, rounding="floor"
            ).layer
    new = standard(BATCH, tuple(shape))[at + 1]
    return Value(layer, (*value.axes[:dim], new, *value.axes[dim + 1 :]))


def _slice(asked: Asked) -> Meaning:
    found = asked.meaning("self")
    dim = asked.number("dim", 0) % len(asked.shape)
    step = asked.number("step", 1)
    count = asked.shape[dim]
    if isinstance(found, Constant):
        return found if found.shape == asked.shape else Constant(asked.shape)
    if isinstance(found, Weight) and size(found.axes[dim]) == count:
        return found
    value = asked.value("self")
    length = size(value.axes[dim])
    start = asked.number("start", 0)
    start = max(0, start + length) if start < 0 else min(start, length)
    return narrowed(asked, value, dim, start, count, step)


def _narrow(asked: Asked) -> Meaning:
    value = asked.value("self")
    dim = asked.number("dim") % len(value.axes)
    start = asked.number("start")
    return narrowed(asked, value, dim, start % size(value.axes[dim]) if start < 0 else start, asked.number("length"))


def _select(asked: Asked) -> Meaning:
    found = asked.meaning("self")
    if isinstance(found, Constant):
        return Constant(asked.shape)
    value = asked.value("self")
    dim = asked.number("dim") % len(value.axes)
    part = narrowed(asked, value, dim, asked.number("index") % size(value.axes[dim]), 1)
    return part.replace(axes=(*part.axes[:dim], *part.axes[dim + 1 :]))


def _parts(asked: Asked) -> list[Meaning]:
    """chunk, split, unbind."""
    value = asked.value("self")
    dim = asked.number("dim", 0) % len(value.axes)
    found: list[Meaning] = []
    start = 0
    for result in asked.call.results:
        count = 1 if asked.call.op == "unbind" else result.shape[dim]
        part = narrowed(asked, value, dim, start, count)
        if asked.call.op == "unbind":
            part = part.replace(axes=(*part.axes[:dim], *part.axes[dim + 1 :]))
        found.append(part)
        start += count
    return found


def _roll(asked: Asked) -> Meaning:
    value = asked.value("self")
    shifts, dims = asked.number("shifts"), asked.number("dims")
    volume = asked.reader.layers[value.layer].volume
    whole = standard(BATCH, volume)
    rolled = list(value.rolled or (0,) * (len(volume) - 1))
    for shift, dim in zip(shifts, dims, strict=True):
        (factor, *rest) = value.axes[dim] or (None,)
        if factor is None or rest or factor.axis < 1 or value.axes[dim] != whole[factor.axis + 1]:
            raise UnsayableError("it rolls the depth or parts of an axis round")
        rolled[factor.axis - 1] = (rolled[factor.axis - 1] + shift) % factor.size
    return value.replace(rolled=tuple(rolled) if any(rolled) else (), alias=False)


def _shuffled(asked: Asked) -> Meaning:
    """Ops of their own for what views could do as well."""
    layer = asked.reader.volume(asked.value("self"))
    if asked.call.op == "channel_shuffle":
        return asked.reader.add("shuffle", (layer,), asked.shape[1:], groups=asked.number("groups"))
    kind, name = {"pixel_shuffle": ("pixelshuffle", "upscale_factor")}.get(
        asked.call.op, ("unshuffle", "downscale_factor")
    )
    if len(asked.shape) != 4:
        raise UnsayableError("a pixel shuffle of other volumes than images")
    return asked.reader.add(kind, (layer,), asked.shape[1:], ratio=asked.number(name))


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(
        ("view", "reshape", "flatten", "unflatten", "_unsafe_view", "unsqueeze", "squeeze", "reshape_as", "view_as"),
        _shaped,
    ),
    **dict.fromkeys(("permute", "transpose", "swapaxes", "mT", "movedim", "t", "numpy_T"), _ordered),
    **dict.fromkeys(("expand", "expand_as", "broadcast_to"), _expanded),
    **dict.fromkeys(("channel_shuffle", "pixel_shuffle", "pixel_unshuffle"), _shuffled),
    "slice": _slice,
    "narrow": _narrow,
    "select": _select,
    **dict.fromkeys(("chunk", "split", "split_with_sizes", "unbind", "tensor_split"), _parts),
    "roll": _roll,
}
