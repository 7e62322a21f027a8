"""Learned scalar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    Shape,
    Window,
)
from convsize.ops.base import Argument, Kind, MapsRead, Op, Parameter, Saved, SaveMode, TorchCall, Values, Work


class Weight(Op):
    """Learned scalar: everything is multiplied by one number.

    Spec
        `weight`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        weight 1, a scalar.
    MACs
        none. FLOPs: 1 an element.
    Saved for backward
        input where the weight is trained, weight where the input needs a gradient.
    PyTorch
        a module with one parameter, multiplied.
    Source
        Bachlechner et al. 2021, ReZero.
    """

    NAME: ClassVar[str] = "learned scalar"
    KIND: ClassVar[Kind] = "scale"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "weight"
    SPELLING: ClassVar[str] = "weight"

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls()

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", ()),)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("scale", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        kept: tuple[Saved, ...] = (Saved("input"),) if mode.trains else ()
        return (*kept, Saved("parameter", name="weight")) if mode.needs[0] else kept

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("convsize.Scale", (("shape", ()),)),)
