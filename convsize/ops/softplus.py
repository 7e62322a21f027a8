"""Softplus."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class Softplus(Pointwise):
    """Softplus: log(1 + exp(x)), element by element.

    Spec
        `softplus`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 3 an element (exponential, addition, logarithm).
    Saved for backward
        its input; in place a clone of it, so in place saves nothing.
    PyTorch
        nn.Softplus.
    Source
        Dugas et al. 2001.
    """

    NAME: ClassVar[str] = "softplus"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "non-negative"
    STEM: ClassVar[str] = "softplus"
    SPELLING: ClassVar[str] = "softplus"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 3 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.Softplus"),)
