"""Max pooling."""

from __future__ import annotations

from math import inf, prod
from typing import ClassVar, Self

from convsize.geometry import (
    AxisWindow,
    Extents,
    Padding,
    Rounding,
    Shape,
    Window,
)
from convsize.ops.base import Kind, MapsRead, Op, Parameter, Saved, SaveMode, Suffixes, TorchCall, Values, Work
from convsize.ops.shared.windows import (
    kept_padded,
    padded_call,
    pool_window,
    require_pool_padding,
    resolve,
    slide,
    torch_rank,
    window_without_effect,
)


def _even(axes: tuple[AxisWindow, ...]) -> bool:
    """Whether every axis is padded alike on both sides, as PyTorch's layer can say it."""
    return all(window.before == window.after for window in axes)


class MaxPool(Op):
    """Max pooling: the largest value of every window, map by map.

    Spec
        `M3/2p1d1ceil`, or `P`: window 3, stride 2, padding 1, dilation, rounding. Left out: window 2, stride as wide as
        the window, no padding, floor.
    Shape
        D@L -> D@L', L' = ⌊(L + P - d(k-1) - 1)/S⌋ + 1 per axis, or ⌈ ⌉ + 1 under `ceil`, where a window that would
        start after the input is left out.
    Window
        k per axis with stride, dilation and padding.
    Parameters
        none.
    MACs
        none. FLOPs: k… - 1 comparisons an output.
    Saved for backward
        input, and the place of every maximum: 8 bytes an output.
    PyTorch
        nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d; padding that differs on the two sides by F.pad with -inf before it.
    Source
        Aggarwal, ch. 8 and Varma & Das, ch. 12: (L - P)/S + 1, no parameters, zero padding uncommon.
    """

    NAME: ClassVar[str] = "max pooling"
    KIND: ClassVar[Kind] = "pool"
    VALUES: ClassVar[Values] = "chosen"
    STEM: ClassVar[str] = "maxpool"
    SPELLING: ClassVar[str] = "M2/2p0d1floor"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size", "/", "p", "d", "rounding")

    kernel_size: Extents
    stride: Extents
    padding: Padding
    dilation: Extents
    rounding: Rounding

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls(**pool_window("max pooling", suffixes, source).as_dict())

    def _axes(self, source: Shape) -> tuple[AxisWindow, ...]:
        return resolve(source, self.kernel_size, self.stride, self.dilation, self.padding)

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
        return (Work("pool", output.elements * (prod(self.kernel_size) - 1)),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not mode.needs[0]:
            return ()
        axes = self._axes(inputs[0])
        kept = Saved("input") if _even(axes) else kept_padded(axes, inputs[0], self.rounding, mode)
        return (kept, Saved("extra", name="indices", size=mode.batch * output.elements * 8))

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        (source,) = inputs
        axes = self._axes(source)
        native = _even(axes)
        pads, padding = (
            ((), tuple(w.before for w in axes)) if native else padded_call(axes, source, self.rounding, -inf)
        )
        call = TorchCall(
            torch_rank("nn.MaxPool{}d", source),
            (
                ("kernel_size", self.kernel_size),
                ("stride", self.stride),
                ("padding", padding),
                ("dilation", self.dilation),
                ("ceil_mode", native and self.rounding == "ceil"),
            ),
        )
        return (*pads, call)
