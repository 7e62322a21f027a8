"""Stochastic depth."""

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
from convsize.ops.shared.pointwise import Pointwise


class DropPath(Pointwise):
    """Stochastic depth: in training the whole branch is zeroed for a sample with probability p, and divided by 1 - p
    for the others.

    Spec
        `droppath(p)`, p from 0 to 1, at the end of a branch of a sum.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: none at inference, where it does nothing.
    Saved for backward
        in training one number a sample; nothing where p is 0.
    PyTorch
        a module of one multiplication by a random factor a sample.
    Source
        Huang et al. 2016.
    """

    NAME: ClassVar[str] = "stochastic depth"
    KIND: ClassVar[Kind] = "regularisation"
    VALUES: ClassVar[Values] = "averaged"
    STEM: ClassVar[str] = "droppath"
    SPELLING: ClassVar[str] = "droppath(p)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("p", "number"),)

    p: Fraction

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(share("p", arguments["p"]))

    def without_effect(self, *inputs: Shape) -> str | None:
        return "it drops nothing" if self.p == 0 else None

    @property
    def random(self) -> bool:
        return self.p > 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not (mode.needs[0] and mode.training) or self.p == 0:
            return ()
        return (Saved("extra", name="factor of every sample", size=mode.batch * mode.itemsize),)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("convsize.DropPath", (("p", float(self.p)),)),)
