"""Layers that hold weights."""

from __future__ import annotations

from functools import partial
from typing import Any

from convsize.importing.aten.values import arithmetic, viewed
from convsize.importing.aten.weighted import batch_norm, convolution, layer_norm, linear, transposed
from convsize.importing.aten.windows import Pairs, pad, same
from convsize.importing.keras.layers.activations import activated
from convsize.importing.keras.layers.called import Called, Writes
from convsize.importing.keras.values import Value
from convsize.importing.writer import CallError, Wire
from convsize.words import plural

__all__ = ["WEIGHTED"]


def _pairs(
    called: Called, x: Wire, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> Pairs:
    causal = ("causal",) if x.rank == 1 else ()
    padding = called.text("padding", "valid", "same", *causal)
    if padding == "causal":
        return ((dilation[0] * (kernel[0] - 1), 0),)
    return same(x, kernel, stride, dilation) if padding == "same" else ((0, 0),) * x.rank


def _bias(called: Called, size: int) -> Wire | None:
    return called.param("bias", (size,)) if called.flag("use_bias") else None


def _windowed(called: Called, axes: int) -> tuple[Wire, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    x = called.volume(axes)
    return x, called.sizes("kernel_size", axes), called.sizes("strides", axes), called.sizes("dilation_rate", axes)


def _activated(called: Called, wire: Wire) -> Value:
    value = called.value.made(wire, called.data_format)
    return activated(called, value, called.values["activation"])


def _convolution(axes: int, called: Called) -> Value:
    x, kernel, stride, dilation = _windowed(called, axes)
    depth, groups = called.whole("filters"), called.whole("groups")
    if groups < 1 or x.shape[1] % groups:
        raise CallError(f"a depth of {x.shape[1]} has no {plural(groups, 'equal group')}")
    weight = called.kernel("kernel", (depth, x.shape[1] // groups, *kernel))
    pairs = _pairs(called, x, kernel, stride, dilation)
    return _activated(
        called, convolution(called.writer, x, weight, _bias(called, depth), stride, pairs, dilation, groups)
    )


def _depthwise(axes: int, called: Called) -> Value:
    x, kernel, stride, dilation = _windowed(called, axes)
    depth = x.shape[1] * called.whole("depth_multiplier")
    weight = called.depthwise("kernel", (depth, 1, *kernel), x.shape[1])
    pairs = _pairs(called, x, kernel, stride, dilation)
    bias = _bias(called, depth)
    return _activated(called, convolution(called.writer, x, weight, bias, stride, pairs, dilation, x.shape[1]))


def _separable(axes: int, called: Called) -> Value:
    x, kernel, stride, dilation = _windowed(called, axes)
    inner, depth = x.shape[1] * called.whole("depth_multiplier"), called.whole("filters")
    weight = called.depthwise("depthwise_kernel", (inner, 1, *kernel), x.shape[1])
    pairs = _pairs(called, x, kernel, stride, dilation)
    x = convolution(called.writer, x, weight, None, stride, pairs, dilation, x.shape[1])
    point = called.kernel("pointwise_kernel", (depth, inner, *(1,) * axes))
    return _activated(called, convolution(called.writer, x, point, _bias(called, depth)))


def _transposed(axes: int, called: Called) -> Value:
    """As TensorFlow: the gradient of a convolution whose outputs are this one's inputs."""
    x, kernel, stride, dilation = _windowed(called, axes)
    called.absent("output_padding")
    depth = called.whole("filters")
    called.text("padding", "valid", "same")
    is_same = called.values["padding"] == "same"
    crops, more, ends = [], [], []
    for k, s, d in zip(kernel, stride, dilation, strict=True):
        reach = d * (k - 1) + 1
        total = max(reach - s, 0) if is_same else 0
        crops.append(total // 2)
        ends.append(-(total % 2))
        more.append(max(s - reach, 0))
    weight = called.kernel("kernel", (x.shape[1], depth, *kernel))
    bias = _bias(called, depth)
    made = transposed(called.writer, x, weight, bias, stride, tuple(crops), tuple(more), 1, dilation)
    if any(ends):
        made = pad(called.writer, made, tuple((0, each) for each in ends))
    return _activated(called, made)


def _dense(called: Called) -> Value:
    called.absent("lora_rank")
    value, units = called.value, called.whole("units")
    x = value.keras if len(value.shape) > 2 else value.plain
    behind = (*value.sizes[1:], value.sizes[0]) if value.loose is not None else (x.shape[-1],)
    order = (len(behind), len(behind) - 1, *range(len(behind) - 1))
    weight = called.param("kernel", (units, x.shape[-1]), (*behind, units), order)
    made = Value(called.writer, keras=linear(called.writer, x, weight, _bias(called, units)))
    return activated(called, made, called.values["activation"])


def _last(called: Called, rank: int) -> bool:
    """Whether a norm is over the last axis, as Keras counts them; else it must be over the one after the batch."""
    axis = called.values["axis"]
    several = axis if isinstance(axis, list | tuple) else [axis]
    if len(several) != 1 or isinstance(several[0], bool) or not isinstance(several[0], int):
        raise CallError(f"it is over the axes {axis!r}, not over one")
    if several[0] in (-1, rank - 1):
        return True
    if several[0] in (1, 1 - rank):
        return False
    raise CallError(f"it is over axis {several[0]}, which is not the depth")


def _gain_and_bias(called: Called, depth: int) -> tuple[Wire | None, Wire | None, bool]:
    """Gain and bias where there are both, and whether there is one alone."""
    scale, center = called.flag("scale"), called.flag("center")
    if scale != center:
        return None, None, True
    return (called.param("gamma", (depth,)), called.param("beta", (depth,)), False) if scale else (None, None, False)


def _alone(called: Called, x: Wire, at: int) -> Wire:
    """A gain or a bias alone, after a norm without."""
    ones = tuple(-1 if axis == at % len(x.shape) else 1 for axis in range(len(x.shape)))
    role, op = ("gamma", "mul") if called.flag("scale") else ("beta", "add")
    held = called.param(role, (x.shape[at],))
    return arithmetic(called.writer, op, x, viewed(called.writer, held, ones[1:] if at != 0 else ones))


def _batch_norm(called: Called) -> Value:
    called.absent("renorm")
    value = called.value
    last = _last(called, len(value.shape))
    x = value.volume if last else value.keras
    depth = x.shape[1]
    gain, bias, alone = _gain_and_bias(called, depth)
    mean, variance = called.buffer("moving_mean", (depth,)), called.buffer("moving_variance", (depth,))
    # 1 - 0.99 is 0.010000000000000009, and means 0.01.
    momentum = float(f"{1 - called.number('momentum'):.12g}")
    made = batch_norm(called.writer, x, gain, bias, mean, variance, called.number("epsilon"), momentum)
    made = _alone(called, made, 1) if alone else made
    return value.made(made, "channels_last" if last else "channels_first")


def _layer_norm(called: Called) -> Value:
    value = called.value
    if called.values.get("rms_scaling"):
        raise CallError("its `rms_scaling` is True, which cannot be read")
    if not _last(called, len(value.shape)):
        raise CallError("it is not over the last axis")
    x = value.keras
    gain, bias, alone = _gain_and_bias(called, x.shape[-1])
    made = layer_norm(called.writer, x, (x.shape[-1],), gain, bias, called.number("epsilon"))
    return Value(called.writer, keras=_alone(called, made, -1) if alone else made)


def _group_norm(called: Called) -> Value:
    value = called.value
    last = _last(called, len(value.shape))
    x = value.volume if last else value.keras
    depth = x.shape[1]
    groups = depth if called.values["groups"] == -1 else called.whole("groups")
    if groups < 1 or depth % groups:
        raise CallError(f"a depth of {depth} has no {plural(groups, 'equal group')}")
    gain, bias, alone = _gain_and_bias(called, depth)
    arguments: dict[str, Any] = {"input": x, "num_groups": groups, "weight": gain, "bias": bias}
    made = called.writer.call("group_norm", x.shape, arguments | {"eps": called.number("epsilon")})
    made = _alone(called, made, 1) if alone else made
    return value.made(made, "channels_last" if last else "channels_first")


def _prelu(called: Called) -> Value:
    value = called.value
    shared = called.values["shared_axes"] or ()
    given = {each % len(value.shape) for each in (shared if isinstance(shared, list | tuple) else (shared,))}
    own = [axis for axis in range(1, len(value.shape)) if axis not in given]
    if own == [len(value.shape) - 1]:
        x = value.volume
        made = called.writer.call("prelu", x.shape, {"self": x, "weight": called.param("alpha", (x.shape[1],))})
        return Value(called.writer, volume=made)
    if own:
        raise CallError("it has slopes of its own at every position: only one a map, or one for all, can be read")
    x = value.plain
    return value.alike(called.writer.call("prelu", x.shape, {"self": x, "weight": called.param("alpha", (1,))}))


def _layer_scale(called: Called) -> Value:
    x = called.value.plain
    at = 1 if called.value.stands_first else len(x.shape) - 1
    held = called.param("gamma", (x.shape[at],))
    ones = tuple(-1 if axis == at else 1 for axis in range(1, len(x.shape)))
    return called.value.alike(arithmetic(called.writer, "mul", x, viewed(called.writer, held, ones)))


_FORM = "data_format=None"
_TAIL = "activation=None, use_bias=True"
_CONVOLUTION = f"filters, kernel_size, strides=1, padding='valid', {_FORM}, dilation_rate=1, groups=1, {_TAIL}"
_TRANSPOSED = (
    f"filters, kernel_size, strides=1, padding='valid', output_padding=None, {_FORM}, dilation_rate=1, {_TAIL}"
)
_DEPTHWISE = (
    f"kernel_size, strides=1, padding='valid', depth_multiplier=1, {_FORM}, dilation_rate=1, activation=None, "
    "use_bias=True, *, groups=1, filters=None"
)
_SEPARABLE = (
    f"filters, kernel_size, strides=1, padding='valid', {_FORM}, dilation_rate=1, depth_multiplier=1, activation=None, "
    "use_bias=True, *, groups=1"
)
_NORM = "center=True, scale=True"

WEIGHTED: dict[str, tuple[str, Writes]] = {
    **{f"Conv{axes}D": (_CONVOLUTION, partial(_convolution, axes)) for axes in (1, 2, 3)},
    **{f"Conv{axes}DTranspose": (_TRANSPOSED, partial(_transposed, axes)) for axes in (1, 2, 3)},
    **{f"DepthwiseConv{axes}D": (_DEPTHWISE, partial(_depthwise, axes)) for axes in (1, 2)},
    **{f"SeparableConv{axes}D": (_SEPARABLE, partial(_separable, axes)) for axes in (1, 2)},
    "Dense": ("units, activation=None, use_bias=True, *, lora_rank=None", _dense),
    "BatchNormalization": (f"axis=-1, momentum=0.99, epsilon=0.001, {_NORM}, *, renorm=False", _batch_norm),
    "LayerNormalization": (f"axis=-1, epsilon=0.001, {_NORM}, *, rms_scaling=False", _layer_norm),
    "GroupNormalization": (f"groups=32, axis=-1, epsilon=0.001, {_NORM}", _group_norm),
    "PReLU": ("shared_axes=None", _prelu),
    # A layer of keras.applications' ConvNeXt.
    "LayerScale": ("init_values=None, projection_dim=None", _layer_scale),
}
