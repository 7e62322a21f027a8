"""Layer normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    Shape,
    Window,
)
from convsize.ops.base import (
    Argument,
    Kind,
    Op,
    Parameter,
    ParamSpec,
    Saved,
    SaveMode,
    Statistics,
    Suffixes,
    TorchCall,
    Values,
    Work,
)
from convsize.ops.shared.arguments import (
    above_zero,
)
from convsize.ops.shared.keeps import kept_norm, norm_parameters


class LayerNorm(Op):
    """Layer normalisation over the depth: at every position the values of all maps are shifted and scaled by their own
    mean and variance.

    Spec
        `LN`, `LNb0` without gain and bias; `ln(eps=0.000001)` sets the number.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        weight D, bias D.
    MACs
        none. FLOPs: 5 an element (mean, difference, square, sum, scale), 2 more with gain and bias.
    Saved for backward
        input, weight, bias, and mean and inverse deviation of every position: 2·L… numbers a sample.
    PyTorch
        nn.LayerNorm; with the depth moved to the last axis and back where there are positions.
    Source
        Ba et al. 2016; over the depth alone: Liu et al. 2022, ConvNeXt.
    """

    NAME: ClassVar[str] = "layer norm"
    KIND: ClassVar[Kind] = "norm"
    VALUES: ClassVar[Values] = "any"
    STATISTICS: ClassVar[Statistics] = "position"
    STEM: ClassVar[str] = "ln"
    SPELLING: ClassVar[str] = "LN"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("b",)
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("eps", "number", required=False, default=Fraction(1, 100000)),)

    affine: bool
    eps: Fraction

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls(suffixes.bias is not False, Fraction(1, 100000))

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(True, above_zero("eps", arguments["eps"]))

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return norm_parameters(inputs[0].channels, self.affine)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("norm", (7 if self.affine else 5) * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_norm(self.affine, mode, inputs[0].area, bias=True)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        kwargs = (
            ("normalized_shape", inputs[0].channels),
            ("eps", float(self.eps)),
            ("elementwise_affine", self.affine),
        )
        return (TorchCall("convsize.LayerNorm" if inputs[0].rank else "nn.LayerNorm", kwargs),)
