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
from convsize.ops.shared.windows import (
    kept_convolution,
    padded_call,
    require_spatial,
    resolve,
    slide,
    torch_rank,
)


class Convolution(Op):
    """Convolution: every output sees a k-wide window over the whole depth (of its group).

    Spec
        `C3D64/2p1d2g4b0ceil`: kernel 3, depth out 64, stride 2, padding 1, dilation 2, groups 4, no bias, rounding.
        Left out: kernel 3, depth as deep as the input, stride 1, half padding (odd kernels), bias, floor.
    Shape
        D@L -> D'@L', L' = ⌊(L + P - d(k-1) - 1)/S⌋ + 1 per axis, P the zeros on both sides together.
    Window
        k per axis with stride, dilation and padding.
    Parameters
        weight D'·(D/g)·k…, bias D'.
    MACs
        D'·L'…·(D/g)·k…: one multiply-add per weight and position. The bias adds D'·L'… FLOPs.
    Saved for backward
        input and weight (even a frozen one); where the padding is asymmetric or rounding up adds to it, the padded
        copy instead of the input.
    PyTorch
        nn.Conv1d, nn.Conv2d, nn.Conv3d; asymmetric padding by F.pad before it.
    Source
        Varma & Das, ch. 12: parameters D'·(F·F·D + 1); Aggarwal, ch. 8: (L - F + 2P)/S + 1.
    """

    NAME: ClassVar[str] = "convolution"
    KIND: ClassVar[Kind] = "convolution"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "conv"
    SPELLING: ClassVar[str] = "C3D64/2p1d1g1b1floor"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size", "D", "/", "p", "d", "g", "b", "rounding")

    out_channels: int
    kernel_size: Extents
    stride: Extents
    padding: Padding
    dilation: Extents
    groups: int
    bias: bool
    rounding: Rounding

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
        )

    def _axes(self, source: Shape) -> tuple[AxisWindow, ...]:
        return resolve(source, self.kernel_size, self.stride, self.dilation, self.padding)

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        require_groups(self.groups, source.channels, self.out_channels)
        return Shape(self.out_channels, slide(source, self._axes(source), self.rounding))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", self._axes(inputs[0]))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return self.groups

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        weight = Parameter("weight", (self.out_channels, inputs[0].channels // self.groups, *self.kernel_size))
        return (weight, Parameter("bias", (self.out_channels,), "bias")) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return output.elements * (inputs[0].channels // self.groups) * prod(self.kernel_size)

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
                ("groups", self.groups),
                ("bias", self.bias),
            ),
        )
        return (*pads, call)
