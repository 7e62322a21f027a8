"""Clamp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import GeometryError, Shape
from convsize.ops.base import Argument, Kind, ParamSpec, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.arguments import number, torch_number
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class Clamp(Pointwise):
    """Clamp: min(max(x, lo), hi), element by element. Hard tanh is `clamp(-1,1)`.

    Spec
        `clamp(lo,hi)`; `clamp(lo=0)` or `clamp(hi=1)` where there is but one bound.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: a comparison an element and bound.
    Saved for backward
        its input.
    PyTorch
        nn.Hardtanh; torch.clamp for one bound.
    Source
        Collobert 2004: hard tanh.
    """

    NAME: ClassVar[str] = "clamp"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "clamp"
    SPELLING: ClassVar[str] = "clamp(lo,hi)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("lo", "number", required=False),
        ParamSpec("hi", "number", required=False),
    )

    low: Fraction | None
    high: Fraction | None

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        low, high = (None if arguments[name] is None else number(arguments[name]) for name in ("lo", "hi"))
        if low is None and high is None:
            raise GeometryError("E111", "`clamp` needs a bound", "write `clamp(0,6)`")
        if low is not None and high is not None and low >= high:
            raise GeometryError(
                "E111",
                f"`lo` must be below `hi`, not {float(low):g} and {float(high):g}",
                f"write `clamp({float(high):g},{float(low):g})`" if low > high else "write `clamp(0,6)`",
            )
        return cls(low, high)

    def is_non_negative(self, inputs: Sequence[bool]) -> bool:
        return (self.low is not None and self.low >= 0) or (all(inputs) and (self.high is None or self.high >= 0))

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        bounds = (self.low is not None) + (self.high is not None)
        return (Work("activation", bounds * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        if self.low is not None and self.high is not None:
            bounds = (("min_val", float(self.low)), ("max_val", float(self.high)))
            return (TorchCall("nn.Hardtanh", bounds, like="nn.ReLU6"),)
        if self.low is not None:
            return (TorchCall("torch.clamp", (("min", torch_number(self.low)),)),)
        assert self.high is not None
        return (TorchCall("torch.clamp", (("max", torch_number(self.high)),)),)
