"""SELU."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.base import Kind, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class SELU(Pointwise):
    """SELU: λx where x > 0, λα·(exp(x) - 1) elsewhere, element by element, with α = 1.6733 and λ = 1.0507.

    Spec
        `selu`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 4 an element (comparison, exponential, subtraction, multiplication).
    Saved for backward
        its input; in place its output, from which the gradient follows as well.
    PyTorch
        nn.SELU.
    Source
        Klambauer et al. 2017, self-normalising networks.
    """

    NAME: ClassVar[str] = "SELU"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "selu"
    SPELLING: ClassVar[str] = "selu"

    @property
    def in_place(self) -> bool:
        return True

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 4 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("output" if mode.inplace else "input", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.SELU"),)
