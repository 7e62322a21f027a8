"""Constant factor."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import (
    Shape,
)
from convsize.ops.base import Argument, Kind, ParamSpec, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.arguments import (
    number,
)
from convsize.ops.shared.pointwise import Pointwise


class Times(Pointwise):
    """Constant factor: everything is multiplied by one given number.

    Spec
        `times(k)`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 1 an element.
    Saved for backward
        nothing.
    PyTorch
        torch.mul.
    Source
        Szegedy et al. 2017, Inception-ResNet: residuals scaled by 0.1 to 0.3.
    """

    NAME: ClassVar[str] = "constant factor"
    KIND: ClassVar[Kind] = "scale"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "times"
    SPELLING: ClassVar[str] = "times(k)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("k", "number"),)

    factor: Fraction

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(number(arguments["k"]))

    def without_effect(self, *inputs: Shape) -> str | None:
        return "multiplying by 1 has no effect" if self.factor == 1 else None

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("scale", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        other = self.factor.numerator if self.factor.denominator == 1 else float(self.factor)
        return (TorchCall("torch.mul", (("other", other),)),)
