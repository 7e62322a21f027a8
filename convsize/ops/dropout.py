"""Dropout."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import (
    Shape,
)
from convsize.ops.base import Argument, Kind, ParamSpec, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.arguments import (
    share,
)
from convsize.ops.shared.keeps import tensor_bytes
from convsize.ops.shared.pointwise import Pointwise


class Dropout(Pointwise):
    """Dropout: in training every value is zeroed with probability p and the others are divided by 1 - p.

    Spec
        `drop(p=0.5)`, p from 0 to 1.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: none at inference, where it does nothing.
    Saved for backward
        in training a mask as large as its input: of its type on a CPU, of one byte an element on CUDA. Where p is 0
        nothing, where p is 1 a single zero.
    PyTorch
        nn.Dropout.
    Source
        Srivastava et al. 2014.
    """

    NAME: ClassVar[str] = "dropout"
    KIND: ClassVar[Kind] = "regularisation"
    VALUES: ClassVar[Values] = "averaged"
    STEM: ClassVar[str] = "drop"
    SPELLING: ClassVar[str] = "drop(p)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("p", "number", required=False, default=Fraction(1, 2)),)

    p: Fraction

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(share("p", arguments["p"]))

    def without_effect(self, *inputs: Shape) -> str | None:
        return "it drops nothing" if self.p == 0 else None

    @property
    def random(self) -> bool:
        return 0 < self.p < 1

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not (mode.needs[0] and mode.training):
            return ()
        if self.p == 0:
            return ()
        if mode.device == "cuda" and self.p < 1:
            return (Saved("extra", name="mask", size=mode.batch * output.elements),)
        size = mode.itemsize if self.p == 1 else tensor_bytes(output, mode)
        return (Saved("extra", name="mask", size=size),)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.Dropout", (("p", float(self.p)),)),)
