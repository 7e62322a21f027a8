"""Convolution."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Self

from convsize.geometry import (
    HALF_PADDING,
    AxisWindow,
    Extents,
    Padding,
    Rounding,
    Shape,
    Window,
    per_axis,
)
from convsize.ops.base import Kind, MapsRead, Op, Parameter, Saved, SaveMode, Suffixes, TorchCall, Values, Work
from convsize.ops.shared.arguments import require_groups
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


class Convolution(Op):
    """Convolution: every output sees a k-wide window over the whole depth (of its group).

    Spec
        `C3D64/2p1d2g4b0ceil`: kernel 3, depth out 64, stride 2, padding 1, dilation 2, groups 4, no bias, rounding.
        `C3D64ws` standardises each filter, `C3D64sws` scales it by a gain as well; `ws{0.00001}` sets eps.
        Left out: kernel 3, depth as deep as the input, stride 1, half padding (odd kernels), bias, floor.
    Shape
        D@L -> D'@L', L' = ⌊(L + P - d(k-1) - 1)/S⌋ + 1 per axis, P the zeros on both sides together.
    Window
        k per axis with stride, dilation and padding.
    Parameters
        weight D'·(D/g)·k…, bias D'; with `sws` gain D'.
    MACs
        D'·L'…·(D/g)·k…: one multiply-add per weight and position. The bias adds D'·L'… FLOPs, `ws`
        4 a weight once a batch (counted for one sample), `sws` D' more.
    Saved for backward
        input and weight (even a frozen one); where the padding is asymmetric or rounding up adds to it, the padded
        copy instead of the input. With `ws` the standardised weight besides, and the mean and the deviation of each
        filter; with `sws` the scaled gains.
    PyTorch
        nn.Conv1d, nn.Conv2d, nn.Conv3d; asymmetric padding by F.pad before it. With `ws` a module whose weight goes
        through F.batch_norm, seen as 1 x D' x (D/g)·k…: (w - mean)/√(var + eps), eps 0.000001 where none is written;
        `sws` multiplies that by gain/√((D/g)·k…).
    Source
        Varma & Das, ch. 12: parameters D'·(F·F·D + 1); Aggarwal, ch. 8: (L - F + 2P)/S + 1. Qiao et al. 2019,
        weight standardization; Brock et al. 2021, NF-nets, for the gain.
    """

    NAME: ClassVar[str] = "convolution"
    KIND: ClassVar[Kind] = "convolution"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "conv"
    SPELLING: ClassVar[str] = "C3D64/2p1d1g1b1floorws"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size", "D", "/", "p", "d", "g", "b", "rounding", "ws")

    out_channels: int
    kernel_size: Extents
    stride: Extents
    padding: Padding
    dilation: Extents
    groups: int
    bias: bool
    rounding: Rounding
    standard: Standard | None

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        require_spatial("convolution", source)
        return cls(
            out_channels=source.channels if suffixes.depth is None else suffixes.depth,
            kernel_size=per_axis(suffixes.size or (3,), source.rank),
            stride=per_axis(suffixes.stride or (1,), source.rank),
            padding=suffixes.padding or HALF_PADDING,
            dilation=per_axis(suffixes.dilation or (1,), source.rank),
            groups=1 if suffixes.groups is None else suffixes.groups,
            bias=suffixes.bias is not False,
            rounding=suffixes.rounding or "floor",
            standard=standard_of(suffixes),
        )

    def _axes(self, source: Shape) -> tuple[AxisWindow, ...]:
        return resolve(source, self.kernel_size, self.stride, self.dilation, self.padding)

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        require_groups(self.groups, source.channels, self.out_channels)
        require_variance(self.standard, source.channels // self.groups * prod(self.kernel_size))
        return Shape(self.out_channels, slide(source, self._axes(source), self.rounding))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", self._axes(inputs[0]))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return self.groups

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return convolution_parameters(
            self.standard, self.out_channels, inputs[0].channels // self.groups, self.kernel_size, bias=self.bias
        )

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return output.elements * (inputs[0].channels // self.groups) * prod(self.kernel_size)

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
                ("groups", self.groups),
                ("bias", self.bias),
            ),
        )
        return (*pads, call)
