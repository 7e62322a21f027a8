"""ReLU."""

from __future__ import annotations

from math import inf
from typing import ClassVar, Self

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, Suffixes, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class ReLU(Pointwise):
    """ReLU: max(x, 0), element by element.

    Spec
        `R`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 1 an element (one comparison).
    Saved for backward
        its output, in place or not.
    PyTorch
        nn.ReLU.
    Source
        Nair & Hinton 2010; Krizhevsky et al. 2012.
    """

    NAME: ClassVar[str] = "ReLU"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "non-negative"
    CLAMPS: ClassVar[tuple[float, float]] = (0, inf)
    STEM: ClassVar[str] = "relu"
    SPELLING: ClassVar[str] = "R"

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls()

    @property
    def in_place(self) -> bool:
        return True

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("output", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.ReLU"),)
