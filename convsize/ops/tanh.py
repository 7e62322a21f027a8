"""Hyperbolic tangent."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class Tanh(Pointwise):
    """Hyperbolic tangent: tanh(x), element by element.

    Spec
        `tanh`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 1 an element (one tanh).
    Saved for backward
        its output, in place or not.
    PyTorch
        nn.Tanh.
    Source
        LeCun et al. 1998.
    """

    NAME: ClassVar[str] = "tanh"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "tanh"
    SPELLING: ClassVar[str] = "tanh"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("output", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.Tanh"),)
