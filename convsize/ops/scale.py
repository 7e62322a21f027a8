"""Learned scale per map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    Shape,
    Window,
)
from convsize.ops.base import Argument, Kind, MapsRead, Op, Parameter, Saved, SaveMode, TorchCall, Values, Work


class Scale(Op):
    """Learned scale: every map is multiplied by a number of its own.

    Spec
        `scale`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        weight D (as D·1…, so that it multiplies as it is).
    MACs
        none. FLOPs: 1 an element.
    Saved for backward
        input where the weight is trained, weight where the input needs a gradient.
    PyTorch
        a module with one parameter, multiplied.
    Source
        Touvron et al. 2021 (layer scale); Liu et al. 2022, ConvNeXt.
    """

    NAME: ClassVar[str] = "scale"
    KIND: ClassVar[Kind] = "scale"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "scale"
    SPELLING: ClassVar[str] = "scale"

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
        return (Parameter("weight", (inputs[0].channels, *(1,) * inputs[0].rank)),)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("scale", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        kept: tuple[Saved, ...] = (Saved("input"),) if mode.trains else ()
        return (*kept, Saved("parameter", name="weight")) if mode.needs[0] else kept

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("convsize.Scale", (("shape", (inputs[0].channels, *(1,) * inputs[0].rank)),)),)
