"""Activations of Keras by their names, as layers and as arguments of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convsize.importing.aten.values import arithmetic, pointwise
from convsize.importing.keras.layers.called import Called
from convsize.importing.keras.values import Value
from convsize.importing.writer import CallError, Wire, Writer

__all__ = ["ACTIVATIONS", "activated", "softmax"]

Plain = Callable[[Writer, Wire], Wire]


def _op(op: str, **arguments: Any) -> Plain:
    return lambda writer, x: pointwise(writer, op, x, **arguments)


def _softsign(writer: Writer, x: Wire) -> Wire:
    return arithmetic(writer, "div", x, arithmetic(writer, "add", pointwise(writer, "abs", x), 1.0))


ACTIVATIONS: dict[str, Plain] = {
    "relu": _op("relu"),
    "relu6": _op("hardtanh", min_val=0.0, max_val=6.0),
    "sigmoid": _op("sigmoid"),
    "tanh": _op("tanh"),
    "silu": _op("silu"),
    "swish": _op("silu"),
    "gelu": _op("gelu", approximate="none"),
    "elu": _op("elu", alpha=1.0),
    "selu": _op("selu"),
    "celu": _op("celu", alpha=1.0),
    "softplus": _op("softplus"),
    "softsign": _softsign,
    "mish": _op("mish"),
    "hard_silu": _op("hardswish"),
    "hard_swish": _op("hardswish"),
    "log_sigmoid": _op("log_sigmoid"),
    "exponential": _op("exp"),
    "leaky_relu": _op("leaky_relu", negative_slope=0.2),
    "hard_tanh": _op("hardtanh", min_val=-1.0, max_val=1.0),
}
"""Those that work on every value by itself; the numbers are Keras's defaults."""


def activated(called: Called, value: Value, given: Any) -> Value:
    """A value after an activation: a name, None, or a record of Keras that names a function or a layer."""
    if isinstance(given, dict):
        config = given.get("config")
        if isinstance(config, str) and given.get("module") in ("builtins", "keras.activations", None):
            given = config
        elif isinstance(config, dict) and str(given.get("module", "keras")).split(".")[0] == "keras":
            raise CallError(f"its activation is a layer with arguments of its own, {given.get('class_name')!r}")
    if given is None or given == "linear":
        return value
    if not isinstance(given, str):
        raise CallError(f"its activation is {given!r}, which is no name of one")
    name = given.rpartition(".")[2]
    if name in ("softmax", "log_softmax"):
        return softmax(value, name, -1)
    if name == "hard_sigmoid":
        # Keras 3 means relu6(x + 3)/6, the older one clip(0.2 x + 0.5).
        if called.keras3 is not True:
            said = "the model does not say of which it is" if called.keras3 is None else "the file is not of Keras 3"
            raise CallError(f"hard_sigmoid means one function in Keras 2 and another in Keras 3, and {said}")
        return value.alike(pointwise(called.writer, "hardsigmoid", value.plain))
    if name not in ACTIVATIONS:
        raise CallError(f"its activation is `{given[:60]}`, which is not known")
    return value.alike(ACTIVATIONS[name](called.writer, value.plain))


def softmax(value: Value, op: str, axis: int) -> Value:
    """A softmax over an axis as Keras counts them."""
    rank = len(value.shape)
    if not -rank <= axis < rank or axis % rank == 0:
        raise CallError(f"a softmax over axis {axis} of {rank}")
    if value.stands_first and axis % rank == rank - 1:
        return value.alike(pointwise(value.writer, op, value.volume, dim=1))
    return Value(value.writer, keras=pointwise(value.writer, op, value.keras, dim=axis % rank))
