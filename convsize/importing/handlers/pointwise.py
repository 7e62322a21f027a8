"""Pointwise functions: every value by itself, so that the views of a volume stay as they are."""

from __future__ import annotations

import math
from typing import Any

from convsize.importing.axes import UnsayableError, merged, standard
from convsize.importing.calls import BATCH
from convsize.importing.reader import Asked, Handler
from convsize.importing.values import Constant, Meaning, Scores, Value

__all__ = ["HANDLERS", "pointwise"]


def pointwise(asked: Asked, value: Value, kind: str, **numbers: Any) -> Value:
    """A layer that works on every value by itself."""
    volume = asked.reader.layers[value.layer].volume
    made = asked.reader.add(kind, (value.layer,), volume, **numbers)
    return asked.reader.like(value, made.layer)


def _plain(kind: str) -> Handler:
    def handler(asked: Asked) -> Meaning:
        name = "self" if "self" in asked.arguments else "input"
        return pointwise(asked, asked.value(name), kind)

    return handler


def _argued(kind: str, *arguments: tuple[str, str, float]) -> Handler:
    """A word with numbers: (its name in the language, in the call, and the call's default)."""

    def handler(asked: Asked) -> Meaning:
        numbers = {name: float(asked.number(theirs, default)) for name, theirs, default in arguments}
        return pointwise(asked, asked.value("self"), kind, **numbers)

    return handler


def _hardtanh(asked: Asked) -> Meaning:
    low, high = asked.number("min_val", -1), asked.number("max_val", 1)
    if (low, high) == (0, 6):
        return pointwise(asked, asked.value("self"), "relu6")
    return pointwise(asked, asked.value("self"), "clamp", low=float(low), high=float(high))


def _clamp(asked: Asked) -> Meaning:
    low, high = asked.number("min"), asked.number("max")
    if isinstance(asked.meaning("self"), Constant):
        return Constant(asked.shape)
    if (low, high) == (0, 6):
        return pointwise(asked, asked.value("self"), "relu6")
    if low is not None and math.isinf(low):
        low = None
    if high is not None and math.isinf(high):
        high = None
    if low is None and high is None:
        return asked.value("self")
    numbers = {name: float(each) for name, each in (("low", low), ("high", high)) if each is not None}
    return pointwise(asked, asked.value("self"), "clamp", **numbers)


def _elu(asked: Asked) -> Meaning:
    if (asked.number("scale", 1), asked.number("input_scale", 1)) != (1, 1):
        raise UnsayableError("an ELU with a scale")
    return pointwise(asked, asked.value("self"), "elu", alpha=float(asked.number("alpha", 1)))


def _gelu(asked: Asked) -> Meaning:
    tanh = asked.number("approximate", "none") == "tanh"
    return pointwise(asked, asked.value("self"), "gelu", **({"tanh": True} if tanh else {}))


def _softplus(asked: Asked) -> Meaning:
    if (asked.number("beta", 1), asked.number("threshold", 20)) != (1, 20):
        raise UnsayableError("a softplus with other numbers")
    return pointwise(asked, asked.value("self"), "softplus")


def _dropout(asked: Asked) -> Meaning:
    if asked.number("train", False):
        raise UnsayableError("a dropout that drops in evaluation, too")
    value = asked.meaning("self" if "self" in asked.arguments else "input")
    if not isinstance(value, Value):
        assert value is not None
        return value
    p = float(asked.number("p", 0.5))
    if p == 0:
        return value
    path = asked.call.scope[-1].kind if asked.call.scope else ""
    kind = "droppath" if path in ("DropPath", "StochasticDepth") else "drop"
    volume = asked.reader.layers[value.layer].volume
    made = asked.reader.add(kind, (value.layer,), volume, shares=(0, volume[0]), p=p)
    return value.replace(layer=made.layer)


def _power(asked: Asked) -> Meaning:
    found = asked.meaning("self")
    if isinstance(found, Constant):
        return Constant(asked.shape)
    exponent = asked.number("exponent")
    if not isinstance(exponent, int | float):
        raise UnsayableError("a power with a computed exponent")
    return pointwise(asked, asked.value("self"), "power", p=float(exponent))


def _rsqrt(asked: Asked) -> Meaning:
    return pointwise(asked, asked.value("self"), "power", p=-0.5)


def _reciprocal(asked: Asked) -> Meaning:
    return pointwise(asked, asked.value("self"), "power", p=-1.0)


def _negative(asked: Asked) -> Meaning:
    return pointwise(asked, asked.value("self"), "times", k=-1.0)


def _square(asked: Asked) -> Meaning:
    return pointwise(asked, asked.value("self"), "power", p=2.0)


def _softmax(kind: str) -> Handler:
    def handler(asked: Asked) -> Meaning:
        found = asked.meaning("self")
        if isinstance(found, Scores) and kind == "S" and asked.number("dim") in (-1, len(asked.shape) - 1):
            if found.soft:
                raise UnsayableError("a softmax of the weights of attention")
            return found.replace(soft=True)
        value = asked.value("self")
        axis = merged(value.axes[asked.number("dim") % len(value.axes)])
        volume = asked.reader.layers[value.layer].volume
        if not axis and len(volume) > 1 and volume[0] == 1:
            raise UnsayableError("a softmax of single values")
        if axis == standard(BATCH, volume)[1]:
            return pointwise(asked, value, kind)
        if kind == "S" and len(axis) == 1 and axis[0].axis == 0 and axis[0].stride > 1:
            groups = volume[0] // (axis[0].stride * axis[0].size)
            return pointwise(asked, value, "softmax", slices=axis[0].size, **({"groups": groups} if groups > 1 else {}))
        raise UnsayableError("a softmax over positions or over part of the depth")

    return handler


def _glu(asked: Asked) -> Meaning:
    value = asked.value("self")
    volume = asked.reader.layers[value.layer].volume
    at = asked.number("dim", -1) % len(value.axes)
    if value.axes[at] != standard(BATCH, volume)[1]:
        raise UnsayableError("a gated linear unit over other axes than the depth")
    made = asked.reader.add("glu", (value.layer,), (volume[0] // 2, *volume[1:]))
    return Value(made.layer, (*value.axes[:at], made.axes[1], *value.axes[at + 1 :]))


def _same(asked: Asked) -> Meaning:
    """What changes nothing."""
    found = asked.meaning("self") or asked.meaning("input")
    if found is None:
        raise UnsayableError("there is no layer for it")
    return found


def _copy(asked: Asked) -> Meaning:
    """A copy: what is changed in place afterwards is another tensor."""
    found = _same(asked)
    return found.replace(copy=len(asked.reader.names), alias=True) if isinstance(found, Value) else found


def _perhaps(asked: Asked) -> Meaning:
    """A copy where the values do not stand in this order already."""
    found = _same(asked)
    return found.replace(alias=False) if isinstance(found, Value) else found


def _cast(asked: Asked) -> Meaning:
    """A cast to the type that it has is nothing."""
    found = _same(asked)
    if isinstance(found, Value) and asked.call.results[0].dtype != "float32":
        raise UnsayableError("a cast to another type")
    return found.replace(alias=False) if isinstance(found, Value) else found


WORDS: dict[str, str] = {
    "relu": "R",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "silu": "silu",
    "mish": "mish",
    "hardswish": "hswish",
    "hardsigmoid": "hsigmoid",
    "selu": "selu",
    "exp": "exp",
    "abs": "abs",
    "log": "log",
    "sqrt": "sqrt",
}


def _fixed(asked: Asked) -> Meaning:
    """A tensor of fixed values that has the type or the shape of another."""
    return Constant(asked.shape)


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("new_zeros", "new_ones", "new_full", "new_empty", "zeros_like", "ones_like", "full_like"), _fixed),
    **{op: _plain(kind) for op, kind in WORDS.items()},
    "leaky_relu": _argued("leaky", ("a", "negative_slope", 0.01)),
    "hardtanh": _hardtanh,
    "clamp": _clamp,
    "clamp_min": _clamp,
    "clamp_max": _clamp,
    "elu": _elu,
    "gelu": _gelu,
    "softplus": _softplus,
    "pow": _power,
    "rsqrt": _rsqrt,
    "reciprocal": _reciprocal,
    "neg": _negative,
    "square": _square,
    "softmax": _softmax("S"),
    "log_softmax": _softmax("logsoftmax"),
    "glu": _glu,
    **dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout"), _dropout),
    **dict.fromkeys(("detach", "alias", "lift_fresh_copy"), _same),
    "clone": _copy,
    "contiguous": _perhaps,
    **dict.fromkeys(("to", "_to_copy", "type_as", "float"), _cast),
}
