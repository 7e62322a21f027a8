"""Tokens of layers with other numbers."""

from __future__ import annotations

from fractions import Fraction

from convsize.errors import Fix, Span
from convsize.geometry import Shape
from convsize.language.formatter import dim_text, layer_text
from convsize.language.tree import Dims, Expr, Layer, Num, Pads
from convsize.record import Record

_NOWHERE = Span(0, 0)


class Repair(Record):
    """A change with what it does in words: "pad after the last pixel".

    settles: whether the op's own advice on its numbers is left out.
    """

    fix: Fix
    how: str
    settles: bool = False


def value_of(expr: Expr) -> Fraction:
    """The value of what is written as a number."""
    assert isinstance(expr, Num)
    return expr.value


def as_num(value: int) -> Num:
    """A number as the tree has it."""
    return Num(Fraction(value), _NOWHERE)


def as_dims(values: tuple[int, ...]) -> Dims:
    """Numbers of the axes: one where all are the same."""
    return tuple(map(as_num, values[:1] if len(set(values)) == 1 else values))


def as_pads(pairs: tuple[tuple[int, int], ...]) -> Pads:
    """Paddings of the axes, before and after: one where all are the same."""
    pairs = pairs[:1] if len(set(pairs)) == 1 else pairs
    return Pads("explicit", tuple((as_num(one), None if one == two else as_num(two)) for one, two in pairs))


def retoken(layer: Layer, how: str, **changes: object) -> Repair:
    """The change of a layer's token to one with other parts; `how` says in words what it does."""
    changed = layer.replace(**changes)
    return Repair(Fix(layer.span, layer_text(changed, dim_text), safe=False), how)


class Numbers(Record):
    """A layer's numbers, one for every axis; only where all of them are written as numbers."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    output_padding: tuple[int, ...]


def numbers_of(merged: Layer, entering: Shape) -> Numbers | None:
    """The numbers of a token with the defaults in it, on this input; None where one is no plain number."""
    rank = entering.rank
    pool = merged.mnemonic in ("M", "A")

    def plain(dims: Dims | None, default: tuple[int, ...]) -> tuple[int, ...] | None:
        if dims is None:
            return default
        values = tuple(int(dim.value) for dim in dims if isinstance(dim, Num) and dim.value.denominator == 1)
        if len(values) != len(dims) or len(values) not in (1, rank):
            return None
        return values * rank if len(values) == 1 else values

    kernel = plain(merged.size, ((2,) if pool else (3,)) * rank)
    if kernel is None or not rank:
        return None
    stride = plain(merged.stride, kernel if pool else (1,) * rank)
    dilation = plain(merged.dilation, (1,) * rank)
    extra = plain(merged.output_padding, (0,) * rank)
    if stride is None or dilation is None or extra is None or min(kernel + stride + dilation) < 1:
        return None
    pads = merged.padding
    pairs: tuple[tuple[int, int], ...]
    if pads is not None and pads.mode == "explicit":
        sides = []
        for one, two in pads.pairs:
            two = one if two is None else two
            if not isinstance(one, Num) or not isinstance(two, Num):
                return None
            sides.append((int(one.value), int(two.value)))
        pairs = tuple(sides * rank if len(sides) == 1 else sides)
        if len(pairs) != rank:
            return None
    elif (pads is None and merged.mnemonic in ("C", "DW")) or (pads is not None and pads.mode == "half"):
        pairs = tuple((d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2) for k, d in zip(kernel, dilation, strict=True))
    elif pads is None or pads.mode == "valid":
        pairs = ((0, 0),) * rank
    else:
        return None
    return Numbers(kernel, stride, dilation, pairs, extra)
