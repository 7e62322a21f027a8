"""Logarithm."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class Logarithm(Pointwise):
    """Logarithm: ln(x), element by element; of negative values PyTorch makes nan.

    Spec
        `log`.
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
        torch.log.
    Source
        Schirrmeister et al. 2017, ConvNets for EEG: log(mean(x²)).
    """

    NAME: ClassVar[str] = "logarithm"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "log"
    SPELLING: ClassVar[str] = "log"

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("torch.log"),)
