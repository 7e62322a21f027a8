"""Global average pooling."""

from __future__ import annotations

from typing import ClassVar, Self

from convsize.geometry import (
    Extents,
    Shape,
    Window,
)
from convsize.ops.base import (
    ExtentRule,
    Kind,
    MapsRead,
    Op,
    Parameter,
    Saved,
    SaveMode,
    Suffixes,
    TorchCall,
    Values,
    Work,
)
from convsize.ops.shared.windows import (
    adaptive_extents,
    adaptive_pooled,
    adaptive_size,
    adaptive_window,
    torch_rank,
)


class GlobalAveragePool(Op):
    """Global average pooling: the mean of every map.

    Spec
        `GAP`; `GAP7`, `GAP1x4`: to so many positions an axis, as adaptive pooling does.
    Shape
        D@L -> D@1 per axis, or the extents that are written.
    Window
        the whole extent of its input. To n positions: ⌊oL/n⌋ … ⌈(o + 1)L/n⌉ - 1 for the output o, which overlap where n
        does not divide L.
    Parameters
        none.
    MACs
        none. FLOPs: n - 1 additions and a division for the n values of a window.
    Saved for backward
        nothing: the gradient of a mean needs no values. To more positions than one: input, as PyTorch's kernel has it.
    PyTorch
        nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d.
    Source
        Lin et al. 2014, network in network; Varma & Das, ch. 12.
    """

    NAME: ClassVar[str] = "global average pooling"
    KIND: ClassVar[Kind] = "pool"
    VALUES: ClassVar[Values] = "averaged"
    STEM: ClassVar[str] = "gap"
    SPELLING: ClassVar[str] = "GAP"
    EXTENTS: ClassVar[ExtentRule] = "resized"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size",)

    extents: Extents

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls(adaptive_extents("global average pooling", suffixes, source))

    def output(self, *inputs: Shape) -> Shape:
        return Shape(inputs[0].channels, self.extents)

    def window(self, *inputs: Shape) -> Window:
        return adaptive_window(inputs[0], self.extents)

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("pool", adaptive_pooled(inputs[0], self.extents)),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return (Saved("input"),) if mode.needs[0] and set(self.extents) != {1} else ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (
            TorchCall(torch_rank("nn.AdaptiveAvgPool{}d", inputs[0]), (("output_size", adaptive_size(self.extents)),)),
        )
