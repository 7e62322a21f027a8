"""Sigmoid."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class Sigmoid(Pointwise):
    """Sigmoid: 1/(1 + exp(-x)), element by element.

    Spec
        `sigmoid`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 3 an element (exponential, addition, division).
    Saved for backward
        its output, in place or not.
    PyTorch
        nn.Sigmoid.
    Source
        LeCun et al. 1998, where LeNet-5 squashes.
    """

    NAME: ClassVar[str] = "sigmoid"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "shares"
    STEM: ClassVar[str] = "sigmoid"
    SPELLING: ClassVar[str] = "sigmoid"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 3 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("output", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.Sigmoid"),)
