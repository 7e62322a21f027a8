"""Fully connected layer."""

from __future__ import annotations

from typing import ClassVar, Self

from convsize.geometry import (
    EVERYTHING,
    Shape,
    Window,
)
from convsize.ops.base import Kind, Op, Parameter, Saved, SaveMode, Suffixes, TorchCall, Values, Work
from convsize.ops.shared.windows import (
    require_size,
)


class FullyConnected(Op):
    """Fully connected layer: every unit is connected to every value of its input, which it flattens first.

    Spec
        `FC4096b0`: 4096 units, no bias. Left out: bias.
    Shape
        D@L… or D -> n, the input as a vector of D·L… values.
    Window
        the whole extent of its input.
    Parameters
        weight n·D·L…, bias n.
    MACs
        n·D·L…. The bias adds n FLOPs.
    Saved for backward
        input where the weight is trained, weight where the input needs a gradient.
    PyTorch
        nn.Linear, after nn.Flatten where the input has positions.
    Source
        Varma & Das, ch. 12: 32·32·3·20 + 20 = 61,460 parameters.
    """

    NAME: ClassVar[str] = "fully connected"
    KIND: ClassVar[Kind] = "dense"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "fc"
    SPELLING: ClassVar[str] = "FC4096b1"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size", "b")

    out_features: int
    bias: bool

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls(require_size("number of units", suffixes.size, "FC10"), suffixes.bias is not False)

    def output(self, *inputs: Shape) -> Shape:
        return Shape(self.out_features)

    def window(self, *inputs: Shape) -> Window:
        return EVERYTHING

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        weight = Parameter("weight", (self.out_features, inputs[0].elements))
        return (weight, Parameter("bias", (self.out_features,), "bias")) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return self.out_features * inputs[0].elements

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("bias", self.out_features),) if self.bias else ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        kept: tuple[Saved, ...] = (Saved("input"),) if mode.trains else ()
        return (*kept, Saved("parameter", name="weight")) if mode.needs[0] else kept

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        (source,) = inputs
        call = TorchCall(
            "nn.Linear",
            (("in_features", source.elements), ("out_features", self.out_features), ("bias", self.bias)),
        )
        return (TorchCall("nn.Flatten"), call) if source.rank else (call,)
