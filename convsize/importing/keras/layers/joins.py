"""Layers of several tensors, and operations on tensors that code writes as `x + y`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from convsize.importing.aten.values import arithmetic, broadcast, concatenated, pointwise, reduced
from convsize.importing.keras.layers.activations import ACTIVATIONS
from convsize.importing.keras.layers.called import Called, Writes
from convsize.importing.keras.values import Value
from convsize.importing.writer import CallError, Wire
from convsize.words import plural

__all__ = ["JOINS"]


def _together(values: list[Value]) -> tuple[list[Wire], Callable[[Wire], Value]]:
    """Tensors of one rank in one order of axes, and how to say what is computed from them.

    The depth first where the most stand so.
    """
    if len({len(each.shape) for each in values}) > 1:
        raise CallError(f"tensors of {' and '.join(str(len(each.shape)) for each in values)} axes meet")
    first = 2 * sum(each.stands_first for each in values) >= len(values)
    writer = values[0].writer
    if first:
        return [each.volume for each in values], lambda wire: Value(writer, volume=wire)
    return [each.keras for each in values], lambda wire: Value(writer, keras=wire)


def _several(called: Called) -> list[Value]:
    if len(called.inputs) < 2:
        raise CallError(f"it joins {plural(len(called.inputs), 'tensor')}")
    return called.inputs


def _joined(op: str, called: Called) -> Value:
    wires, made = _together(_several(called))
    found = wires[0]
    for each in wires[1:]:
        found = arithmetic(called.writer, op, found, each)
    return made(found)


def _extreme(op: str, called: Called) -> Value:
    wires, made = _together(_several(called))
    found = wires[0]
    for each in wires[1:]:
        shape = broadcast(found.shape, each.shape)
        found = called.writer.call(op, shape, {"self": found, "other": each})
    return made(found)


def _average(called: Called) -> Value:
    wires, made = _together(_several(called))
    found = wires[0]
    for each in wires[1:]:
        found = arithmetic(called.writer, "add", found, each)
    return made(arithmetic(called.writer, "div", found, float(len(wires))))


def _scaled_sum(called: Called) -> Value:
    """A layer of keras.applications' InceptionResNet: x + y·scale."""
    wires, made = _together(_several(called))
    if len(wires) != 2:
        raise CallError(f"it takes 2 tensors, and is called with {len(wires)}")
    return made(
        arithmetic(called.writer, "add", wires[0], arithmetic(called.writer, "mul", wires[1], called.number("scale")))
    )


def _subtract(called: Called) -> Value:
    if len(called.inputs) != 2:
        raise CallError(f"it takes 2 tensors, and is called with {len(called.inputs)}")
    return _joined("sub", called)


def _concatenate(called: Called) -> Value:
    values = _several(called)
    axis = called.whole("axis")
    rank = len(values[0].shape)
    if any(len(each.shape) != rank for each in values):
        raise CallError("tensors of different ranks are joined")
    if not -rank <= axis < rank or axis % rank == 0:
        raise CallError(f"it joins along axis {axis} of {rank}")
    if axis % rank == rank - 1:
        return Value(called.writer, volume=concatenated(called.writer, [each.volume for each in values], 1))
    return Value(called.writer, keras=concatenated(called.writer, [each.keras for each in values], axis % rank))


def _operation(op: str, called: Called) -> Value:
    """`x + y`: two tensors, or a tensor and a number, in either order."""
    named = [called.named[name] for name in ("x", "y", "x1", "x2") if name in called.named]
    given = [*called.operands, *named]
    if len(given) != 2:
        raise CallError(f"it takes 2 operands, and is given {len(given)}")
    left, right = given
    if isinstance(left, Value) and isinstance(right, Value):
        wires, made = _together([left, right])
        return made(arithmetic(called.writer, op, *wires))
    if isinstance(left, Value):
        return left.alike(arithmetic(called.writer, op, left.plain, _number(right)))
    if not isinstance(right, Value):
        raise CallError("it works on no tensor")
    number = _number(left)
    if op in ("add", "mul"):
        return right.alike(arithmetic(called.writer, op, right.plain, number))
    if op == "sub":
        minus = arithmetic(called.writer, "mul", right.plain, -1.0)
        return right.alike(arithmetic(called.writer, "add", minus, number))
    raise CallError("a number is divided by a tensor")


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CallError(f"it takes {value!r}, which is neither a tensor nor a number")
    return float(value)


def _function(op: str, called: Called) -> Value:
    """A function of every value, called with its tensor alone."""
    if called.named and any(each is not None for each in called.named.values()):
        raise CallError(f"it is called with {', '.join(called.named)}, which cannot be read")
    value = called.value
    if op in ACTIVATIONS:
        return value.alike(ACTIVATIONS[op](called.writer, value.plain))
    return value.alike(pointwise(called.writer, op, value.plain))


def _reduction(op: str, called: Called) -> Value:
    value = called.value
    axis = called.values["axis"]
    several = axis if isinstance(axis, list | tuple) else [axis]
    rank = len(value.shape)
    if any(isinstance(each, bool) or not isinstance(each, int) or not -rank <= each < rank for each in several):
        raise CallError(f"it is over the axes {axis!r}")
    if any(each % rank == 0 for each in several):
        raise CallError("it is over the samples")
    keep = bool(called.values["keepdims"])
    if sorted(each % rank for each in several) == list(range(1, rank - 1)):
        # Over all positions: the depth stays after the batch.
        return Value(called.writer, volume=reduced(called.writer, op, value.volume, tuple(range(2, rank)), keep))
    return Value(called.writer, keras=reduced(called.writer, op, value.keras, tuple(several), keep))


_FUNCTIONS = {
    **{
        name: name.lower()
        for name in ("Relu", "Relu6", "Sigmoid", "Tanh", "Silu", "Elu", "Selu", "Softplus", "Softsign")
    },
    **{name: name.lower() for name in ("Exp", "Log", "Sqrt", "Abs", "Square")},
    "Absolute": "abs",
    "Negative": "neg",
    "HardSilu": "hard_silu",
}

JOINS: dict[str, tuple[str, Writes]] = {
    "Add": ("", partial(_joined, "add")),
    "Multiply": ("", partial(_joined, "mul")),
    "Subtract": ("", _subtract),
    "Average": ("", _average),
    "Maximum": ("", partial(_extreme, "maximum")),
    "Minimum": ("", partial(_extreme, "minimum")),
    "Concatenate": ("axis=-1", _concatenate),
    "CustomScaleLayer": ("scale", _scaled_sum),
    **{
        f"ops.{name}": ("", partial(_operation, op))
        for name, op in (
            ("Add", "add"),
            ("Subtract", "sub"),
            ("Multiply", "mul"),
            ("Divide", "div"),
            ("TrueDivide", "div"),
        )
    },
    **{f"ops.{name}": ("", partial(_function, op)) for name, op in _FUNCTIONS.items()},
    "ops.Concatenate": ("axis=0", _concatenate),
    "ops.Mean": ("axis=None, keepdims=False", partial(_reduction, "mean")),
    "ops.Sum": ("axis=None, keepdims=False", partial(_reduction, "sum")),
    "ops.Max": ("axis=None, keepdims=False, *, initial=None", partial(_reduction, "amax")),
}
