"""Layers that hold weights: convolutions, norms, linear layers."""

from __future__ import annotations

import math
from typing import Any

from convsize.importing.axes import UnsayableError, flat, merged, size, standard
from convsize.importing.calls import BATCH
from convsize.importing.handlers.pointwise import pointwise
from convsize.importing.layers import Held
from convsize.importing.reader import Asked, Handler
from convsize.importing.values import Meaning, Standard, Value, Weight
from convsize.words import plural

__all__ = ["HANDLERS"]


def _convolution(asked: Asked) -> Value:
    held = asked.meaning("weight")
    numbers: dict[str, Any] = {}
    weights: dict[str, Held] = {}
    if isinstance(held, Standard):
        shape = held.shape
        weights["weight"] = Held(held.path)
        numbers["ws"] = "sws" if held.gain else "ws"
        numbers["eps"] = held.eps
        if held.gain:
            weights["gain"] = Held(held.gain)
    else:
        weight = asked.weight("weight")
        assert weight is not None
        shape = weight.shape
        weights["weight"] = Held(weight.path)
    bias = asked.weight("bias", "biases")
    if bias is not None:
        weights["bias"] = Held(bias.path)
    axes = len(shape) - 2
    layer = asked.reader.volume(asked.value("input"))
    source = asked.reader.layers[layer].volume
    if len(source) != axes + 1:
        raise UnsayableError(f"a convolution over {plural(axes, 'axis')} of a volume that has {len(source) - 1}")
    groups = asked.number("groups", 1)
    padding = asked.number("padding", 0)
    dilation = asked.sizes("dilation", axes)
    kernel = shape[2:]
    if padding == "valid":
        padding = 0
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        pads = tuple((each // 2, each - each // 2) for each in total)
    else:
        sizes = (padding,) * axes if isinstance(padding, int) else tuple(padding)
        sizes = sizes if len(sizes) == axes else sizes * axes
        pads = tuple((each, each) for each in sizes)
    volume = asked.shape[1:]
    depthwise = groups == source[0] and groups > 1
    numbers = {
        "size": kernel,
        "depth": shape[0],
        "stride": asked.sizes("stride", axes),
        "padding": pads,
        "dilation": dilation,
        "groups": 1 if depthwise else groups,
        "bias": bias is not None,
        **numbers,
    }
    kind = "DW" if depthwise else "C"
    factor = held.times if isinstance(held, Standard) else 1.0
    if abs(factor - 1) < 1e-12:
        return asked.reader.add(kind, (layer,), volume, weights, **numbers)
    # The factor of the weights is one of what they give, before the bias.
    held_bias = weights.pop("bias", None)
    made = pointwise(
        asked,
        asked.reader.add(kind, (layer,), volume, weights, **{**numbers, "bias": False}),
        "times",
        k=float(f"{factor:.15g}"),
    )
    return asked.reader.add("bias", (made.layer,), volume, {"bias": held_bias}) if held_bias else made


def _transposed(asked: Asked) -> Value:
    weight = asked.weight("weight")
    bias = asked.weight("bias", "biases")
    assert weight is not None
    axes = len(weight.shape) - 2
    layer = asked.reader.volume(asked.value("input"))
    weights = {"weight": Held(weight.path)} | ({"bias": Held(bias.path)} if bias is not None else {})
    return asked.reader.add(
        "T",
        (layer,),
        asked.shape[1:],
        weights,
        size=weight.shape[2:],
        depth=asked.shape[1],
        stride=asked.sizes("stride", axes),
        padding=tuple((each, each) for each in asked.sizes("padding", axes, 0)),
        dilation=asked.sizes("dilation", axes),
        groups=asked.number("groups", 1),
        output_padding=asked.sizes("output_padding", axes, 0),
        bias=bias is not None,
    )


def _linear(asked: Asked) -> Value:
    weight = asked.weight("weight")
    bias = asked.weight("bias", "biases")
    assert weight is not None
    weights = {"weight": Held(weight.path)} | ({"bias": Held(bias.path)} if bias is not None else {})
    units = weight.shape[0]
    value = asked.value("input")
    layer = value.layer
    volume = asked.reader.layers[layer].volume
    if len(value.axes) == 2 and value.axes[0] == standard(BATCH, volume)[0]:
        layer = asked.reader.volume(value)
        return asked.reader.add("FC", (layer,), (units,), weights, depth=units, bias=bias is not None)
    depth = standard(BATCH, volume)[1]
    if value.axes[-1] != depth or any(each.axis == 0 for axis in value.axes[:-1] for each in axis):
        raise UnsayableError("a linear layer over positions or over part of the depth")
    if len(volume) == 1:
        made = asked.reader.add("FC", (layer,), (units,), weights, depth=units, bias=bias is not None)
    else:
        made = _pointwise(asked, layer, units, weights)
    return value.replace(layer=made.layer, axes=(*value.axes[:-1], made.axes[1]), alias=True)


def _pointwise(asked: Asked, layer: int, units: int, weights: dict[str, Held]) -> Value:
    volume = asked.reader.layers[layer].volume
    ones = (1,) * (len(volume) - 1)
    return asked.reader.add(
        "C",
        (layer,),
        (units, *volume[1:]),
        weights,
        size=ones,
        depth=units,
        stride=ones,
        padding=tuple((0, 0) for _ in ones),
        dilation=ones,
        groups=1,
        bias="bias" in weights,
    )


def _batch_norm(asked: Asked) -> Meaning:
    found = asked.meaning("input")
    if isinstance(found, Weight):
        return _standardised(asked, found)
    value = asked.value("input")
    if asked.number("training", asked.number("use_input_stats", False)):
        raise UnsayableError("a batch norm that uses the statistics of the batch in evaluation, too")
    if value.axes[1:2] != standard(BATCH, asked.reader.layers[value.layer].volume)[1:2]:
        value = Value(*_fresh(asked, value))
    if asked.arguments.get("momentum", 0.1) is None:
        raise UnsayableError("a batch norm whose statistics are the mean over all batches (momentum=None)")
    weights = _gain_and_bias(asked)
    weights["running_mean"] = Held(asked.reader.buffer(asked, "running_mean"))
    weights["running_var"] = Held(asked.reader.buffer(asked, "running_var"))
    volume = asked.reader.layers[value.layer].volume
    numbers = {"bias": "weight" in weights, "eps": asked.number("eps", 1e-5), "momentum": asked.number("momentum", 0.1)}
    made = asked.reader.add("BN", (value.layer,), volume, weights, **numbers)
    return asked.reader.like(value, made.layer)


def _fresh(asked: Asked, value: Value) -> tuple[int, Any]:
    layer = asked.reader.volume(value)
    return layer, standard(BATCH, asked.reader.layers[layer].volume)


def _gain_and_bias(asked: Asked) -> dict[str, Held]:
    weight, bias = asked.weight("weight", "gains"), asked.weight("bias", "biases")
    if (weight is None) != (bias is None):
        raise UnsayableError("a norm with a gain or a bias alone")
    return {} if weight is None or bias is None else {"weight": Held(weight.path), "bias": Held(bias.path)}


def _standardised(asked: Asked, weight: Weight) -> Meaning:
    """Weight standardisation, as timm has it: a batch norm of the filters."""
    if not asked.number("training", False) or asked.number("running_mean") is not None:
        raise UnsayableError("a batch norm of weights")
    gain = asked.meaning("weight")
    filters = size(weight.axes[1]) if len(weight.axes) == 3 else 0
    if filters != weight.shape[0] or asked.meaning("bias") is not None or weight.times != 1:
        raise UnsayableError("a norm of weights that is no standardisation of filters")
    eps = float(asked.number("eps", 1e-5))
    if gain is None:
        return Standard(weight.path, weight.shape, eps)
    if not isinstance(gain, Weight) or gain.shape[0] != weight.shape[0]:
        raise UnsayableError("a norm of weights that is no standardisation of filters")
    return Standard(weight.path, weight.shape, eps, gain.path, gain.times * math.prod(weight.shape[1:]) ** 0.5)


def _layer_norm(asked: Asked) -> Value:
    value = asked.value("input")
    volume = asked.reader.layers[value.layer].volume
    over = len(asked.number("normalized_shape"))
    depth = standard(BATCH, volume)[1]
    if over != 1 or value.axes[-1] != depth:
        if over == len(value.axes) - 1 and merged(flat(value.axes[1:])) == merged(flat(standard(BATCH, volume)[1:])):
            raise UnsayableError("a layer norm over positions and depth together")
        raise UnsayableError("a layer norm over other axes than the depth")
    weight, bias = asked.weight("weight", "gains"), asked.weight("bias", "biases")
    both = _gain_and_bias(asked) if (weight is None) == (bias is None) else {}
    numbers = {"bias": bool(both), "eps": asked.number("eps", 1e-5)}
    made = asked.reader.add("LN", (value.layer,), volume, both, **numbers)
    if not both:
        for kind, role, held in (("scale", "weight", weight), ("bias", "bias", bias)):
            if held is not None:
                made = asked.reader.add(kind, (made.layer,), volume, {role: Held(held.path)})
    return asked.reader.like(value, made.layer)


def _rms_norm(asked: Asked) -> Value:
    value = asked.value("input")
    volume = asked.reader.layers[value.layer].volume
    if len(asked.number("normalized_shape")) != 1 or value.axes[-1] != standard(BATCH, volume)[1]:
        raise UnsayableError("a root mean square norm over other axes than the depth")
    weight = asked.weight("weight", "gains")
    weights = {} if weight is None else {"weight": Held(weight.path)}
    made = asked.reader.add(
        "rms", (value.layer,), volume, weights, eps=asked.number("eps"), gain=1 if weight is not None else 0
    )
    return asked.reader.like(value, made.layer)


def _group_norm(asked: Asked) -> Value:
    layer = asked.reader.volume(asked.value("input"))
    volume = asked.reader.layers[layer].volume
    weights = _gain_and_bias(asked)
    numbers = {"groups": asked.number("num_groups"), "bias": "weight" in weights, "eps": asked.number("eps", 1e-5)}
    return asked.reader.add("GN", (layer,), volume, weights, **numbers)


def _instance_norm(asked: Asked) -> Value:
    if not asked.number("use_input_stats", True) or asked.number("running_mean") is not None:
        raise UnsayableError("an instance norm with running statistics")
    layer = asked.reader.volume(asked.value("input"))
    weights = _gain_and_bias(asked)
    numbers = {"bias": "weight" in weights, "eps": asked.number("eps", 1e-5)}
    return asked.reader.add("IN", (layer,), asked.reader.layers[layer].volume, weights, **numbers)


def _response_norm(asked: Asked) -> Value:
    layer = asked.reader.volume(asked.value("self"))
    numbers: dict[str, Any] = {name: float(asked.number(name)) for name in ("alpha", "beta", "k")}
    return asked.reader.add("LRN", (layer,), asked.reader.layers[layer].volume, n=asked.number("size"), **numbers)


def _prelu(asked: Asked) -> Value:
    layer = asked.reader.volume(asked.value("self"))
    weight = asked.weight("weight", "slopes")
    assert weight is not None
    volume = asked.reader.layers[layer].volume
    return asked.reader.add(
        "prelu", (layer,), volume, {"weight": Held(weight.path)}, slopes=weight.shape[0] if weight.shape else 1
    )


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _convolution),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _transposed),
    "linear": _linear,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "prelu": _prelu,
    "local_response_norm": _response_norm,
}
