"""Upsampling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    AxisWindow,
    Extents,
    Shape,
    Window,
    per_axis,
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
    TorchCall,
    Values,
    Work,
)
from convsize.ops.shared.arguments import (
    require_positive,
    wholes,
)
from convsize.ops.shared.windows import (
    require_spatial,
)


class Upsample(Op):
    """Upsampling: every axis becomes s times as long, by repeating the nearest value or by linear interpolation.

    Spec
        `up(s)`: by s on every axis; `up(1,2)`: by axis; `up(2,bilinear)`: interpolated, linear or trilinear by the
        number of axes.
    Shape
        D@L -> D@L·S per axis.
    Window
        nearest: transposed, s wide with stride s. Linear: transposed, 2s - (s mod 2) wide with stride s, as the hat
        function of half-pixel centres spreads an input over that many outputs.
    Parameters
        none.
    MACs
        none. FLOPs: none for nearest; linear 2·2^n - 1 an output over n axes (2^n multiplications, the rest additions).
    Saved for backward
        nothing.
    PyTorch
        nn.Upsample with align_corners=False.
    Source
        Odena et al. 2016, deconvolution and checkerboard artifacts.
    """

    NAME: ClassVar[str] = "upsampling"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "averaged"
    STEM: ClassVar[str] = "up"
    SPELLING: ClassVar[str] = "up(s)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("scale", variadic=True),
        ParamSpec(
            "mode", "choice", required=False, default="nearest", choices=("nearest", "linear", "bilinear", "trilinear")
        ),
    )

    scale_factor: Extents
    linear: bool

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        require_spatial("upsampling", source)
        scale_factor = per_axis(wholes(arguments["scale"]), source.rank)
        for scale in scale_factor:
            require_positive("the scale", scale)
        return cls(scale_factor, arguments["mode"] != "nearest")

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        return Shape(source.channels, tuple(e * s for e, s in zip(source.spatial, self.scale_factor, strict=True)))

    def window(self, *inputs: Shape) -> Window:
        if not self.linear:
            return Window("axes", tuple(AxisWindow(s, s, transposed=True) for s in self.scale_factor))
        # Output o has its centre at (o + 1/2)/s - 1/2 and weighs the inputs less than one pixel away from it: input i
        # reaches the outputs o with |o + 1/2 - s(i + 1/2)| < s: 2s of them for an even s, 2s - 1 for an odd one.
        axes = []
        for scale in self.scale_factor:
            before = scale // 2
            kernel = 2 * scale - scale % 2
            axes.append(AxisWindow(kernel, scale, before=before, after=kernel - scale - before, transposed=True))
        return Window("axes", tuple(axes))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def without_effect(self, *inputs: Shape) -> str | None:
        return "every extent stays as it is" if set(self.scale_factor) == {1} else None

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        each = 2 * 2 ** sum(s > 1 for s in self.scale_factor) - 1 if self.linear else 0
        return (Work("resample", each * output.elements),) if each else ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        rank = inputs[0].rank
        mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[rank] if self.linear else "nearest"
        return (TorchCall("nn.Upsample", (("scale_factor", self.scale_factor), ("mode", mode))),)
