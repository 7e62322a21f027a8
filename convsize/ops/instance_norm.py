"""Instance normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    GeometryError,
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
)
from convsize.ops.shared.keeps import kept_statistics, norm_parameters
from convsize.ops.shared.windows import (
    require_spatial,
    torch_rank,
)


class InstanceNorm(Op):
    """Instance normalisation: every map of every sample is shifted and scaled by its own mean and variance.

    Spec
        `IN`, `INb1` with gain and bias; `in(eps=0.001)` sets PyTorch's number.
    Shape
        as its input, which must have more than one position.
    Window
        its own position; the statistics see the whole map, which is no receptive field.
    Parameters
        none, as PyTorch; with `b1` weight D, bias D.
    MACs
        none. FLOPs: 5 an element (mean, difference, square, sum, scale), 2 more with gain and bias.
    Saved for backward
        input, mean and inverse deviation of every map: 2·D numbers of at least 4 bytes a sample; with `b1` the weight
        once a sample.
    PyTorch
        nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d.
    Source
        Ulyanov et al. 2016.
    """

    NAME: ClassVar[str] = "instance norm"
    KIND: ClassVar[Kind] = "norm"
    VALUES: ClassVar[Values] = "any"
    STATISTICS: ClassVar[Statistics] = "map"
    STEM: ClassVar[str] = "in"
    SPELLING: ClassVar[str] = "IN"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("b",)
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("eps", "number", required=False, default=Fraction(1, 100000)),)

    affine: bool
    eps: Fraction

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls(suffixes.bias is True, Fraction(1, 100000))

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(False, above_zero("eps", arguments["eps"]))

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        require_spatial("instance normalisation", source)
        if source.area == 1:
            raise GeometryError(
                "E212",
                f"instance normalisation of {source}: a single position has no variance, so every output would be 0",
                "put it before the pooling, or use `LN`",
            )
        return source

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return norm_parameters(inputs[0].channels, self.affine)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("norm", (7 if self.affine else 5) * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not (mode.needs[0] or (mode.trains and self.affine)):
            return ()
        maps = mode.batch * inputs[0].channels
        statistics = kept_statistics(maps * mode.statistic_itemsize(affine=self.affine))
        repeated = maps * (mode.parameter_itemsize or mode.itemsize)
        weight = (Saved("extra", name="weight of every sample", size=repeated),) if self.affine else ()
        return (Saved("input"), *statistics, *weight)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        kwargs = (("num_features", inputs[0].channels), ("eps", float(self.eps)), ("affine", self.affine))
        return (TorchCall(torch_rank("nn.InstanceNorm{}d", inputs[0]), kwargs),)
