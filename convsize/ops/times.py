"""Constant factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import Shape
from convsize.ops.base import Argument, Kind, ParamSpec, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.arguments import numbers, require_one_a_map, torch_number
from convsize.ops.shared.pointwise import Pointwise


class Times(Pointwise):
    """Constant factor: everything is multiplied by a given number, or each map by one.

    Spec
        `times(k)`; `times(4.37,4.46,4.44)`: one a map.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 1 an element.
    Saved for backward
        nothing; of one number a map, these.
    PyTorch
        torch.mul; a module for one number a map.
    Source
        Szegedy et al. 2017, Inception-ResNet: residuals scaled by 0.1 to 0.3. Ioffe & Szegedy 2015: unit variance.
    """

    NAME: ClassVar[str] = "constant factor"
    KIND: ClassVar[Kind] = "scale"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "times"
    SPELLING: ClassVar[str] = "times(k)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("k", "number", variadic=True),)

    factors: tuple[Fraction, ...]

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(numbers(arguments["k"]))

    def output(self, *inputs: Shape) -> Shape:
        require_one_a_map("times", len(self.factors), inputs[0])
        return inputs[0]

    def without_effect(self, *inputs: Shape) -> str | None:
        return "multiplying by 1 has no effect" if set(self.factors) == {1} else None

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        return all(inputs) and min(self.factors) >= 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("scale", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if len(self.factors) == 1 or not mode.needs[0]:
            return ()
        return (Saved("extra", name="factors", size=len(self.factors) * mode.itemsize),)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        if len(self.factors) == 1:
            return (TorchCall("torch.mul", (("other", torch_number(self.factors[0])),)),)
        return (TorchCall("convsize.Times", (("factors", tuple(map(float, self.factors))),)),)
