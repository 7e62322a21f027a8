"""Sum of branches."""

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


class Add(Op):
    """Sum of branches, value by value: the shortcut of a residual block.

    Spec
        `(a + b)`.
    Shape
        all branches alike, and so their sum.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: n - 1 an element for n branches.
    Saved for backward
        nothing.
    PyTorch
        torch.add, from left to right.
    Source
        He et al. 2016: F(x) + x.
    """

    NAME: ClassVar[str] = "sum"
    KIND: ClassVar[Kind] = "sum"
    VALUES: ClassVar[Values] = "summed"
    STEM: ClassVar[str] = "add"
    SPELLING: ClassVar[str] = "+"

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls()

    def output(self, *inputs: Shape) -> Shape:
        first = inputs[0]
        for other in inputs[1:]:
            if other.channels != first.channels and other.spatial == first.spatial:
                raise GeometryError(
                    "E301",
                    f"the branches of this sum have different depths: {first.channels} and {other.channels}",
                    f"project one of them: `C1D{max(first.channels, other.channels)}` after the branch of "
                    f"{min(first, other, key=lambda each: each.channels)}",
                )
            if other != first:
                raise GeometryError(
                    "E302",
                    f"the branches of this sum have different extents: {first} and {other}",
                    "give them the same strides and paddings, or crop the larger one: `crop(…)`"
                    if first.rank and other.rank
                    else "flatten the volume: end its branch with `flat`"
                    if first.elements == other.elements
                    else f"a sum takes values one to one: {first.elements} and {other.elements} differ",
                )
        return first

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("join", (len(inputs) - 1) * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("torch.add"),)
