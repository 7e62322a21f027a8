"""ReLU6."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class ReLU6(Pointwise):
    """ReLU6: min(max(x, 0), 6), element by element.

    Spec
        `relu6`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 2 an element (two comparisons).
    Saved for backward
        its input; in place a clone of it, so in place saves nothing.
    PyTorch
        nn.ReLU6.
    Source
        Howard et al. 2017, MobileNets.
    """

    NAME: ClassVar[str] = "ReLU6"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "non-negative"
    CLAMPS: ClassVar[tuple[float, float]] = (0, 6)
    STEM: ClassVar[str] = "relu6"
    SPELLING: ClassVar[str] = "relu6"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 2 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.ReLU6"),)
