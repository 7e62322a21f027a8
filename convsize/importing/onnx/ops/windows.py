"""Operators that pool, pad and resize."""

from __future__ import annotations

from collections.abc import Callable

from convsize.geometry import AxisWindow, output_extent
from convsize.importing.aten.values import reduced
from convsize.importing.aten.windows import Pairs, average_pool, max_pool, pad, resized, shown
from convsize.importing.onnx.node import Node
from convsize.importing.onnx.ops.weighted import pads_of
from convsize.importing.writer import CallError, Wire
from convsize.words import plural

__all__ = ["WINDOWS"]


def _pool(node: Node) -> Wire:
    x = node.wire()
    if len(node.outputs) > 1:
        raise CallError("its indices are used, too")
    if not 1 <= x.rank <= 3:
        raise CallError(f"a pool takes a volume, not {shown(x)}")
    kernel = tuple(node.ints("kernel_shape") or ())
    stride = tuple(node.ints("strides") or [1] * x.rank)
    dilation = tuple(node.ints("dilations") or [1] * x.rank)
    if {len(kernel), len(stride), len(dilation)} != {x.rank} or min(*kernel, *stride, *dilation) < 1:
        raise CallError(f"its window of {list(kernel)} does not go with {shown(x)}")
    pairs, ceil = pads_of(node, x, kernel, stride, dilation), bool(node.whole("ceil_mode", 0))
    if ceil:
        _same_ceil(x, kernel, stride, dilation, pairs)
    if node.kind == "MaxPool":
        return max_pool(node.writer, x, kernel, stride, pairs, dilation, ceil)
    if any(each != 1 for each in dilation):
        raise CallError("a dilated average pool")
    zeros = bool(node.whole("count_include_pad", 0)) or not any(map(any, pairs))
    return average_pool(node.writer, x, kernel, stride, pairs, ceil, zeros)


def _same_ceil(
    x: Wire, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], pairs: Pairs
) -> None:
    """Rounding up, ONNX may keep a last window that starts in the padding, which PyTorch leaves out."""
    for length, k, s, d, (before, after) in zip(x.shape[2:], kernel, stride, dilation, pairs, strict=True):
        window = AxisWindow(k, s, d, before, after)
        free = length + before + after - window.reach
        if -(-free // s) + 1 != output_extent(length, window, "ceil"):
            raise CallError("rounding up adds a window that lies in the padding alone")


def _global(node: Node) -> Wire:
    x = node.wire()
    op = "mean" if node.kind == "GlobalAveragePool" else "amax"
    return reduced(node.writer, op, x, tuple(range(2, len(x.shape))), True)


def _pad(node: Node) -> Wire:
    x = node.wire()
    rank = len(x.shape)
    amounts = node.ints("pads") or node.numbers(1) or []
    axes = node.numbers(3) or list(range(rank))
    if len(amounts) != 2 * len(axes) or any(not -rank <= each < rank for each in axes):
        raise CallError(f"its `pads` are {amounts}, and its input has {plural(rank, 'axis')}")
    pairs = [(0, 0)] * rank
    for at, axis in enumerate(axes):
        pairs[axis % rank] = (int(amounts[at]), int(amounts[at + len(axes)]))
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}.get(
        node.text("mode", "constant")
    )
    if mode is None:
        raise CallError(f"its `mode` is {node.text('mode', '')[:40]!r}")
    given = node.numbers(2)
    value = float(given[0]) if given else node.number("value", 0.0)
    if not any(map(any, pairs)):
        return x
    first = next(at for at, pair in enumerate(pairs) if any(pair))
    if first == 0:
        raise CallError("it pads the samples")
    if mode != "constant":
        first = 2 if first >= 2 else first
    return pad(node.writer, x, tuple(pairs[first:]), value, mode)


def _resize(node: Node) -> Wire:
    x = node.wire()
    rank = len(x.shape)
    upsample = node.kind == "Upsample"
    at = 1 if upsample or node.opset < 11 else 2
    scales, sizes = node.numbers(at), None if upsample else node.numbers(3)
    axes = node.ints("axes") or list(range(rank))
    if node.whole("antialias", 0) or node.whole("exclude_outside", 0):
        raise CallError("an interpolation with antialias, or that leaves out what lies outside")
    if node.text("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise CallError("a resize that keeps the ratio of the sides")
    if scales:
        if len(scales) != len(axes):
            raise CallError(f"its scales are {scales}, and its input has {plural(rank, 'axis')}")
        factors = [1.0] * rank
        for axis, factor in zip(axes, scales, strict=True):
            factors[axis % rank] = float(factor)
        if factors[:2] != [1.0, 1.0] or not all(0 < each <= 2**20 for each in factors):
            raise CallError(f"its scales are {scales}")
        extents = tuple(int(length * factor) for length, factor in zip(x.shape[2:], factors[2:], strict=True))
        given = tuple(float(f"{each:.7g}") for each in factors[2:])
    elif sizes:
        wanted = list(x.shape)
        for axis, length in zip(axes, sizes, strict=True):
            wanted[axis % rank] = int(length)
        wanted[0] = node.sizes(wanted, x)[0]
        if tuple(wanted[:2]) != x.shape[:2]:
            raise CallError(f"it resizes {shown(x)} to {wanted}: samples or depth, too")
        extents, given = tuple(wanted[2:]), ()
    else:
        raise CallError("neither scales nor sizes are given")
    mode, aligned = _interpolation(node, x, extents)
    if given:
        return resized(node.writer, x, mode, factors=given, aligned=aligned)
    return resized(node.writer, x, mode, extents=extents, aligned=aligned)


def _interpolation(node: Node, x: Wire, extents: tuple[int, ...]) -> tuple[str, bool]:
    """The mode, and whether corners are aligned. Raises CallError where PyTorch's interpolation is another one."""
    mode = node.text("mode", "nearest")
    mode = mode if mode in ("nearest", "linear", "cubic") else {"bilinear": "linear"}.get(mode, "")
    if not mode:
        raise CallError(f"its `mode` is {node.text('mode', '')[:40]!r}")
    old = node.kind == "Upsample" or node.opset < 11
    where = "asymmetric" if old else node.text("coordinate_transformation_mode", "half_pixel")
    whole = all(out % length == 0 for out, length in zip(extents, x.shape[2:], strict=True))
    if mode == "nearest":
        floor = old or node.text("nearest_mode", "round_prefer_floor") == "floor"
        # By whole factors every pixel is repeated, wherever its centre is said to lie.
        prefers = node.text("nearest_mode", "round_prefer_floor") in ("round_prefer_floor", "round_prefer_ceil")
        if (where == "asymmetric" and floor) or (
            whole and "half_pixel" in where and prefers and where != "tf_half_pixel_for_nn"
        ):
            return mode, False
        raise CallError(f"nearest pixels of {where} coordinates, which PyTorch takes elsewhere")
    if mode == "cubic" and abs(node.number("cubic_coeff_a", -0.75) + 0.75) > 1e-6:
        raise CallError("a cubic interpolation with another coefficient than PyTorch's")
    if where == "align_corners":
        return mode, True
    if where == "pytorch_half_pixel" or (where == "half_pixel" and min(extents) > 1):
        return mode, False
    raise CallError(f"{mode} interpolation at {where} coordinates, which PyTorch does not have")


WINDOWS: dict[str, Callable[[Node], Wire]] = {
    **dict.fromkeys(("MaxPool", "AveragePool"), _pool),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), _global),
    "Pad": _pad,
    **dict.fromkeys(("Resize", "Upsample"), _resize),
}
