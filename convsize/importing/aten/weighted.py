"""Calls that hold weights: convolutions, linear layers, norms, embeddings."""

from __future__ import annotations

from convsize.geometry import AxisWindow, output_extent
from convsize.importing.aten.windows import Pairs, each_axis, padded, shown
from convsize.importing.writer import CallError, Wire, Writer
from convsize.words import plural

__all__ = ["batch_norm", "convolution", "layer_norm", "linear", "transposed"]


def convolution(
    writer: Writer,
    x: Wire,
    weight: Wire,
    bias: Wire | None,
    stride: tuple[int, ...] = (1,),
    padding: Pairs = ((0, 0),),
    dilation: tuple[int, ...] = (1,),
    groups: int = 1,
) -> Wire:
    """A convolution with zeros before and after every axis; unequal ones are padded by a call of their own."""
    axes = len(weight.shape) - 2
    if x.rank != axes:
        raise CallError(
            f"a convolution over {plural(axes, 'axis')} takes a volume of {plural(axes + 2, 'axis')} with the batch, "
            f"not {shown(x)}"
        )
    if groups < 1 or x.shape[1] != weight.shape[1] * groups or weight.shape[0] % groups:
        taken = weight.shape[1] * max(groups, 1)
        raise CallError(
            f"it takes a depth of {taken} in {plural(groups, 'group')} and gives {weight.shape[0]}, and is given "
            f"{shown(x)}"
        )
    stride, dilation = each_axis(stride, axes), each_axis(dilation, axes)
    x, pads = padded(writer, x, padding, 0.0)
    windows = [AxisWindow(k, s, d, p, p) for k, s, d, p in zip(weight.shape[2:], stride, dilation, pads, strict=True)]
    extents = tuple(output_extent(length, window) for length, window in zip(x.shape[2:], windows, strict=True))
    return writer.call(
        f"conv{axes}d",
        (x.shape[0], weight.shape[0], *extents),
        {
            "input": x,
            "weight": weight,
            "bias": bias,
            "stride": stride,
            "padding": pads,
            "dilation": dilation,
            "groups": groups,
        },
    )


def transposed(
    writer: Writer,
    x: Wire,
    weight: Wire,
    bias: Wire | None,
    stride: tuple[int, ...] = (1,),
    padding: tuple[int, ...] = (0,),
    output_padding: tuple[int, ...] = (0,),
    groups: int = 1,
    dilation: tuple[int, ...] = (1,),
) -> Wire:
    """A transposed convolution; its weight has the input's depth first."""
    axes = len(weight.shape) - 2
    if x.rank != axes or x.shape[1] != weight.shape[0]:
        raise CallError(f"it takes a depth of {weight.shape[0]} over {plural(axes, 'axis')}, and is given {shown(x)}")
    if groups < 1 or weight.shape[0] % groups:
        raise CallError(f"a depth of {weight.shape[0]} has no {plural(groups, 'equal group')}")
    stride, dilation = each_axis(stride, axes), each_axis(dilation, axes)
    padding, output_padding = each_axis(padding, axes), each_axis(output_padding, axes)
    if any(out >= max(s, d) for out, s, d in zip(output_padding, stride, dilation, strict=True)):
        raise CallError(f"an output padding of {output_padding} is not below the stride {stride} or the dilation")
    extents = tuple(
        output_extent(length, AxisWindow(k, s, d, p, p - out, transposed=True))
        for length, k, s, d, p, out in zip(
            x.shape[2:], weight.shape[2:], stride, dilation, padding, output_padding, strict=True
        )
    )
    return writer.call(
        f"conv_transpose{axes}d",
        (x.shape[0], weight.shape[1] * groups, *extents),
        {
            "input": x,
            "weight": weight,
            "bias": bias,
            "stride": stride,
            "padding": padding,
            "output_padding": output_padding,
            "groups": groups,
            "dilation": dilation,
        },
    )


def linear(writer: Writer, x: Wire, weight: Wire, bias: Wire | None) -> Wire:
    """A fully connected layer over the last axis."""
    if x.shape[-1] != weight.shape[1] or len(x.shape) < 2:
        behind = " in its last axis: flatten it before" if len(x.shape) > 2 else ""
        raise CallError(f"it takes {plural(weight.shape[1], 'value')}, and {shown(x)} has {x.shape[-1]}{behind}")
    return writer.call("linear", (*x.shape[:-1], weight.shape[0]), {"input": x, "weight": weight, "bias": bias})


def batch_norm(
    writer: Writer,
    x: Wire,
    weight: Wire | None,
    bias: Wire | None,
    mean: Wire,
    variance: Wire,
    eps: float,
    momentum: float = 0.1,
) -> Wire:
    """A batch norm with the statistics of training; `momentum` is PyTorch's, the share of the new batch."""
    if len(x.shape) < 2 or x.shape[1] != mean.shape[0]:
        raise CallError(f"it takes a depth of {mean.shape[0]}, and is given {shown(x)}")
    return writer.call(
        "batch_norm",
        x.shape,
        {
            "input": x,
            "weight": weight,
            "bias": bias,
            "running_mean": mean,
            "running_var": variance,
            "training": False,
            "momentum": momentum,
            "eps": eps,
        },
    )


def layer_norm(
    writer: Writer, x: Wire, shape: tuple[int, ...], weight: Wire | None, bias: Wire | None, eps: float
) -> Wire:
    """A layer norm over the last axes."""
    if x.shape[len(x.shape) - len(shape) :] != shape or len(shape) >= len(x.shape):
        raise CallError(f"it takes {shape} as the last axes, and is given {shown(x)}")
    arguments = {"input": x, "normalized_shape": shape, "weight": weight, "bias": bias, "eps": eps}
    return writer.call("layer_norm", x.shape, arguments)
