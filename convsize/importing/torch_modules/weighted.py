"""Modules that hold weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from convsize.importing.aten.weighted import batch_norm, convolution, layer_norm, linear, transposed
from convsize.importing.aten.windows import pad, shown
from convsize.importing.given import Given
from convsize.importing.writer import CallError, Wire, Writer
from convsize.words import plural

__all__ = ["WEIGHTED"]

Writes = Callable[[Writer, Wire, Given], Wire]


def _path(given: Given, role: str) -> str:
    return f"{given.path}.{role}" if given.path else role


def _bias(writer: Writer, given: Given, size: int) -> Wire | None:
    return writer.param(_path(given, "bias"), (size,)) if given.flag("bias") else None


def _convolution(axes: int, writer: Writer, x: Wire, given: Given) -> Wire:
    depth, taken, groups = given.whole("out_channels"), given.whole("in_channels"), given.whole("groups")
    kernel, stride = given.sizes("kernel_size", axes), given.sizes("stride", axes)
    dilation = given.sizes("dilation", axes)
    if min(depth, taken, groups) < 1 or taken % groups:
        raise CallError(f"a depth of {taken} has no {plural(groups, 'equal group')}")
    if given.values["padding"] == "same":
        if any(each != 1 for each in stride):
            raise CallError("PyTorch has no padding='same' with a stride")
        spread = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        pairs = tuple((each // 2, each - each // 2) for each in spread)
    elif given.values["padding"] == "valid":
        pairs = ((0, 0),) * axes
    else:
        pairs = tuple((each, each) for each in given.sizes("padding", axes, 0))
    mode = given.text("padding_mode", "zeros", "reflect", "replicate", "circular")
    weight = writer.param(_path(given, "weight"), (depth, taken // groups, *kernel))
    bias = _bias(writer, given, depth)
    if mode != "zeros" and any(map(any, pairs)):
        x, pairs = pad(writer, x, pairs, mode=mode), ((0, 0),) * axes
    return convolution(writer, x, weight, bias, stride, pairs, dilation, groups)


def _transposed(axes: int, writer: Writer, x: Wire, given: Given) -> Wire:
    depth, taken, groups = given.whole("out_channels"), given.whole("in_channels"), given.whole("groups")
    if min(depth, taken, groups) < 1 or taken % groups or depth % groups:
        raise CallError(f"depths of {taken} and {depth} have no {plural(groups, 'equal group')}")
    given.text("padding_mode", "zeros")
    weight = writer.param(_path(given, "weight"), (taken, depth // groups, *given.sizes("kernel_size", axes)))
    stride, padding = given.sizes("stride", axes), given.sizes("padding", axes, 0)
    more, dilation = given.sizes("output_padding", axes, 0), given.sizes("dilation", axes)
    return transposed(writer, x, weight, _bias(writer, given, depth), stride, padding, more, groups, dilation)


def _linear(writer: Writer, x: Wire, given: Given) -> Wire:
    taken, made = given.whole("in_features"), given.whole("out_features")
    weight = writer.param(_path(given, "weight"), (made, taken))
    return linear(writer, x, weight, _bias(writer, given, made))


def _affine(
    writer: Writer, given: Given, shape: tuple[int, ...], flag: str = "affine"
) -> tuple[Wire | None, Wire | None]:
    """Gain and bias, where there are such."""
    if not given.flag(flag):
        return None, None
    gain = writer.param(_path(given, "weight"), shape)
    has_bias = "bias" in given.values and given.flag("bias")
    return gain, writer.param(_path(given, "bias"), shape) if has_bias else None


def _batch_norm(axes: int, writer: Writer, x: Wire, given: Given) -> Wire:
    depth = given.whole("num_features")
    if x.rank != axes and not (axes == 1 and x.rank == 0):
        raise CallError(f"it is for {plural(axes, 'axis')} of positions, and is given {shown(x)}")
    gain, bias = _affine(writer, given, (depth,))
    if not given.flag("track_running_stats"):
        raise CallError("without track_running_stats it uses the statistics of the batch in evaluation, too")
    mean = writer.buffer(_path(given, "running_mean"), (depth,))
    variance = writer.buffer(_path(given, "running_var"), (depth,))
    if given.values["momentum"] is None:
        raise CallError("its statistics are the mean over all batches (momentum=None), which a spec cannot say")
    return batch_norm(writer, x, gain, bias, mean, variance, given.number("eps"), given.number("momentum"))


def _instance_norm(axes: int, writer: Writer, x: Wire, given: Given) -> Wire:
    depth = given.whole("num_features")
    if x.rank != axes or x.shape[1] != depth:
        raise CallError(f"it takes a depth of {depth} over {plural(axes, 'axis')}, and is given {shown(x)}")
    given.absent("track_running_stats")
    gain, bias = _affine(writer, given, (depth,))
    arguments: dict[str, Any] = {"input": x, "weight": gain, "bias": bias, "running_mean": None, "running_var": None}
    arguments |= {"use_input_stats": True, "momentum": given.number("momentum"), "eps": given.number("eps")}
    return writer.call("instance_norm", x.shape, arguments)


def _group_norm(writer: Writer, x: Wire, given: Given) -> Wire:
    groups, depth = given.whole("num_groups"), given.whole("num_channels")
    if x.shape[1] != depth or groups < 1 or depth % groups:
        raise CallError(f"it takes a depth of {depth} in {plural(groups, 'group')}, and is given {shown(x)}")
    gain, bias = _affine(writer, given, (depth,))
    arguments = {"input": x, "num_groups": groups, "weight": gain, "bias": bias, "eps": given.number("eps")}
    return writer.call("group_norm", x.shape, arguments)


def _normalized(given: Given) -> tuple[int, ...]:
    found = given.values["normalized_shape"]
    axes = len(found) if isinstance(found, tuple | list) else 1
    return given.sizes("normalized_shape", axes)


def _layer_norm(writer: Writer, x: Wire, given: Given) -> Wire:
    shape = _normalized(given)
    gain, bias = _affine(writer, given, shape, "elementwise_affine")
    return layer_norm(writer, x, shape, gain, bias, given.number("eps"))


def _rms_norm(writer: Writer, x: Wire, given: Given) -> Wire:
    shape = _normalized(given)
    if x.shape[len(x.shape) - len(shape) :] != shape:
        raise CallError(f"it takes {shape} as the last axes, and is given {shown(x)}")
    gain, _ = _affine(writer, given, shape, "elementwise_affine")
    eps = None if given.values["eps"] is None else given.number("eps")
    return writer.call("rms_norm", x.shape, {"input": x, "normalized_shape": shape, "weight": gain, "eps": eps})


def _prelu(writer: Writer, x: Wire, given: Given) -> Wire:
    slopes = given.whole("num_parameters")
    if slopes not in (1, x.shape[1]):
        raise CallError(f"it has {plural(slopes, 'slope')}, and is given {shown(x)}")
    return writer.call("prelu", x.shape, {"self": x, "weight": writer.param(_path(given, "weight"), (slopes,))})


_CONVOLUTION = (
    "in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros'"
)
_TRANSPOSED = (
    "in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1, "
    "padding_mode='zeros'"
)
_BATCH_NORM = "num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, *, bias=True"
_INSTANCE_NORM = "num_features, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False, *, bias=True"

WEIGHTED: dict[str, tuple[str, Writes]] = {
    **{f"Conv{axes}d": (_CONVOLUTION, partial(_convolution, axes)) for axes in (1, 2, 3)},
    **{f"ConvTranspose{axes}d": (_TRANSPOSED, partial(_transposed, axes)) for axes in (1, 2, 3)},
    **{f"BatchNorm{axes}d": (_BATCH_NORM, partial(_batch_norm, axes)) for axes in (1, 2, 3)},
    **{f"InstanceNorm{axes}d": (_INSTANCE_NORM, partial(_instance_norm, axes)) for axes in (1, 2, 3)},
    "Linear": ("in_features, out_features, bias=True", _linear),
    "GroupNorm": ("num_groups, num_channels, eps=1e-05, affine=True, *, bias=True", _group_norm),
    "LayerNorm": ("normalized_shape, eps=1e-05, elementwise_affine=True, bias=True", _layer_norm),
    "RMSNorm": ("normalized_shape, eps=None, elementwise_affine=True", _rms_norm),
    "PReLU": ("num_parameters=1, init=0.25", _prelu),
}
