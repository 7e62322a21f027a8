"""Leaky ReLU."""

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


class LeakyReLU(Pointwise):
    """Leaky ReLU: x where x > 0, a·x elsewhere, element by element.

    Spec
        `leaky(a=0.01)`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 2 an element (comparison, multiplication).
    Saved for backward
        its input; in place its output, whose sign is the input's.
    PyTorch
        nn.LeakyReLU.
    Source
        Maas et al. 2013.
    """

    NAME: ClassVar[str] = "leaky ReLU"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "leaky"
    SPELLING: ClassVar[str] = "leaky(a)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("a", "number", required=False, default=Fraction(1, 100)),)

    negative_slope: Fraction

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(number(arguments["a"]))

    @property
    def in_place(self) -> bool:
        return self.negative_slope > 0  # else its output no longer tells the sign of the input

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 2 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not mode.needs[0]:
            return ()
        return (Saved("output") if mode.inplace else Saved("input"),)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.LeakyReLU", (("negative_slope", float(self.negative_slope)),)),)
