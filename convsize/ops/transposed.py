"""Transposed convolution."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Self

from convsize.geometry import (
    NO_PADDING,
    AxisWindow,
    Extents,
    GeometryError,
    Padding,
    Shape,
    Window,
    per_axis,
)
from convsize.ops.base import Kind, MapsRead, Op, Parameter, Saved, SaveMode, Suffixes, TorchCall, Values, Work
from convsize.ops.shared.arguments import (
    require_groups,
)
from convsize.ops.shared.windows import (
    pad_call,
    require_spatial,
    resolve_transposed,
    slide,
    torch_rank,
)


class TransposedConvolution(Op):
    """Transposed convolution: every input spreads over a k-wide window of outputs; the gradient of a convolution.

    Spec
        `T2D64/2p0d1g1a1b1`: kernel 2, depth out 64, stride 2, padding, dilation, groups, output padding, bias.
        Left out: depth as deep as the input, stride 1, no padding, no output padding, bias;
        but after `default: Cb0` it has none either, unless it says `b1` or the defaults name a `T` of their own.
    Shape
        D@L -> D'@L', L' = (L - 1)·S - P + d(k-1) + 1 + a per axis, P the padding of both sides together.
        `psame` gives L·S as TensorFlow does.
    Window
        transposed: input i reaches the outputs i·S - before + d·t, t = 0 … k-1.
    Parameters
        weight D·(D'/g)·k…, bias D'.
    MACs
        L…·D·(D'/g)·k…: by the size of the input, since every input is multiplied by the whole filter once. The bias
        adds D'·L'… FLOPs.
    Saved for backward
        input and weight (even a frozen one).
    PyTorch
        nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d; padding that differs on the two sides is cropped off
        by F.pad after it.
    Source
        Long et al. 2015, FCN; Dumoulin & Visin 2016, a guide to convolution arithmetic.
    """

    NAME: ClassVar[str] = "transposed convolution"
    KIND: ClassVar[Kind] = "transposed"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "tconv"
    SPELLING: ClassVar[str] = "T2D64/2p0d1g1a0b1"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size", "D", "/", "p", "d", "g", "a", "b")

    out_channels: int
    kernel_size: Extents
    stride: Extents
    padding: Padding
    dilation: Extents
    groups: int
    output_padding: Extents
    bias: bool

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        require_spatial("transposed convolution", source)
        if suffixes.size is None:
            raise GeometryError(
                "E101", "this layer needs its kernel", "write it after the mnemonic: `T2/2` doubles an extent"
            )
        return cls(
            out_channels=source.channels if suffixes.depth is None else suffixes.depth,
            kernel_size=per_axis(suffixes.size, source.rank),
            stride=per_axis(suffixes.stride or (1,), source.rank),
            padding=suffixes.padding or NO_PADDING,
            dilation=per_axis(suffixes.dilation or (1,), source.rank),
            groups=1 if suffixes.groups is None else suffixes.groups,
            output_padding=per_axis(suffixes.output_padding or (0,), source.rank),
            bias=suffixes.bias is not False,
        )

    def _axes(self, source: Shape) -> tuple[AxisWindow, ...]:
        return resolve_transposed(
            source, self.kernel_size, self.stride, self.dilation, self.padding, self.output_padding
        )

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        require_groups(self.groups, source.channels, self.out_channels)
        return Shape(self.out_channels, slide(source, self._axes(source), "floor"))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", self._axes(inputs[0]))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return self.groups

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        weight = Parameter("weight", (inputs[0].channels, self.out_channels // self.groups, *self.kernel_size))
        return (weight, Parameter("bias", (self.out_channels,), "bias")) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return inputs[0].elements * (self.out_channels // self.groups) * prod(self.kernel_size)

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("bias", output.elements),) if self.bias else ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not (mode.needs[0] or mode.trains):
            return ()
        return (Saved("input"), Saved("parameter", name="weight"))

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        (source,) = inputs
        axes = self._axes(source)
        # `after` without the output padding; PyTorch's layer takes one number for both sides.
        sides = tuple(
            (window.before, window.after + extra) for window, extra in zip(axes, self.output_padding, strict=True)
        )
        native = all(before == after >= 0 for before, after in sides)
        call = TorchCall(
            torch_rank("nn.ConvTranspose{}d", source),
            (
                ("in_channels", source.channels),
                ("out_channels", self.out_channels),
                ("kernel_size", self.kernel_size),
                ("stride", self.stride),
                ("padding", tuple(before for before, _ in sides) if native else (0,) * source.rank),
                ("output_padding", self.output_padding),
                ("groups", self.groups),
                ("bias", self.bias),
                ("dilation", self.dilation),
            ),
        )
        return (call,) if native else (call, pad_call(tuple((-before, -after) for before, after in sides)))
