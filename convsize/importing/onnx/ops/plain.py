"""Operators without weights: functions, arithmetic, reductions."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from convsize.importing.aten.values import arithmetic, broadcast, pointwise, reduced
from convsize.importing.onnx.fixed import Fixed
from convsize.importing.onnx.node import Node
from convsize.importing.writer import CallError, Wire

__all__ = ["PLAIN"]

_KEPT = 4096
"""Values that a constant may have to be kept."""


def _function(op: str, node: Node) -> Wire:
    return pointwise(node.writer, op, node.wire())


def _softplus(node: Node) -> Wire:
    return pointwise(node.writer, "softplus", node.wire())


def _numbered(op: str, numbers: tuple[tuple[str, str, float], ...], node: Node) -> Wire:
    """A function with numbers: (ONNX's name, the call's, ONNX's default)."""
    given = {theirs: node.number(own, default) for own, theirs, default in numbers}
    return pointwise(node.writer, op, node.wire(), **given)


def _selu(node: Node) -> Wire:
    if (
        abs(node.number("alpha", 1.6732632) - 1.6732632) > 1e-5
        or abs(node.number("gamma", 1.0507009) - 1.0507009) > 1e-5
    ):
        raise CallError("a SELU with other numbers")
    return pointwise(node.writer, "selu", node.wire())


def _hard_sigmoid(node: Node) -> Wire:
    alpha, beta = node.number("alpha", 0.2), node.number("beta", 0.5)
    x = node.wire()
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return pointwise(node.writer, "hardsigmoid", x)
    scaled = arithmetic(node.writer, "mul", x, alpha)
    return pointwise(node.writer, "hardtanh", arithmetic(node.writer, "add", scaled, beta), min_val=0.0, max_val=1.0)


def _gelu(node: Node) -> Wire:
    how = node.text("approximate", "none")
    if how not in ("none", "tanh"):
        raise CallError(f"its `approximate` is {how[:40]!r}")
    return pointwise(node.writer, "gelu", node.wire(), approximate=how)


def _softsign(node: Node) -> Wire:
    x = node.wire()
    return arithmetic(node.writer, "div", x, arithmetic(node.writer, "add", pointwise(node.writer, "abs", x), 1.0))


def _softmax(op: str, node: Node) -> Wire:
    x = node.wire()
    rank = len(x.shape)
    axis = node.whole("axis", -1 if node.opset >= 13 else 1)
    if not -rank <= axis < rank or axis % rank == 0:
        raise CallError(f"a softmax over axis {axis} of {rank}")
    if node.opset < 13 and math.prod(x.shape[axis % rank + 1 :]) != 1:
        raise CallError("a softmax over several axes together")
    return pointwise(node.writer, op, x, dim=axis % rank)


def _clip(node: Node) -> Wire:
    low, high = (node.number(name, sign * math.inf) for name, sign in (("min", -1), ("max", 1)))
    if node.opset >= 11:
        given = [node.numbers(at) for at in (1, 2)]
        low = float(given[0][0]) if given[0] else -math.inf
        high = float(given[1][0]) if given[1] else math.inf
    if math.isnan(low) or math.isnan(high):
        raise CallError("one of its limits is nan: it is none")
    low, high = (math.copysign(math.inf, each) if abs(each) > 3e38 else float(f"{each:.7g}") for each in (low, high))
    x = node.wire()
    if (low, high) == (-math.inf, math.inf):
        return x
    if (low, high) == (0, math.inf):
        return pointwise(node.writer, "relu", x)
    given_ = {name: each for name, each in (("min", low), ("max", high)) if math.isfinite(each)}
    if len(given_) == 2:
        return pointwise(node.writer, "hardtanh", x, min_val=low, max_val=high)
    return pointwise(node.writer, "clamp", x, **given_)


def _dropout(node: Node) -> Wire:
    ratio = node.numbers(1) if node.opset >= 12 else [node.number("ratio", 0.5)]
    training = node.numbers(2)
    if training and training[0]:
        raise CallError("it drops in evaluation, too: export the model for inference")
    return pointwise(node.writer, "dropout", node.wire(), p=float(ratio[0]) if ratio else 0.5, train=False)


def _cast(node: Node) -> Wire:
    if node.kind == "Cast" and node.whole("to", 1) != 1:
        raise CallError("a cast to another type than float32")
    return node.wire()


def _number(fixed: Fixed) -> float | None:
    """The value of a tensor of one value that no weight is; None for all others."""
    if fixed.array.size != 1 or (fixed.learned and len(fixed.shape) and _named(fixed.name)):
        return None
    return float(f"{float(fixed.array.reshape(-1)[0]):.7g}")


def _named(name: str) -> bool:
    """Whether a tensor has the name of a parameter, not one that an exporter made up."""
    return "." in name and "::" not in name and not name.startswith(("/", "_"))


def _operand(node: Node, at: int, like: Wire) -> Wire | float:
    found = node.given(at)
    if isinstance(found, Wire):
        return found
    if found is None:
        raise CallError("an operand is missing")
    number = _number(found)
    if number is not None and len(found.shape) <= len(like.shape):
        return number
    if found.learned:
        return node.holder.weight(found)
    if found.array.size > _KEPT:
        raise CallError("arithmetic with a large fixed tensor")
    return node.writer.const(found.shape, tuple(float(each) for each in found.numbers))


def _arithmetic(op: str, node: Node) -> Wire:
    left, right = node.given(0), node.given(1)
    if isinstance(left, Wire):
        return arithmetic(node.writer, op, left, _operand(node, 1, left))
    if not isinstance(right, Wire):
        raise CallError("it works on fixed values alone")
    first = _operand(node, 0, right)
    if op in ("add", "mul"):
        return arithmetic(node.writer, op, right, first)
    if isinstance(first, Wire):
        return arithmetic(node.writer, op, first, right)
    if op == "sub":
        return node.writer.call("rsub", right.shape, {"self": right, "other": first})
    return arithmetic(node.writer, "mul", pointwise(node.writer, "reciprocal", right), first)


def _several(op: str, node: Node) -> Wire:
    """Sum, Mean, Max, Min of any number of values."""
    found = node.wire(0)
    for at in range(1, len(node.inputs)):
        if op in ("maximum", "minimum"):
            other = node.wire(at)
            found = node.writer.call(op, broadcast(found.shape, other.shape), {"self": found, "other": other})
        else:
            found = arithmetic(node.writer, "add", found, node.wire(at))
    if op == "mean" and len(node.inputs) > 1:
        found = arithmetic(node.writer, "div", found, float(len(node.inputs)))
    return found


def _power(node: Node) -> Wire:
    exponent = node.numbers(1)
    if not exponent or len(exponent) != 1:
        raise CallError("a power with more exponents than one")
    return pointwise(node.writer, "pow", node.wire(), exponent=float(exponent[0]))


def _reduction(op: str, since: int, node: Node) -> Wire:
    x = node.wire()
    axes = node.numbers(1) if node.opset >= since else node.ints("axes")
    if not axes:
        if node.whole("noop_with_empty_axes", 0):
            return x
        axes = list(range(len(x.shape)))
    rank = len(x.shape)
    if any(not -rank <= each < rank or each % rank == 0 for each in axes):
        raise CallError(f"it is over the axes {axes} of {rank}, the samples among them")
    return reduced(node.writer, op, x, tuple(axes), bool(node.whole("keepdims", 1)))


_FUNCTIONS = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "HardSwish": "hardswish",
    "Mish": "mish",
    "Exp": "exp",
    "Log": "log",
    "Sqrt": "sqrt",
    "Abs": "abs",
    "Neg": "neg",
    "Reciprocal": "reciprocal",
    "Erf": "erf",
}
_NUMBERED: dict[str, tuple[str, tuple[tuple[str, str, float], ...]]] = {
    "LeakyRelu": ("leaky_relu", (("alpha", "negative_slope", 0.01),)),
    "Elu": ("elu", (("alpha", "alpha", 1.0),)),
    "Celu": ("celu", (("alpha", "alpha", 1.0),)),
}

PLAIN: dict[str, Callable[[Node], Wire]] = {
    **{name: partial(_function, op) for name, op in _FUNCTIONS.items()},
    **{name: partial(_numbered, op, numbers) for name, (op, numbers) in _NUMBERED.items()},
    "Softplus": _softplus,
    "Selu": _selu,
    "HardSigmoid": _hard_sigmoid,
    "Gelu": _gelu,
    "Softsign": _softsign,
    "Softmax": partial(_softmax, "softmax"),
    "LogSoftmax": partial(_softmax, "log_softmax"),
    "Clip": _clip,
    "Dropout": _dropout,
    "Identity": lambda node: node.wire(),
    **dict.fromkeys(("Cast", "CastLike"), _cast),
    **{name: partial(_arithmetic, op) for name, op in (("Add", "add"), ("Sub", "sub"), ("Mul", "mul"), ("Div", "div"))},
    **{
        name: partial(_several, op)
        for name, op in (("Sum", "sum"), ("Mean", "mean"), ("Max", "maximum"), ("Min", "minimum"))
    },
    "Pow": _power,
    **{
        name: partial(_reduction, op, since)
        for name, op, since in (
            ("ReduceMean", "mean", 18),
            ("ReduceSum", "sum", 13),
            ("ReduceMax", "amax", 18),
            ("ReduceMin", "amin", 18),
        )
    },
}
