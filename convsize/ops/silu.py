"""SiLU (swish)."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class SiLU(Pointwise):
    """SiLU (swish): x·sigmoid(x), element by element.

    Spec
        `silu`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 4 an element (exponential, addition, division, multiplication).
    Saved for backward
        its input; in place a clone of it, so in place saves nothing.
    PyTorch
        nn.SiLU.
    Source
        Elfwing et al. 2017; Ramachandran et al. 2017.
    """

    NAME: ClassVar[str] = "SiLU"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "silu"
    SPELLING: ClassVar[str] = "silu"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 4 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.SiLU"),)
