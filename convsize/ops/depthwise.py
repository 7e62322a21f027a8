"""Depthwise convolution."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Self

from convsize.geometry import (
    HALF_PADDING,
    AxisWindow,
    Extents,
    GeometryError,
    Padding,
    Rounding,
    Shape,
    Window,
    per_axis,
)
from convsize.ops.base import Kind, MapsRead, Op, Parameter, Saved, SaveMode, Suffixes, TorchCall, Values, Work
from convsize.ops.shared.arguments import (
    require_positive,
)
from convsize.ops.shared.windows import (
    kept_convolution,
    padded_call,
    require_spatial,
    resolve,
    slide,
    torch_rank,
)


class DepthwiseConvolution(Op):
    """Depthwise convolution: every map is convolved by filters of its own; nothing crosses the depth.

    Spec
        `DW3D64/2p1d2b0ceil`: as `C`. D' is a multiple m of the depth D (m filters a map) and D where left out.
    Shape
        D@L -> D'@L', L' = ⌊(L + P - d(k-1) - 1)/S⌋ + 1 per axis.
    Window
        k per axis with stride, dilation and padding.
    Parameters
        weight D'·1·k…, bias D'.
    MACs
        D'·L'…·k…: D times less than a full convolution. The bias adds D'·L'… FLOPs.
    Saved for backward
        input and weight, as a convolution; the padded copy instead of the input where one is made.
    PyTorch
        nn.Conv1d, nn.Conv2d, nn.Conv3d with groups = in_channels.
    Source
        Howard et al. 2017, MobileNets; Chollet 2017, Xception.
    """

    NAME: ClassVar[str] = "depthwise convolution"
    KIND: ClassVar[Kind] = "depthwise"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "dwconv"
    SPELLING: ClassVar[str] = "DW3D64/2p1d1b1floor"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size", "D", "/", "p", "d", "b", "rounding")

    out_channels: int
    kernel_size: Extents
    stride: Extents
    padding: Padding
    dilation: Extents
    bias: bool
    rounding: Rounding

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        require_spatial("depthwise convolution", source)
        if suffixes.groups not in (None, source.channels):
            raise GeometryError(
                "E204",
                f"a depthwise convolution has one group for each of its input's maps: {source.channels}, not "
                f"{suffixes.groups}",
                f"leave `g` out, or write a convolution: `C` with `g{suffixes.groups}`",
            )
        return cls(
            out_channels=source.channels if suffixes.depth is None else suffixes.depth,
            kernel_size=per_axis(suffixes.size or (3,), source.rank),
            stride=per_axis(suffixes.stride or (1,), source.rank),
            padding=suffixes.padding or HALF_PADDING,
            dilation=per_axis(suffixes.dilation or (1,), source.rank),
            bias=suffixes.bias is not False,
            rounding=suffixes.rounding or "floor",
        )

    def _axes(self, source: Shape) -> tuple[AxisWindow, ...]:
        return resolve(source, self.kernel_size, self.stride, self.dilation, self.padding)

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        require_positive("the depth", self.out_channels)
        if self.out_channels % source.channels:
            nearest = max(self.out_channels // source.channels, 1) * source.channels
            raise GeometryError(
                "E204",
                f"a depthwise convolution to {self.out_channels} maps needs a multiple of its input's "
                f"depth {source.channels}: {self.out_channels}/{source.channels} leaves "
                f"{self.out_channels % source.channels}",
                f"write `D{nearest}`, or leave `D` out and follow with `C1D{self.out_channels}`",
            )
        return Shape(self.out_channels, slide(source, self._axes(source), self.rounding))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", self._axes(inputs[0]))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        weight = Parameter("weight", (self.out_channels, 1, *self.kernel_size))
        return (weight, Parameter("bias", (self.out_channels,), "bias")) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return output.elements * prod(self.kernel_size)

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("bias", output.elements),) if self.bias else ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return kept_convolution(self._axes(inputs[0]), inputs[0], self.rounding, mode)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        (source,) = inputs
        pads, padding = padded_call(self._axes(source), source, self.rounding)
        call = TorchCall(
            torch_rank("nn.Conv{}d", source),
            (
                ("in_channels", source.channels),
                ("out_channels", self.out_channels),
                ("kernel_size", self.kernel_size),
                ("stride", self.stride),
                ("padding", padding),
                ("dilation", self.dilation),
                ("groups", source.channels),
                ("bias", self.bias),
            ),
        )
        return (*pads, call)
