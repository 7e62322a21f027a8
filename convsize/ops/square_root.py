"""Square root."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class SquareRoot(Pointwise):
    """Square root: √x, element by element; of negative values PyTorch makes nan.

    Spec
        `sqrt`.
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
        torch.sqrt.
    Source
        Lin et al. 2015, bilinear networks: signed square roots.
    """

    NAME: ClassVar[str] = "square root"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "non-negative"
    STEM: ClassVar[str] = "sqrt"
    SPELLING: ClassVar[str] = "sqrt"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("output", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("torch.sqrt"),)
