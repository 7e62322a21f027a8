"""Hard sigmoid."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class Hardsigmoid(Pointwise):
    """Hard sigmoid: min(max(x + 3, 0), 6)/6, element by element.

    Spec
        `hsigmoid`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 4 an element (addition, two comparisons, division).
    Saved for backward
        its input; in place a clone of it, so in place saves nothing.
    PyTorch
        nn.Hardsigmoid.
    Source
        Howard et al. 2019, MobileNetV3.
    """

    NAME: ClassVar[str] = "hard sigmoid"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "shares"
    STEM: ClassVar[str] = "hsigmoid"
    SPELLING: ClassVar[str] = "hsigmoid"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 4 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.Hardsigmoid"),)
