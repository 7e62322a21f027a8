"""Exponential."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class Exponential(Pointwise):
    """Exponential: exp(x), element by element.

    Spec
        `exp`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 1 an element.
    Saved for backward
        its output.
    PyTorch
        torch.exp.
    Source
        Kingma & Welling 2014, autoencoding variational Bayes: the deviation exp(v/2) of a logarithmic variance v.
    """

    NAME: ClassVar[str] = "exponential"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "non-negative"
    STEM: ClassVar[str] = "exp"
    SPELLING: ClassVar[str] = "exp"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("output", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("torch.exp"),)
