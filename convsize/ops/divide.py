"""Quotient of branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values
from convsize.ops.multiply import Multiply
from convsize.ops.shared.keeps import tensor_bytes


class Divide(Multiply):
    """Quotient of branches, value by value, from left to right. One that is 1 in space, 1 in depth, or flat, meets
    every position or every map of the other: `(x / reduce(sum,depth))` makes shares.

    Spec
        `(a / b)`, with spaces.
    Shape
        the largest of the branches on every axis, where each of the others has the same extent or 1.
    Window
        its own position; a branch that is 1 in space is seen from everywhere.
    Parameters
        none.
    MACs
        none. FLOPs: n - 1 an element for n branches.
    Saved for backward
        each divisor; what is divided where a divisor needs a gradient, with more than two branches the quotients on
        the way.
    PyTorch
        torch.div, from left to right; a flat branch gets axes of 1.
    Source
        Carandini & Heeger 2012, normalisation as a canonical computation.
    """

    NAME: ClassVar[str] = "quotient"
    KIND: ClassVar[Kind] = "quotient"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "div"
    SPELLING: ClassVar[str] = "/"
    WORD: ClassVar[str] = "quotient"
    OPERAND: ClassVar[str] = "divisor"

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        return all(inputs)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        kept: list[Saved] = []
        quotient, flows = inputs[0], mode.needs[0]
        for index, other in enumerate(inputs[1:], start=1):
            if mode.needs[index]:
                size = tensor_bytes(quotient, mode)
                kept.append(Saved("input", 0) if index == 1 else Saved("extra", name=f"quotient of {index}", size=size))
            flows = flows or mode.needs[index]
            if flows:
                kept.append(Saved("input", index))
            quotient = self._product(quotient, other)
        return tuple(kept)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        if len({shape.rank for shape in inputs}) == 1:
            return (TorchCall("torch.div"),)
        return (TorchCall("convsize.Quotient"),)
