"""Folding: what is computed from fixed values alone, such as the shapes that views are given."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from convsize.importing.onnx.fixed import Fixed
from convsize.importing.onnx.node import Node
from convsize.importing.writer import CallError

__all__ = ["FOLDED", "folded"]

_LARGEST = 2**22
"""Values that folding may make where a file does not hold them."""


def _axes(node: Node, at: int = 1) -> list[int] | None:
    """Axes as an attribute, or since later versions as an input."""
    found = node.ints("axes")
    return found if found is not None else node.numbers(at)


def _shape_of(shape: list[int]) -> tuple[int, ...]:
    if math.prod(max(each, 1) for each in shape) > _LARGEST or any(each < -1 for each in shape):
        raise CallError(f"a fixed tensor of {'x'.join(map(str, shape))}: too large to be worked out")
    return tuple(shape)


def _unsqueezed(node: Node, x: Any) -> Any:
    import numpy

    axes = _axes(node) or []
    return numpy.expand_dims(x, tuple(axes))


def _squeezed(node: Node, x: Any) -> Any:
    import numpy

    axes = _axes(node)
    return numpy.squeeze(x, None if axes is None else tuple(axes))


def _reshaped(node: Node, x: Any) -> Any:
    wanted = node.numbers(1) or []
    return x.reshape([x.shape[at] if each == 0 else each for at, each in enumerate(wanted)])


def _transposed(node: Node, x: Any) -> Any:
    return x.transpose(node.ints("perm"))


def _concatenated(node: Node, *values: Any) -> Any:
    import numpy

    return numpy.concatenate(values, node.whole("axis", 0))


def _gathered(node: Node, x: Any, index: Any) -> Any:
    import numpy

    return numpy.take(x, index, node.whole("axis", 0))


def _cast(node: Node, x: Any) -> Any:
    from onnx import helper

    return x.astype(helper.tensor_dtype_to_np_dtype(node.whole("to", 1)))


def _sliced(node: Node, x: Any, *_: Any) -> Any:
    starts = node.ints("starts") or node.numbers(1) or []
    ends = node.ints("ends") or node.numbers(2) or []
    axes = node.ints("axes") or node.numbers(3) or list(range(len(starts)))
    steps = node.numbers(4) or [1] * len(starts)
    at = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        at[axis] = slice(start, end if -(2**31) < end < 2**31 - 1 else None, step)
    return x[tuple(at)]


def _filled(node: Node, shape: Any) -> Any:
    import numpy
    from onnx import numpy_helper

    tensor = node.attributes.get("value")
    value = numpy_helper.to_array(tensor.t).flatten()[0] if tensor is not None else numpy.float32(0)
    return numpy.full(_shape_of(shape.tolist()), value)


def _expanded(_node: Node, x: Any, shape: Any) -> Any:
    import numpy

    return numpy.array(numpy.broadcast_to(x, numpy.broadcast_shapes(x.shape, _shape_of(shape.tolist()))))


def _ranged(_node: Node, start: Any, end: Any, step: Any) -> Any:
    import numpy

    if not step or abs((end - start) / step) > _LARGEST:
        raise CallError("a range that is too long to be worked out")
    return numpy.arange(start, end, step)


def _divided(_node: Node, x: Any, y: Any) -> Any:
    import numpy

    if x.dtype.kind not in "iu":
        return x / y
    _no_zero(y)
    # Whole numbers are rounded towards 0, as in C; those of numpy are rounded down.
    return (x - numpy.fmod(x, y)) // y


def _remainder(node: Node, x: Any, y: Any) -> Any:
    import numpy

    if x.dtype.kind in "iu":
        _no_zero(y)
    return numpy.fmod(x, y) if node.whole("fmod", 0) else numpy.mod(x, y)


def _no_zero(y: Any) -> None:
    if not y.all():
        raise CallError("a whole number is divided by 0")


def _plain(function: str) -> Callable[..., Any]:
    def folded(_node: Node, *values: Any) -> Any:
        import numpy

        return getattr(numpy, function)(*values)

    return folded


FOLDED: dict[str, Callable[..., Any]] = {
    "Unsqueeze": lambda node, x, *_: _unsqueezed(node, x),
    "Squeeze": lambda node, x, *_: _squeezed(node, x),
    "Reshape": lambda node, x, *_: _reshaped(node, x),
    "Flatten": lambda node, x: x.reshape(math.prod(x.shape[: node.whole("axis", 1)]), -1),
    "Transpose": _transposed,
    "Concat": _concatenated,
    "Gather": _gathered,
    "Cast": _cast,
    "CastLike": lambda _node, x, like: x.astype(like.dtype),
    "Slice": _sliced,
    "ConstantOfShape": _filled,
    "Expand": _expanded,
    "Range": _ranged,
    "Identity": lambda _node, x: x,
    "Div": _divided,
    "Mod": _remainder,
    "ReduceProd": lambda node, x, *_: x.prod(keepdims=bool(node.whole("keepdims", 1))),
    "Shape": lambda node, x: _whole(x.shape[node.whole("start", 0) : node.whole("end", x.ndim)]),
    "Size": lambda _node, x: _whole(x.size),
    **{name: _plain(function) for name, function in (("Add", "add"), ("Sub", "subtract"), ("Mul", "multiply"))},
    **{name: _plain(name.lower()) for name in ("Floor", "Ceil", "Sqrt", "Exp", "Equal", "Where", "Not", "And", "Or")},
    **{name: _plain(function) for name, function in (("Neg", "negative"), ("Max", "maximum"), ("Min", "minimum"))},
    **{name: _plain(function) for name, function in (("Pow", "power"), ("Greater", "greater"))},
    "Reciprocal": lambda _node, x: 1 / x,
}
"""What each operator computes from arrays. Those of weights, such as a transposed kernel, stay weights."""


def _whole(values: Any) -> Any:
    import numpy

    return numpy.array(values, dtype=numpy.int64)


KEEPS = frozenset({"Unsqueeze", "Squeeze", "Reshape", "Flatten", "Transpose", "Identity", "Cast", "CastLike"})
"""Operators whose result is a weight where what they are given is one."""


def folded(node: Node) -> Fixed:
    """The result of a node whose inputs are all fixed. Raises CallError where it cannot be worked out."""
    import numpy

    values = [each.array for each in node.inputs if isinstance(each, Fixed)]
    try:
        with numpy.errstate(all="ignore"):
            array = numpy.asarray(FOLDED[node.kind](node, *values))
    except (ValueError, TypeError, IndexError, ZeroDivisionError, OverflowError, MemoryError) as error:
        raise CallError(f"its fixed inputs do not go together: {str(error).splitlines()[0]}") from None
    first = node.inputs[0]
    learned = node.kind in KEEPS and isinstance(first, Fixed) and first.learned
    return Fixed(node.outputs[0], array, learned)
