"""Group normalisation."""

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
    MapsRead,
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
    require_parts,
    require_positive,
    whole,
)
from convsize.ops.shared.keeps import kept_norm, norm_parameters
from convsize.ops.shared.windows import (
    require_size,
)


class GroupNorm(Op):
    """Group normalisation: groups of maps of one sample are shifted and scaled by their mean and variance.

    Spec
        `GN32`: 32 groups; `GN32b0` without gain and bias; `gn(32, eps=0.001)` sets PyTorch's number.
    Shape
        as its input; the groups must divide the depth.
    Window
        its own position; the statistics see the whole maps, which is no receptive field.
    Parameters
        weight D, bias D.
    MACs
        none. FLOPs: 5 an element (mean, difference, square, sum, scale), 2 more with gain and bias.
    Saved for backward
        input, weight, mean and inverse deviation of every group: 2·G numbers a sample.
    PyTorch
        nn.GroupNorm.
    Source
        Wu & He 2018.
    """

    NAME: ClassVar[str] = "group norm"
    KIND: ClassVar[Kind] = "norm"
    VALUES: ClassVar[Values] = "any"
    STATISTICS: ClassVar[Statistics] = "group"
    STEM: ClassVar[str] = "gn"
    SPELLING: ClassVar[str] = "GN32"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size", "b")
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("num_groups"),
        ParamSpec("eps", "number", required=False, default=Fraction(1, 100000)),
    )

    num_groups: int
    affine: bool
    eps: Fraction

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        groups = require_size("number of groups", suffixes.size, "GN32")
        return cls(groups, suffixes.bias is not False, Fraction(1, 100000))

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(whole(arguments["num_groups"]), True, above_zero("eps", arguments["eps"]))

    def output(self, *inputs: Shape) -> Shape:
        require_positive("the number of groups", self.num_groups)
        require_parts("E212", "groups", self.num_groups, inputs[0].channels)
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return self.num_groups

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return norm_parameters(inputs[0].channels, self.affine)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("norm", (7 if self.affine else 5) * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_norm(self.affine, mode, self.num_groups, bias=False)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        kwargs = (
            ("num_groups", self.num_groups),
            ("num_channels", inputs[0].channels),
            ("eps", float(self.eps)),
            ("affine", self.affine),
        )
        return (TorchCall("nn.GroupNorm", kwargs),)
