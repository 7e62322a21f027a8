"""Gain and bias per map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    Shape,
    Window,
)
from convsize.ops.base import Argument, Kind, MapsRead, Op, Parameter, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import map_parameters


class Affine(Op):
    """Gain and bias: every map is multiplied by a number of its own and another one is added.

    Spec
        `affine`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        weight D, bias D (as D·1…, so that they broadcast as they are).
    MACs
        none. FLOPs: 2 an element.
    Saved for backward
        input where the weight is trained, weight where the input needs a gradient.
    PyTorch
        a module with two parameters.
    Source
        LeCun et al. 1998: the pools of LeNet-5 have a gain and a bias a map.
    """

    NAME: ClassVar[str] = "affine"
    KIND: ClassVar[Kind] = "scale"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "affine"
    SPELLING: ClassVar[str] = "affine"

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
        return map_parameters(inputs[0])

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("scale", 2 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        kept: tuple[Saved, ...] = (Saved("input"),) if mode.trains else ()
        return (*kept, Saved("parameter", name="weight")) if mode.needs[0] else kept

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("convsize.Affine", (("shape", (inputs[0].channels, *(1,) * inputs[0].rank)),)),)
