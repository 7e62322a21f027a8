"""Calls that slide windows or resize: pools, padding, interpolation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convsize.geometry import AxisWindow, Padding, output_extent
from convsize.importing.writer import CallError, Wire, Writer
from convsize.words import plural

__all__ = ["Pairs", "adaptive", "average_pool", "each_axis", "max_pool", "pad", "padded", "resized", "same", "shown"]

Pairs = tuple[tuple[int, int], ...]
"""Padding before and after every axis of positions; one pair holds for all."""

_RESIZES = {
    ("nearest", 1): "upsample_nearest1d",
    ("nearest", 2): "upsample_nearest2d",
    ("nearest", 3): "upsample_nearest3d",
    ("linear", 1): "upsample_linear1d",
    ("linear", 2): "upsample_bilinear2d",
    ("linear", 3): "upsample_trilinear3d",
    ("cubic", 2): "upsample_bicubic2d",
}


def shown(x: Wire) -> str:
    """A value as messages say it: a volume, or the numbers of its axes after the batch."""
    sizes = x.shape[1:]
    return f"{sizes[0]}@{'x'.join(map(str, sizes[1:]))}" if len(sizes) > 1 else f"{plural(sizes[0], 'value')}"


def each_axis(sizes: tuple[int, ...], axes: int) -> tuple[int, ...]:
    """A size for every axis, where a single one holds for all. Raises CallError where there are others in number."""
    if len(sizes) == axes:
        return sizes
    if len(sizes) != 1:
        raise CallError(f"{sizes} does not go with {plural(axes, 'axis')} of positions")
    return sizes * axes


def same(x: Wire, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> Pairs:
    """The padding that TensorFlow calls same: ⌈length/stride⌉ outputs, the odd one after."""
    found = Padding("same")
    return tuple(
        found.resolve(k, s, d, length, axis)
        for axis, (k, s, d, length) in enumerate(zip(kernel, stride, dilation, x.shape[2:], strict=True))
    )


def pad(writer: Writer, x: Wire, pairs: Pairs, value: float = 0.0, mode: str = "constant") -> Wire:
    """Padding of the last axes, those of the positions, before and after; negative numbers crop."""
    pairs = pairs * x.rank if len(pairs) == 1 else pairs
    if len(pairs) > len(x.shape):
        raise CallError(f"padding of {plural(len(pairs), 'axis')}, and {shown(x)} has fewer")
    lead = len(x.shape) - len(pairs)
    for (before, after), length in zip(pairs, x.shape[lead:], strict=True):
        if (mode == "reflect" and max(before, after) >= length) or (mode == "circular" and max(before, after) > length):
            raise CallError(f"{plural(max(before, after), 'pixel')} of padding are taken from an axis of {length}")
    shape = (*x.shape[:lead], *(n + sum(pair) for n, pair in zip(x.shape[lead:], pairs, strict=True)))
    flat = tuple(each for pair in reversed(pairs) for each in pair)
    arguments: dict[str, Any] = {"self": x, "pad": flat, "mode": mode}
    return writer.call("pad", shape, arguments | ({"value": float(value)} if mode == "constant" else {}))


def padded(writer: Writer, x: Wire, pairs: Pairs, value: float) -> tuple[Wire, tuple[int, ...]]:
    """The value and the padding that is left to the call itself, where that is equal on both sides of every axis."""
    pairs = pairs * x.rank if len(pairs) == 1 else pairs
    if len(pairs) != x.rank:
        raise CallError(f"padding of {plural(len(pairs), 'axis')} of positions, and {shown(x)} has {x.rank}")
    if all(before == after >= 0 for before, after in pairs):
        return x, tuple(before for before, _ in pairs)
    return pad(writer, x, pairs, value), (0,) * x.rank


def max_pool(
    writer: Writer,
    x: Wire,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Pairs = ((0, 0),),
    dilation: tuple[int, ...] = (1,),
    ceil: bool = False,
) -> Wire:
    """A max pool; padding is never the largest."""
    kernel, stride, dilation = (each_axis(each, x.rank) for each in (kernel, stride, dilation))
    pairs = padding * x.rank if len(padding) == 1 else padding
    if any(p > k // 2 for pair, k in zip(pairs, kernel, strict=True) for p in pair):
        x, pads = pad(writer, x, pairs, float("-inf")), (0,) * x.rank
    else:
        x, pads = padded(writer, x, pairs, float("-inf"))
    arguments = {
        "self": x,
        "kernel_size": kernel,
        "stride": stride,
        "padding": pads,
        "dilation": dilation,
        "ceil_mode": ceil,
    }
    return _pooled(writer, "max_pool", x, pads, arguments)


def average_pool(
    writer: Writer,
    x: Wire,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Pairs = ((0, 0),),
    ceil: bool = False,
    zeros: bool = True,
) -> Wire:
    """An average pool; `zeros` says whether the padding counts as zeros or not at all."""
    kernel, stride = each_axis(kernel, x.rank), each_axis(stride, x.rank)
    pairs = padding * x.rank if len(padding) == 1 else padding
    if not zeros and any(before != after for before, after in pairs):
        # What rounding up adds is never counted, so that padding at the end alone can be said by it.
        rounded = [
            output_extent(length, AxisWindow(k, s), "ceil") == output_extent(length, AxisWindow(k, s, 1, *pair))
            for length, k, s, pair in zip(x.shape[2:], kernel, stride, pairs, strict=True)
        ]
        if ceil or any(before for before, _ in pairs) or not all(rounded):
            raise CallError("an average pool with unequal padding that does not count")
        pairs, ceil = ((0, 0),) * x.rank, True
    x, pads = padded(writer, x, pairs, 0.0)
    if any(p > k // 2 for p, k in zip(pads, kernel, strict=True)):
        raise CallError(f"an average pool of {kernel} with a padding of {pads}, more than half of it")
    arguments = {
        "self": x,
        "kernel_size": kernel,
        "stride": stride,
        "padding": pads,
        "ceil_mode": ceil,
        "count_include_pad": zeros,
    }
    return _pooled(writer, "avg_pool", x, pads, arguments)


def _pooled(writer: Writer, op: str, x: Wire, pads: tuple[int, ...], arguments: Mapping[str, Any]) -> Wire:
    if not 1 <= x.rank <= 3:
        raise CallError(f"a pool takes a volume, not {shown(x)}")
    dilation = arguments.get("dilation", (1,) * x.rank)
    extents = tuple(
        output_extent(length, AxisWindow(k, s, d, p, p), "ceil" if arguments["ceil_mode"] else "floor")
        for length, k, s, d, p in zip(
            x.shape[2:], arguments["kernel_size"], arguments["stride"], dilation, pads, strict=True
        )
    )
    return writer.call(f"{op}{x.rank}d", (*x.shape[:2], *extents), arguments)


def adaptive(writer: Writer, x: Wire, extents: tuple[int | None, ...], how: str) -> Wire:
    """An adaptive pool, `how` avg or max, to these extents; None keeps an axis as it is."""
    if not 1 <= x.rank <= 3:
        raise CallError(f"a pool takes a volume, not {shown(x)}")
    if len(extents) not in (1, x.rank):
        raise CallError(f"{extents} does not go with {plural(x.rank, 'axis')} of positions")
    wanted = extents * x.rank if len(extents) == 1 else extents
    found = tuple(length if each is None else each for each, length in zip(wanted, x.shape[2:], strict=True))
    shape, arguments = (*x.shape[:2], *found), {"self": x, "output_size": found}
    if how == "avg":
        return writer.call(f"adaptive_avg_pool{x.rank}d", shape, arguments)
    return writer.calls_of(f"adaptive_max_pool{x.rank}d", (shape, shape), arguments)[0]


def resized(
    writer: Writer,
    x: Wire,
    mode: str,
    extents: tuple[int, ...] | None = None,
    factors: tuple[float, ...] | None = None,
    aligned: bool = False,
) -> Wire:
    """Interpolation to extents, or by factors; `mode` is nearest, linear or cubic, over however many axes."""
    op = _RESIZES.get((mode, x.rank))
    if op is None:
        raise CallError(f"no {mode} interpolation works over {plural(x.rank, 'axis')}")
    if factors is not None:
        factors = factors * x.rank if len(factors) == 1 else factors
        extents = tuple(int(length * factor) for length, factor in zip(x.shape[2:], factors, strict=True))
    if extents is None:
        raise CallError("neither a size nor a factor is given")
    extents = each_axis(extents, x.rank)
    given: dict[str, Any] = {"input": x, "output_size": None if factors else extents}
    if mode != "nearest":
        given["align_corners"] = aligned
    return writer.call(op, (*x.shape[:2], *extents), given | {"scale_factors": factors})
