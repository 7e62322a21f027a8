"""An example of every op: layers that can be built, for pages and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from convsize.geometry import Shape
    from convsize.ops.base import Argument, Op, ParamSpec


_WORD_VALUES = (2, 4, 8, 16, 128)
"""Numbers that are tried in turn until an op accepts its arguments."""


def example(op: type[Op]) -> tuple[Op, tuple[Shape, ...]]:
    """An op with the first small numbers that make a layer of it, and the volumes that enter it.

    Raises LookupError where none of them does.
    """
    from convsize.geometry import GeometryError, Shape
    from convsize.ops import catalogue

    joins = {catalogue.join(kind) for kind in catalogue.JOINS if kind != "input"}
    for source in (Shape(8, (16, 16)), Shape(1, (16,)), Shape(64), Shape(24, (16, 16))):
        inputs = (source, source) if op in joins else (source,)
        for layer in attempts(op, source):
            try:
                layer.output(*inputs)
            except GeometryError:
                continue
            return layer, inputs
    raise LookupError(f"no example of {op.NAME} was found")


def attempts(op: type[Op], source: Shape) -> Iterator[Op]:
    """Layers of an op with small numbers, plain ones first."""
    from itertools import product

    from convsize.geometry import GeometryError
    from convsize.ops import catalogue
    from convsize.ops.base import Suffixes

    if op is catalogue.join("input"):
        yield op.from_arguments({"dims": source.dims}, source)
        return
    for size in (None, (4,)):
        try:
            yield op.from_suffixes(Suffixes(size=size), source)
        except (GeometryError, TypeError):  # TypeError: it is not a layer token
            continue
    # Some words need one of their arguments, though they can do without each.
    for open_params in ([param for param in op.PARAMS if param.required or param.variadic], op.PARAMS):
        for values in product(*(candidates(param, source) for param in open_params)):
            arguments = {param.name: param.default for param in op.PARAMS}
            given = {param.name: value for param, value in zip(open_params, values, strict=True)}
            try:
                yield op.from_arguments(arguments | given, source)
            except (GeometryError, TypeError):
                continue


def candidates(param: ParamSpec, source: Shape) -> Sequence[Argument]:
    """Arguments to try for one parameter."""
    from fractions import Fraction

    if param.kind == "choice":
        return param.choices
    if param.kind == "number":
        return ((Fraction(2),),) if param.variadic else (Fraction(1, 2), Fraction(2))
    if param.variadic:
        reshaped = (source.channels * 4, *(extent // 2 for extent in source.spatial))
        return ((2,), (2, 4), (2, 2), reshaped, source.dims)
    return _WORD_VALUES
