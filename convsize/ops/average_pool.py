"""Average pooling."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Self

from convsize.geometry import (
    AxisWindow,
    Extents,
    Padding,
    Rounding,
    Shape,
    Window,
    overhang,
)
from convsize.ops.base import Kind, MapsRead, Op, Parameter, Saved, SaveMode, Suffixes, TorchCall, Values, Work
from convsize.ops.shared.keeps import tensor_bytes
from convsize.ops.shared.windows import (
    kept_padded,
    padded_call,
    padded_shape,
    pool_window,
    require_pool_padding,
    resolve,
    slide,
    torch_rank,
    window_without_effect,
)


class AveragePool(Op):
    """Average pooling: the mean of every window, map by map.

    Spec
        `A3/2p1d1z0ceil`: window 3, stride 2, padding 1, dilation, rounding; `z0`: padding zeros do not count in the
        mean. Left out: window 2, stride as wide as the window, no padding, zeros count, floor.
    Shape
        D@L -> D@L', L' = ⌊(L + P - d(k-1) - 1)/S⌋ + 1 per axis, or ⌈ ⌉ + 1 under `ceil`, where a window that would
        start after the input is left out.
    Window
        k per axis with stride, dilation and padding.
    Parameters
        none.
    MACs
        none. FLOPs: k… an output, k… - 1 additions and a division.
    Saved for backward
        input; where the padding differs on the two sides the padded copy instead.
    PyTorch
        nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d with count_include_pad; padding that differs on the two sides by F.pad
        before it. What rounding up adds after the padding never counts. Where these layers cannot say it (dilation;
        uneven padding with `z0` or `ceil`; a 3-D window larger than its input): window sums over the number of values
        that count.
    Source
        LeCun et al. 1998 (LeNet-5); Aggarwal, ch. 8.
    """

    NAME: ClassVar[str] = "average pooling"
    KIND: ClassVar[Kind] = "pool"
    VALUES: ClassVar[Values] = "averaged"
    STEM: ClassVar[str] = "avgpool"
    SPELLING: ClassVar[str] = "A2/2p0d1z1floor"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size", "/", "p", "d", "z", "rounding")

    kernel_size: Extents
    stride: Extents
    padding: Padding
    dilation: Extents
    count_zeros: bool
    rounding: Rounding

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        window = pool_window("average pooling", suffixes, source)
        return cls(count_zeros=suffixes.count_zeros is not False, **window.as_dict())

    def _axes(self, source: Shape) -> tuple[AxisWindow, ...]:
        return resolve(source, self.kernel_size, self.stride, self.dilation, self.padding)

    def _native(self, axes: tuple[AxisWindow, ...], source: Shape) -> bool:
        """Whether PyTorch's own layer says it, with an F.pad before it at most."""
        if any(d > 1 for d in self.dilation):
            return False
        # nn.AvgPool3d, unlike the other two, refuses a window that fits only the padded input.
        if source.rank == 3 and any(k > extent for k, extent in zip(self.kernel_size, source.spatial, strict=True)):
            return False
        even = all(window.before == window.after for window in axes)
        return even or (self.count_zeros and self.rounding != "ceil")

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        axes = self._axes(source)
        require_pool_padding(axes)
        return Shape(source.channels, slide(source, axes, self.rounding))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", self._axes(inputs[0]))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def without_effect(self, *inputs: Shape) -> str | None:
        return window_without_effect(self.window(*inputs).axes)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("pool", output.elements * prod(self.kernel_size)),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not mode.needs[0]:
            return ()
        (source,) = inputs
        axes = self._axes(source)
        if self._native(axes, source):
            even = all(window.before == window.after for window in axes)
            return (Saved("input") if even else kept_padded(axes, source, self.rounding, mode),)
        padded = padded_shape(axes, source, self.rounding)
        copied = Saved("extra", name="padded input", size=tensor_bytes(padded, mode))
        return (
            Saved("input") if padded == source else copied,
            Saved("extra", name="window of ones", size=prod(self.kernel_size) * mode.itemsize),
            Saved("extra", name="counts", size=output.area * mode.itemsize),
        )

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        (source,) = inputs
        axes = self._axes(source)
        if self._native(axes, source):
            even = all(window.before == window.after for window in axes)
            pads, padding = ((), tuple(w.before for w in axes)) if even else padded_call(axes, source, self.rounding)
            call = TorchCall(
                torch_rank("nn.AvgPool{}d", source),
                (
                    ("kernel_size", self.kernel_size),
                    ("stride", self.stride),
                    ("padding", padding),
                    ("ceil_mode", self.rounding == "ceil"),
                    ("count_include_pad", self.count_zeros),
                ),
            )
            return (*pads, call)
        extents = slide(source, axes, self.rounding)
        call = TorchCall(
            "convsize.AveragePool",
            (
                ("kernel_size", self.kernel_size),
                ("stride", self.stride),
                ("padding", tuple(zeros for window in reversed(axes) for zeros in (window.before, window.after))),
                ("overhang", tuple(map(overhang, source.spatial, axes, extents))),
                ("dilation", self.dilation),
                ("count_include_pad", self.count_zeros),
            ),
        )
        return (call,)
