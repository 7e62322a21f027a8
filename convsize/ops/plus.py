"""Constant term."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import Shape
from convsize.ops.base import Argument, Kind, ParamSpec, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.arguments import numbers, require_one_a_map, torch_number
from convsize.ops.shared.pointwise import Pointwise


class Plus(Pointwise):
    """Constant term: a given number is added to everything, or one to each map.

    Spec
        `plus(k)`; `plus(-123.7,-116.8,-103.9)`: one a map.
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
        torch.add; a module for one number a map.
    Source
        Krizhevsky et al. 2012: the mean is subtracted. Woo et al. 2018, BAM: `plus(1)` after the attention.
    """

    NAME: ClassVar[str] = "constant term"
    KIND: ClassVar[Kind] = "scale"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "plus"
    SPELLING: ClassVar[str] = "plus(k)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("k", "number", variadic=True),)

    terms: tuple[Fraction, ...]

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(numbers(arguments["k"]))

    def output(self, *inputs: Shape) -> Shape:
        require_one_a_map("plus", len(self.terms), inputs[0])
        return inputs[0]

    def without_effect(self, *inputs: Shape) -> str | None:
        return None if any(self.terms) else "adding 0 has no effect"

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        return all(inputs) and min(self.terms) >= 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("scale", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        if len(self.terms) == 1:
            return (TorchCall("torch.add", (("other", torch_number(self.terms[0])),)),)
        return (TorchCall("convsize.Plus", (("terms", tuple(map(float, self.terms))),)),)
