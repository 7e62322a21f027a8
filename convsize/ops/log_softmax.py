"""Log-softmax."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import (
    Shape,
)
from convsize.ops.base import Kind, MapsRead, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.keeps import kept_activation
from convsize.ops.shared.pointwise import Pointwise


class LogSoftmax(Pointwise):
    """Logarithm of the softmax over the depth: x less the logarithm of the sum of exp(x), at every position.

    Spec
        `logsoftmax`.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 5 an element (comparison, subtraction, exponential, addition, subtraction).
    Saved for backward
        its output.
    PyTorch
        nn.LogSoftmax over dimension 1.
    Source
        Bridle 1990, for the softmax.
    """

    NAME: ClassVar[str] = "log-softmax"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "logarithms"
    STEM: ClassVar[str] = "logsoftmax"
    SPELLING: ClassVar[str] = "logsoftmax"

    @property
    def ends_in_logits(self) -> bool:
        return True

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return 1

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 5 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_activation("output", inputs[0], mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.LogSoftmax", (("dim", 1),)),)
