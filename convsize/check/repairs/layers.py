"""What could be changed at the token of a faulty layer, the smallest change first."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd, isqrt

from convsize.check.repairs.tokens import Numbers, Repair, as_dims, as_num, as_pads, numbers_of, retoken
from convsize.geometry import AxisWindow, Shape, remainder
from convsize.graph.tokens import Defaults
from convsize.language.tree import Layer, Num
from convsize.words import grid_word


def of_layer(layer: Layer, code: str, entering: Shape | None, defaults: Defaults) -> Iterator[Repair]:
    """Changes of the faulty layer's own token, the smallest first."""
    if code == "E206":
        yield from _of_wrong_numbers(layer)
        return
    if entering is None:
        return
    merged = defaults.apply(layer)
    if code in ("E204", "E212"):
        yield from _of_parts(layer, merged, entering)
        return
    # A stride by a block's parameter does not matter to how much a filter must be padded to be centred.
    numbers = numbers_of(merged.replace(stride=None) if code == "E207" else merged, entering)
    if numbers is None:
        return
    if code == "E207":
        strides = numbers_of(merged, entering)
        if strides is not None and strides.stride == strides.kernel and max(strides.dilation) == 1:
            yield retoken(layer, "patches side by side need no padding", padding=as_pads(((0, 0),)))
        yield retoken(layer, "pad to keep the extents at stride 1 (`p0` pads none)", padding=as_pads(numbers.padding))
        yield retoken(layer, "do not pad", padding=as_pads(((0, 0),)))
    elif code in ("E208", "E203"):
        for less in range(1, max(map(max, numbers.padding)) + 1):
            pairs = tuple((max(one - less, 0), max(two - less, 0)) for one, two in numbers.padding)
            yield retoken(layer, "pad less", padding=as_pads(pairs))
    elif code == "E209":
        for extra in range(max(numbers.output_padding) - 1, -1, -1):
            smaller = tuple(min(each, extra) for each in numbers.output_padding)
            yield retoken(layer, "pad the output less", output_padding=as_dims(smaller) if extra else None)
    elif code == "E201":
        yield from _dividing(layer, numbers, entering)
    elif code == "E202":
        yield from _fitting(layer, numbers, entering)


def _dividing(layer: Layer, numbers: Numbers, entering: Shape) -> Iterator[Repair]:
    """For `exact` with a remainder: padding after the last pixel, on both sides, rounding, stride, kernel."""
    behind = []
    for extent, kernel, stride, dilation, (one, two) in zip(entering.spatial, *numbers.values()[:4], strict=True):
        rest = remainder(extent, AxisWindow(kernel, stride, dilation, one, two))
        behind.append((one, two + (stride - rest if rest else 0)))
    yield retoken(layer, f"pad after the last {grid_word(entering.rank)}", padding=as_pads(tuple(behind)))
    for less in range(1, max(map(max, numbers.padding), default=0) + 1):
        pairs = tuple((max(one - less, 0), max(two - less, 0)) for one, two in numbers.padding)
        yield retoken(layer, "pad less", padding=as_pads(pairs))
    yield retoken(layer, "round up", rounding="ceil")
    yield retoken(layer, f"drop the {grid_word(entering.rank)}s left over", rounding="floor")
    for step in (-1, 1, -2, 2):
        if min(numbers.stride) + step > 0:
            yield retoken(layer, "change the stride", stride=as_dims(tuple(each + step for each in numbers.stride)))
    for step in (-1, 1, -2, 2):
        if min(numbers.kernel) + step > 0:
            size = as_dims(tuple(each + step for each in numbers.kernel))
            yield retoken(layer, "change the kernel", size=size, padding=as_pads(numbers.padding))


def _fitting(layer: Layer, numbers: Numbers, entering: Shape) -> Iterator[Repair]:
    """For a filter larger than its input: padding as half the filter at most, then the largest kernel that fits."""
    pairs = []
    for extent, kernel, dilation, (one, two) in zip(
        entering.spatial, numbers.kernel, numbers.dilation, numbers.padding, strict=True
    ):
        short = max(dilation * (kernel - 1) + 1 - extent - one - two, 0)
        pairs.append((one + short // 2, two + short - short // 2))
        if max(pairs[-1]) > dilation * (kernel - 1) // 2 + 1:
            break  # the filter would see hardly anything but zeros
    else:
        yield retoken(layer, "pad", padding=as_pads(tuple(pairs)))
    fits = tuple(
        min(kernel, max((extent + one + two - 1) // dilation + 1, 1))
        for extent, kernel, dilation, (one, two) in zip(
            entering.spatial, numbers.kernel, numbers.dilation, numbers.padding, strict=True
        )
    )
    changes: dict[str, object] = {"size": as_dims(fits)}
    if layer.mnemonic in ("M", "A") and layer.stride is None:
        changes["stride"] = as_dims(fits)
    elif layer.padding is not None:
        changes["padding"] = layer.padding
    yield retoken(layer, "take a smaller window", **changes)
    if max(numbers.dilation) > 1:
        yield retoken(layer, "do not dilate", dilation=None)


def _of_wrong_numbers(layer: Layer) -> Iterator[Repair]:
    """Numbers for other axes than there are."""
    for name in ("size", "stride", "dilation", "output_padding"):
        dims = getattr(layer, name)
        if dims is not None and len(dims) > 1:
            one = {
                each: getattr(layer, each)[-1:]
                for each in ("size", "stride", "dilation", "output_padding")
                if getattr(layer, each) is not None
            }
            if layer.padding is not None:
                one["padding"] = layer.padding.replace(pairs=layer.padding.pairs[-1:])
            yield retoken(layer, "write one number for every axis", **one)
            return
    if layer.padding is not None and len(layer.padding.pairs) > 1:
        pads = layer.padding.replace(pairs=layer.padding.pairs[-1:])
        yield retoken(layer, "write one padding for every axis", padding=pads)


def _of_parts(layer: Layer, merged: Layer, entering: Shape) -> Iterator[Repair]:
    """Groups that divide the depth, or a depth that the groups divide."""
    depth = entering.channels
    if layer.mnemonic == "GN":
        size = merged.size[0] if merged.size else None
        if isinstance(size, Num):
            for groups in divisors(depth, int(size.value)):
                yield retoken(layer, "take groups that divide", size=as_dims((groups,)))
        return
    groups_written = merged.groups if isinstance(merged.groups, Num) else None
    out = merged.depth if isinstance(merged.depth, Num) else None
    groups = int(groups_written.value) if groups_written is not None else 1
    if layer.mnemonic == "DW":
        if layer.groups is not None:
            yield retoken(layer, "leave the groups out", groups=None)
        if out is not None:
            for multiple in (-(-int(out.value) // depth) * depth, int(out.value) // depth * depth):
                if multiple:
                    yield retoken(layer, "take a multiple of the depth", depth=as_num(multiple))
        return
    if out is not None and depth % groups == 0:
        yield retoken(layer, "take a depth that divides", depth=as_num(-(-int(out.value) // groups) * groups))
    deep = int(out.value) if out is not None else depth
    for near in divisors(gcd(depth, deep), groups):
        yield retoken(layer, "take groups that divide", groups=as_num(near))


def divisors(number: int, near: int) -> list[int]:
    """The divisors of a number other than `near`, the nearest to it first; smaller before larger.

    A depth is below 2³¹, so that its divisors are found in 46,341 steps however far from them the given number is.
    """
    lower = [each for each in range(1, isqrt(number) + 1) if number % each == 0]
    found = {*lower, *(number // each for each in lower)} - {near}
    return sorted(found, key=lambda each: (abs(each - near), each))
