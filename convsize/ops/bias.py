"""Learned bias per map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    Shape,
    Window,
)
from convsize.ops.base import Argument, Kind, MapsRead, Op, Parameter, Saved, SaveMode, TorchCall, Values, Work


class Bias(Op):
    """Learned bias: to every map a number of its own is added. A norm with a bias alone is `BNb0 bias`, one with a gain
    alone `BNb0 scale`.

    Spec
        `bias`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        bias D (as D·1…, so that it is added as it is).
    MACs
        none. FLOPs: 1 an element.
    Saved for backward
        nothing.
    PyTorch
        a module with one parameter, added.
    Source
        Ioffe & Szegedy 2015; Keras' batch norm without `scale`.
    """

    NAME: ClassVar[str] = "learned bias"
    KIND: ClassVar[Kind] = "scale"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "bias"
    SPELLING: ClassVar[str] = "bias"

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
        return (Parameter("bias", (inputs[0].channels, *(1,) * inputs[0].rank), "bias"),)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("bias", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("convsize.Bias", (("shape", (inputs[0].channels, *(1,) * inputs[0].rank)),)),)
