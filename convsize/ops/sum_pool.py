"""Sum pooling."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import ClassVar, Self

from convsize.geometry import (
    NO_PADDING,
    AxisWindow,
    Extents,
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
from convsize.ops.shared.windows import (
    resolve,
    slide,
    torch_rank,
    window_without_effect,
    word_window,
)


class SumPool(Op):
    """Sum pooling: the sum of every window, map by map.

    Spec
        `sumpool(k, s=k)`: window k and stride s on every axis, no padding, floor.
    Shape
        D@L -> D@L', L' = ⌊(L - k)/S⌋ + 1 per axis.
    Window
        k per axis with its stride.
    Parameters
        none.
    MACs
        none. FLOPs: k… - 1 additions an output.
    Saved for backward
        input.
    PyTorch
        nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, times the number of values in a window.
    Source
        Bilen, lecture 7; Yoon, part 6: pooling functions.
    """

    NAME: ClassVar[str] = "sum pooling"
    KIND: ClassVar[Kind] = "pool"
    VALUES: ClassVar[Values] = "summed"
    STEM: ClassVar[str] = "sumpool"
    SPELLING: ClassVar[str] = "sumpool(k,s=k)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("kernel_size"),
        ParamSpec("stride", required=False),
    )

    kernel_size: Extents
    stride: Extents

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(*word_window("sum pooling", arguments, source))

    def _axes(self, source: Shape) -> tuple[AxisWindow, ...]:
        return resolve(source, self.kernel_size, self.stride, (1,) * source.rank, NO_PADDING)

    def output(self, *inputs: Shape) -> Shape:
        return Shape(inputs[0].channels, slide(inputs[0], self._axes(inputs[0]), "floor"))

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
        return (Saved("input"),) if mode.needs[0] else ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        window = (("kernel_size", self.kernel_size), ("stride", self.stride))
        return (
            TorchCall(torch_rank("nn.AvgPool{}d", inputs[0]), window),
            TorchCall("torch.mul", (("other", prod(self.kernel_size)),)),
        )
