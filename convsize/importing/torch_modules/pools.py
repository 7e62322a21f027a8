"""Modules that pool, pad and resize."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from convsize.geometry import AxisWindow, output_extent
from convsize.importing.aten.windows import adaptive, average_pool, max_pool, pad, resized, shown
from convsize.importing.given import Given
from convsize.importing.writer import CallError, Wire, Writer
from convsize.words import plural

__all__ = ["POOLS"]

Writes = Callable[[Writer, Wire, Given], Wire]


def _over(x: Wire, axes: int) -> None:
    if x.rank != axes:
        raise CallError(f"it works over {plural(axes, 'axis')} of positions, and is given {shown(x)}")


def _stride(given: Given, axes: int) -> tuple[int, ...]:
    return given.sizes("kernel_size" if given.values["stride"] is None else "stride", axes)


def _max_pool(axes: int, writer: Writer, x: Wire, given: Given) -> Wire:
    _over(x, axes)
    given.absent("return_indices")
    kernel, dilation = given.sizes("kernel_size", axes), given.sizes("dilation", axes)
    pads = given.sizes("padding", axes, 0)
    if any(2 * p > k for p, k in zip(pads, kernel, strict=True)):
        raise CallError(f"PyTorch pads a pool of {kernel} by half of it at most, not by {pads}")
    pairs = tuple((each, each) for each in pads)
    return max_pool(writer, x, kernel, _stride(given, axes), pairs, dilation, given.flag("ceil_mode"))


def _average_pool(axes: int, writer: Writer, x: Wire, given: Given) -> Wire:
    _over(x, axes)
    given.absent("divisor_override")
    kernel, stride, pads = given.sizes("kernel_size", axes), _stride(given, axes), given.sizes("padding", axes, 0)
    if given.printed:
        windows = [AxisWindow(k, s, 1, p, p) for k, s, p in zip(kernel, stride, pads, strict=True)]
        uneven = any(
            output_extent(length, window) != output_extent(length, window, "ceil")
            for length, window in zip(x.shape[2:], windows, strict=True)
        )
        if uneven or any(pads):
            hidden = "count_include_pad" if any(pads) else "ceil_mode"
            raise CallError(f"a print does not say its `{hidden}`, which matters here: give the code")
    pairs = tuple((each, each) for each in pads)
    return average_pool(writer, x, kernel, stride, pairs, given.flag("ceil_mode"), given.flag("count_include_pad"))


def _adaptive(how: str, axes: int, writer: Writer, x: Wire, given: Given) -> Wire:
    _over(x, axes)
    if given.values.get("return_indices"):
        raise CallError("its `return_indices` is True, which cannot be read")
    wanted = given.values["output_size"]
    several = tuple(wanted) if isinstance(wanted, tuple | list) else (wanted,)
    for each in several:
        if each is not None and (isinstance(each, bool) or not isinstance(each, int) or each < 1):
            raise CallError(f"its `output_size` is {wanted!r}, and must be of whole numbers")
    return adaptive(writer, x, several, how)


def _pad(axes: int, mode: str, writer: Writer, x: Wire, given: Given) -> Wire:
    _over(x, axes)
    found = given.sizes("padding", 2 * axes, -(10**6))
    pairs = tuple((found[2 * at], found[2 * at + 1]) for at in reversed(range(axes)))
    return pad(writer, x, pairs, given.number("value") if "value" in given.values else 0.0, mode)


def _upsample(writer: Writer, x: Wire, given: Given) -> Wire:
    given.absent("recompute_scale_factor")
    mode = given.text("mode", "nearest", "linear", "bilinear", "bicubic", "trilinear")
    axes = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}.get(mode, x.rank)
    _over(x, axes)
    if given.printed and mode != "nearest" and not given.values.get("always_aligned"):
        raise CallError("a print does not say its `align_corners`, which matters here: give the code")
    kind = "nearest" if mode == "nearest" else "cubic" if mode == "bicubic" else "linear"
    aligned = given.values["align_corners"] is True
    if given.values["size"] is not None:
        return resized(writer, x, kind, extents=given.sizes("size", axes), aligned=aligned)
    if given.values["scale_factor"] is None:
        raise CallError("neither `size` nor `scale_factor` is given")
    wanted = given.values["scale_factor"]
    several = tuple(wanted) if isinstance(wanted, tuple | list) else (wanted,) * axes
    if len(several) != axes or any(isinstance(n, bool) or not isinstance(n, int | float) for n in several):
        raise CallError(f"its `scale_factor` is {wanted!r}, and must be of numbers")
    if any(not 0 < each <= 2**20 for each in several):
        raise CallError(f"its `scale_factor` is {wanted!r}, and must be above 0")
    return resized(writer, x, kind, factors=tuple(map(float, several)), aligned=aligned)


def _upsample_2d(mode: str, writer: Writer, x: Wire, given: Given) -> Wire:
    more = {"mode": mode, "align_corners": mode == "bilinear" or None, "recompute_scale_factor": None}
    return _upsample(writer, x, Given({**given.values, **more, "always_aligned": True}, given.path, given.printed))


def _pixel_shuffle(writer: Writer, x: Wire, given: Given) -> Wire:
    r = given.whole("upscale_factor")
    _over(x, 2)
    if r < 1 or x.shape[1] % r**2:
        raise CallError(f"a depth of {x.shape[1]} cannot be spread over {r}x{plural(r, 'pixel')}")
    shape = (x.shape[0], x.shape[1] // r**2, *(length * r for length in x.shape[2:]))
    return writer.call("pixel_shuffle", shape, {"self": x, "upscale_factor": r})


def _pixel_unshuffle(writer: Writer, x: Wire, given: Given) -> Wire:
    r = given.whole("downscale_factor")
    _over(x, 2)
    if r < 1 or any(length % r for length in x.shape[2:]):
        raise CallError(f"{shown(x)} has no whole blocks of {r}x{plural(r, 'pixel')}")
    shape = (x.shape[0], x.shape[1] * r**2, *(length // r for length in x.shape[2:]))
    return writer.call("pixel_unshuffle", shape, {"self": x, "downscale_factor": r})


_UPSAMPLE = "size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None"
_MAX = "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False"
_AVERAGE = "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None"
_AVERAGE_1D = "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True"
_MODES = {"ReflectionPad": "reflect", "ReplicationPad": "replicate", "CircularPad": "circular", "ZeroPad": "constant"}


def _average_pool_1d(writer: Writer, x: Wire, given: Given) -> Wire:
    return _average_pool(1, writer, x, Given({**given.values, "divisor_override": None}, given.path, given.printed))


POOLS: dict[str, tuple[str, Writes]] = {
    **{f"MaxPool{axes}d": (_MAX, partial(_max_pool, axes)) for axes in (1, 2, 3)},
    "AvgPool1d": (_AVERAGE_1D, _average_pool_1d),
    **{f"AvgPool{axes}d": (_AVERAGE, partial(_average_pool, axes)) for axes in (2, 3)},
    **{f"AdaptiveAvgPool{axes}d": ("output_size", partial(_adaptive, "avg", axes)) for axes in (1, 2, 3)},
    **{
        f"AdaptiveMaxPool{axes}d": ("output_size, return_indices=False", partial(_adaptive, "max", axes))
        for axes in (1, 2, 3)
    },
    **{f"{name}{axes}d": ("padding", partial(_pad, axes, mode)) for name, mode in _MODES.items() for axes in (1, 2, 3)},
    **{f"ConstantPad{axes}d": ("padding, value", partial(_pad, axes, "constant")) for axes in (1, 2, 3)},
    "Upsample": (_UPSAMPLE, _upsample),
    # A print says the mode of these as well.
    "UpsamplingNearest2d": ("size=None, scale_factor=None, mode=None", partial(_upsample_2d, "nearest")),
    "UpsamplingBilinear2d": ("size=None, scale_factor=None, mode=None", partial(_upsample_2d, "bilinear")),
    "PixelShuffle": ("upscale_factor", _pixel_shuffle),
    "PixelUnshuffle": ("downscale_factor", _pixel_unshuffle),
}
