"""Mish."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class Mish(Pointwise):
    """Mish: x·tanh(log(1 + exp(x))), element by element.

    Spec
        `mish`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 5 an element (exponential, addition, logarithm, tanh, multiplication).
    Saved for backward
        its input; in place a clone of it, so in place saves nothing.
    PyTorch
        nn.Mish.
    Source
        Misra 2019.
    """

    NAME: ClassVar[str] = "Mish"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "mish"
    SPELLING: ClassVar[str] = "mish"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 5 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.Mish"),)
