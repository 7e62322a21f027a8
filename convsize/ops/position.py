"""Position embedding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import POINTWISE, Shape, Window
from convsize.ops.base import Argument, Kind, MapsRead, Op, Parameter, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.windows import require_spatial


class Position(Op):
    """Position embedding: a learned value is added to every map at every position.

    Spec
        `position`. Its weights fix the size of the input: `sizes` says so.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        weight D·H·W.
    MACs
        none. FLOPs: 1 an element.
    Saved for backward
        nothing.
    PyTorch
        a module with one parameter, added.
    Source
        Gehring et al. 2017; of the patches of images: Dosovitskiy et al. 2021, ViT.
    """

    NAME: ClassVar[str] = "position embedding"
    KIND: ClassVar[Kind] = "scale"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "position"
    SPELLING: ClassVar[str] = "position"

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        require_spatial("a position embedding", source)
        return cls()

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", inputs[0].dims),)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("bias", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("convsize.Position", (("shape", inputs[0].dims),)),)
