"""ELU."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import Shape
from convsize.ops.base import Argument, Kind, ParamSpec, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.arguments import above_zero
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class ELU(Pointwise):
    """ELU: x where x > 0, a·(exp(x) - 1) elsewhere, element by element.

    Spec
        `elu`, with a = 1; `elu(a)`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 3 an element (comparison, exponential, subtraction), 4 with another a than 1.
    Saved for backward
        its input; in place its output, from which the gradient follows as well.
    PyTorch
        nn.ELU.
    Source
        Clevert et al. 2016.
    """

    NAME: ClassVar[str] = "ELU"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "elu"
    SPELLING: ClassVar[str] = "elu"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("a", "number", required=False, default=1),)

    alpha: Fraction

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(above_zero("a", arguments["a"]))

    @property
    def in_place(self) -> bool:
        return True

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", (3 if self.alpha == 1 else 4) * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("output" if mode.inplace else "input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        alpha = () if self.alpha == 1 else (("alpha", float(self.alpha)),)
        return (TorchCall("nn.ELU", alpha),)
