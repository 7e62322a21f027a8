"""Thresholded linear unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import POINTWISE, Shape, Window
from convsize.ops.base import Argument, Kind, MapsRead, Op, Parameter, Saved, SaveMode, TorchCall, Values, Work


class ThresholdedLinear(Op):
    """Thresholded linear unit: max(x, τ), element by element, with a learned threshold τ a map.

    Spec
        `tlu`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        tau D (as D·1…, so that it broadcasts as it is), which begins at 0.
    MACs
        none. FLOPs: 1 an element.
    Saved for backward
        input and tau.
    PyTorch
        torch.maximum with a parameter.
    Source
        Singh & Krishnan 2020, after filter response normalisation.
    """

    NAME: ClassVar[str] = "thresholded linear unit"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "tlu"
    SPELLING: ClassVar[str] = "tlu"

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
        return (Parameter("tau", (inputs[0].channels, *(1,) * inputs[0].rank)),)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not mode.needs[0] and not mode.trains:
            return ()
        return (Saved("input"), Saved("parameter", name="tau"))

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        shape = (inputs[0].channels, *(1,) * inputs[0].rank)
        return (TorchCall("convsize.ThresholdedLinear", (("shape", shape),)),)
