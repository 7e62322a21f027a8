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
from convsize.ops.shared.standard import (
    Standard,
    convolution_call,
    convolution_parameters,
    kept_standard,
    require_variance,
    standard_of,
    standard_work,
)
from convsize.ops.shared.windows import (
    kept_convolution,
    padded_call,
    require_spatial,
    resolve,
    slide,
)
from convsize.words import plural


class DepthwiseConvolution(Op):
    """Depthwise convolution: every map is convolved by filters of its own; nothing crosses the depth.

    Spec
        `DW3D64/2p1d2b0ceil`: as `C`, `ws` and `sws` included. D' is a multiple m of the depth D (m filters a map) and D
        where left out.
    Shape
        D@L -> D'@L', L' = ⌊(L + P - d(k-1) - 1)/S⌋ + 1 per axis.
    Window
        k per axis with stride, dilation and padding.
    Parameters
        weight D'·1·k…, bias D'; with `sws` gain D'.
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
    SPELLING: ClassVar[str] = "DW3D64/2p1d1b1floorws"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size", "D", "/", "p", "d", "b", "rounding", "ws")

    out_channels: int
    kernel_size: Extents
    stride: Extents
    padding: Padding
    dilation: Extents
    bias: bool
    rounding: Rounding
    standard: Standard | None

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
            standard=standard_of(suffixes),
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
                f"a depthwise convolution to {plural(self.out_channels, 'map')} needs a multiple of its input's "
                f"depth {source.channels}: {self.out_channels}/{source.channels} leaves "
                f"{self.out_channels % source.channels}",
                f"write `D{nearest}`, or leave `D` out and follow with `C1D{self.out_channels}`",
            )
        require_variance(self.standard, prod(self.kernel_size))
        return Shape(self.out_channels, slide(source, self._axes(source), self.rounding))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", self._axes(inputs[0]))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return convolution_parameters(self.standard, self.out_channels, 1, self.kernel_size, bias=self.bias)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return output.elements * prod(self.kernel_size)

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        bias = (Work("bias", output.elements),) if self.bias else ()
        if self.standard is None:
            return bias
        return (*bias, standard_work(self.standard, self.parameters(*inputs)[0]))

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        weight: tuple[Saved, ...] = (Saved("parameter", name="weight"),)
        if self.standard is not None:
            weight = kept_standard(self.standard, self.parameters(*inputs)[0], mode)
        return kept_convolution(self._axes(inputs[0]), inputs[0], self.rounding, mode, weight)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        (source,) = inputs
        pads, padding = padded_call(self._axes(source), source, self.rounding)
        call = convolution_call(
            self.standard,
            source.rank,
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
