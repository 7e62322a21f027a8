"""Batch normalisation."""

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
    share,
)
from convsize.ops.shared.keeps import kept_statistics, norm_parameters


class BatchNorm(Op):
    """Batch normalisation: every map is shifted and scaled by its mean and variance over the batch, or by running ones.

    Spec
        `BN`, `BNb0` without gain and bias; `bn(eps=0.001, momentum=0.1)` sets PyTorch's numbers.
    Shape
        as its input.
    Window
        its own position. In training the statistics also see the whole batch, which is no receptive field.
    Parameters
        weight D, bias D; buffers running_mean D, running_var D, num_batches_tracked 1, the int64 that counts steps.
        Keras has no such counter: of 32 maps it counts 64 values that are not trained, PyTorch 65.
    MACs
        none. FLOPs: 2 an element, the scale and the shift that it is at inference.
    Saved for backward
        input, weight, running statistics; in training also mean and inverse deviation, 2·D numbers (on CUDA of at least
        4 bytes).
        On CUDA cuDNN may keep a reserve besides.
    PyTorch
        nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d.
    Source
        Ioffe & Szegedy 2015.
    """

    NAME: ClassVar[str] = "batch norm"
    KIND: ClassVar[Kind] = "norm"
    VALUES: ClassVar[Values] = "linear"
    STATISTICS: ClassVar[Statistics] = "batch"
    STEM: ClassVar[str] = "bn"
    SPELLING: ClassVar[str] = "BN"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("b",)
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("eps", "number", required=False, default=Fraction(1, 100000)),
        ParamSpec("momentum", "number", required=False, default=Fraction(1, 10)),
    )

    affine: bool
    eps: Fraction
    momentum: Fraction

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls(suffixes.bias is not False, Fraction(1, 100000), Fraction(1, 10))

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(True, above_zero("eps", arguments["eps"]), share("momentum", arguments["momentum"]))

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        depth = inputs[0].channels
        return (
            *norm_parameters(depth, self.affine),
            Parameter("running_mean", (depth,), "buffer"),
            Parameter("running_var", (depth,), "buffer"),
            Parameter("num_batches_tracked", (), "buffer", "int64"),
        )

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("norm", 2 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not (mode.needs[0] or (mode.trains and self.affine)):
            return ()
        weight = (Saved("parameter", name="weight"),) if self.affine else ()
        running = (Saved("parameter", name="running_mean"), Saved("parameter", name="running_var"))
        statistics = kept_statistics(inputs[0].channels * mode.statistic_itemsize()) if mode.training else ()
        return (Saved("input"), *weight, *running, *statistics)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        kwargs = (
            ("num_features", inputs[0].channels),
            ("eps", float(self.eps)),
            ("momentum", float(self.momentum)),
            ("affine", self.affine),
        )
        return (TorchCall(f"nn.BatchNorm{max(inputs[0].rank, 1)}d", kwargs),)
