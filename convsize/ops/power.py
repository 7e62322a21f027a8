"""Constant power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import GeometryError, Shape
from convsize.ops.base import Argument, Kind, ParamSpec, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.arguments import number, torch_number
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class Power(Pointwise):
    """Constant power: x^p, element by element, p a given number; PyTorch makes nan of negative x where p is not whole.

    Spec
        `power(p)`: the square is `power(2)`, the inverse square root `power(-1/2)`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 1 an element.
    Saved for backward
        its input.
    PyTorch
        torch.pow.
    Source
        So et al. 2021, Primer: squared ReLU, `R power(2)`.
    """

    NAME: ClassVar[str] = "constant power"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "power"
    SPELLING: ClassVar[str] = "power(p)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("p", "number"),)

    exponent: Fraction

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        exponent = number(arguments["p"])
        if not exponent:
            raise GeometryError("E111", "the power 0 makes every value 1", "write `power(2)` for a square")
        return cls(exponent)

    def without_effect(self, *inputs: Shape) -> str | None:
        return "the power 1 has no effect" if self.exponent == 1 else None

    def is_linear(self) -> bool:
        return self.exponent == 1

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        # Even powers have no sign, and neither has what is a root.
        return self.exponent.numerator % 2 == 0 or self.exponent.denominator > 1 or all(inputs)

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("torch.pow", (("exponent", torch_number(self.exponent)),)),)
