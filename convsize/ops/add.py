"""Sum of branches."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from itertools import accumulate
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    GeometryError,
    Shape,
    Window,
)
from convsize.ops.base import Argument, Kind, MapsRead, Op, Parameter, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.broadcast import met


class Add(Op):
    """Sum of branches, value by value: the shortcut of a residual block. One that is 1 in space, 1 in depth, or flat,
    is added at every position or to every map of the others: `(C3D8 + GAP C1D8)`.

    Spec
        `(a + b)`.
    Shape
        the largest of the branches on every axis, where each of the others has the same extent or 1.
    Window
        its own position; a branch that is 1 in space is seen from everywhere.
    Parameters
        none.
    MACs
        none. FLOPs: n - 1 an element for n branches.
    Saved for backward
        nothing.
    PyTorch
        torch.add, from left to right; a flat branch gets axes of 1.
    Source
        He et al. 2016: F(x) + x. Liu et al. 2015, ParseNet: the context of the whole image at every position.
    """

    NAME: ClassVar[str] = "sum"
    KIND: ClassVar[Kind] = "sum"
    VALUES: ClassVar[Values] = "summed"
    STEM: ClassVar[str] = "add"
    SPELLING: ClassVar[str] = "+"
    WORD: ClassVar[str] = "sum"
    """What messages call it."""

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls()

    def _sum(self, first: Shape, second: Shape) -> Shape:
        total = met(first, second)
        if total is not None:
            return total
        if first.rank == second.rank and all(
            one == two or 1 in (one, two) for one, two in zip(first.spatial, second.spatial, strict=True)
        ):
            raise GeometryError(
                "E301",
                f"the branches of this {self.WORD} have different depths: {first.channels} and {second.channels}",
                f"project one of them: `C1D{max(first.channels, second.channels)}` after the branch of "
                f"{min(first, second, key=lambda each: each.channels)}",
            )
        raise GeometryError(
            "E302",
            f"the branches of this {self.WORD} have different extents: {first} and {second}",
            "give them the same strides and paddings, or crop the larger one: `crop(…)`"
            if first.rank and second.rank
            else "flatten the volume: end its branch with `flat`"
            if first.elements == second.elements
            else "a flat branch is added at every position: it has as many values as the volume has maps, or one",
        )

    def output(self, *inputs: Shape) -> Shape:
        return reduce(self._sum, inputs)

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return self.output(*inputs).channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        totals = list(accumulate(inputs, self._sum))
        return (Work("join", sum(total.elements for total in totals[1:])),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        if len({shape.rank for shape in inputs}) == 1:
            return (TorchCall("torch.add"),)
        return (TorchCall("convsize.Sum"),)
