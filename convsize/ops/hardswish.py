"""Hard swish."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class Hardswish(Pointwise):
    """Hard swish: x·min(max(x + 3, 0), 6)/6, element by element.

    Spec
        `hswish`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 5 an element (addition, two comparisons, multiplication, division).
    Saved for backward
        its input; in place a clone of it, so in place saves nothing.
    PyTorch
        nn.Hardswish.
    Source
        Howard et al. 2019, MobileNetV3.
    """

    NAME: ClassVar[str] = "hard swish"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "hswish"
    SPELLING: ClassVar[str] = "hswish"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 5 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.Hardswish"),)
