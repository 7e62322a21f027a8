"""Absolute value."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class Absolute(Pointwise):
    """Absolute value: |x|, element by element.

    Spec
        `abs`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 1 an element.
    Saved for backward
        its input.
    PyTorch
        torch.abs.
    Source
        Koch et al. 2015, siamese networks: the distance |a - b| of two embeddings.
    """

    NAME: ClassVar[str] = "absolute value"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "non-negative"
    STEM: ClassVar[str] = "abs"
    SPELLING: ClassVar[str] = "abs"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("torch.abs"),)
