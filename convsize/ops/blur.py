"""A fixed filter that blurs."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import ClassVar, Self, cast

from convsize.geometry import (
    AxisWindow,
    Extents,
    Fill,
    Padding,
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
    TorchCall,
    Values,
    Work,
)
from convsize.ops.shared.arguments import require_positive, whole
from convsize.ops.shared.windows import (
    kept_convolution,
    padded_call,
    require_spatial,
    resolve,
    slide,
)


class Blur(Op):
    """A blur: every map is convolved with a fixed binomial filter, as before a stride that should not alias.

    Spec
        `blur(n,s=1)`: n binomial coefficients along every axis (`blur(3)` has 1 2 1, over 4), stride s. The border is
        reflected; `blur(3,2,zeros)`, `replicate`, `circular`: padded otherwise. Anti-aliased pooling is
        `M/1 blur(3,2)`, an anti-aliased stride `C3D64 R blur(3,2)`.
    Shape
        D@L -> D@⌈L/S⌉ per axis: n - 1 pixels of padding, the odd one after.
    Window
        n per axis with stride and padding.
    Parameters
        none; the filter D·1·n… is a buffer.
    MACs
        D·L'…·n…, as of a depthwise convolution.
    Saved for backward
        the padded copy of the input and the filter, as a convolution; the input, which padding by reflection and by
        replication keeps.
    PyTorch
        F.pad and F.conv1d, F.conv2d, F.conv3d with groups = channels.
    Source
        Zhang 2019, making convolutional networks shift-invariant again.
    """

    NAME: ClassVar[str] = "blur"
    KIND: ClassVar[Kind] = "pool"
    VALUES: ClassVar[Values] = "averaged"
    STEM: ClassVar[str] = "blur"
    SPELLING: ClassVar[str] = "blur(n,s)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("n"),
        ParamSpec("s", required=False, default=1),
        ParamSpec(
            "mode",
            "choice",
            required=False,
            default="reflect",
            choices=("reflect", "zeros", "replicate", "circular"),
        ),
    )

    kernel_size: Extents
    stride: Extents
    fill: Fill

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        require_spatial("blurring", source)
        size, stride = whole(arguments["n"]), whole(arguments["s"])
        require_positive("the number of coefficients", size)
        require_positive("the stride", stride)
        return cls((size,) * source.rank, (stride,) * source.rank, cast(Fill, arguments["mode"]))

    @property
    def padding(self) -> Padding:
        return Padding("explicit", tuple([((n - 1) // 2, n // 2) for n in self.kernel_size]), self.fill)

    def _axes(self, source: Shape) -> tuple[AxisWindow, ...]:
        return resolve(source, self.kernel_size, self.stride, (1,) * source.rank, self.padding)

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        return Shape(source.channels, slide(source, self._axes(source), "floor"))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", self._axes(inputs[0]))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", (inputs[0].channels, 1, *self.kernel_size), "buffer"),)

    def without_effect(self, *inputs: Shape) -> str | None:
        return "a single coefficient blurs nothing" if {*self.kernel_size, *self.stride} == {1} else None

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return output.elements * prod(self.kernel_size)

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not mode.needs[0]:
            return ()
        return kept_convolution(self._axes(inputs[0]), inputs[0], "floor", mode, (Saved("parameter", name="weight"),))

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        (source,) = inputs
        pads, padding = padded_call(self._axes(source), source, "floor")
        arguments = (
            ("channels", source.channels),
            ("kernel_size", self.kernel_size),
            ("stride", self.stride),
            ("padding", padding),
        )
        return (*pads, TorchCall("convsize.Blur", arguments, like=f"nn.Conv{source.rank}d"))
