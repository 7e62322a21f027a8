"""Gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    GeometryError,
    Shape,
    Window,
)
from convsize.ops.base import Argument, Kind, MapsRead, Op, Parameter, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.broadcast import met
from convsize.ops.shared.keeps import tensor_bytes


class Multiply(Op):
    """Gate: branches multiplied value by value; one that is 1 in space, 1 in depth, or flat broadcasts over the others.

    Spec
        `(a * b)`.
    Shape
        the largest of the branches on every axis, where each of the others has the same extent or 1.
    Window
        its own position; a branch that is 1 in space is seen from everywhere.
    Parameters
        none.
    MACs
        none. FLOPs: n - 1 an element for n branches.
    Saved for backward
        each branch where another one needs a gradient; with more than two branches also the products on the way.
    PyTorch
        torch.mul, from left to right; a flat gate gets axes of 1.
    Source
        Hu et al. 2018, squeeze and excitation.
    """

    NAME: ClassVar[str] = "gate"
    KIND: ClassVar[Kind] = "gate"
    VALUES: ClassVar[Values] = "multiplied"
    STEM: ClassVar[str] = "mul"
    SPELLING: ClassVar[str] = "*"
    WORD: ClassVar[str] = "gate"
    """What messages call it."""
    OPERAND: ClassVar[str] = "gate"
    """What messages call its second branch."""

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls()

    def _product(self, first: Shape, second: Shape) -> Shape:
        product = met(first, second)
        if product is not None:
            return product
        raise GeometryError(
            "E304",
            f"this {self.WORD} does not broadcast: {first} and {second}",
            f"a {self.OPERAND} has the depth {first.channels} or 1, and one position (as after `GAP`) or as many as "
            "its input",
        )

    def output(self, *inputs: Shape) -> Shape:
        result = inputs[0]
        for other in inputs[1:]:
            result = self._product(result, other)
        return result

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return self.output(*inputs).channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        flops = 0
        product = inputs[0]
        for other in inputs[1:]:
            product = self._product(product, other)
            flops += product.elements
        return (Work("join", flops),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        kept: list[Saved] = []
        product, flows = inputs[0], mode.needs[0]
        for index, other in enumerate(inputs[1:], start=1):
            if mode.needs[index]:
                size = tensor_bytes(product, mode)
                kept.append(Saved("input", 0) if index == 1 else Saved("extra", name=f"product of {index}", size=size))
            if flows:
                kept.append(Saved("input", index))
            product, flows = self._product(product, other), flows or mode.needs[index]
        return tuple(kept)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        if len({shape.rank for shape in inputs}) == 1:
            return (TorchCall("torch.mul"),)
        return (TorchCall("convsize.Gate"),)
