"""Global max pooling."""

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


class GlobalMaxPool(Op):
    """Global max pooling: the largest value of every map.

    Spec
        `GMP`; `GMP7`, `GMP1x4`: to so many positions an axis, as adaptive pooling does.
    Shape
        D@L -> D@1 per axis, or the extents that are written.
    Window
        the whole extent of its input. To n positions: ⌊oL/n⌋ … ⌈(o + 1)L/n⌉ - 1 for the output o, which overlap where n
        does not divide L.
    Parameters
        none.
    MACs
        none. FLOPs: n - 1 comparisons for the n values of a window.
    Saved for backward
        input, and the place of every maximum: 8 bytes an output.
    PyTorch
        nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d.
    Source
        Kim 2014, convolutional networks for sentences (max over time).
    """

    NAME: ClassVar[str] = "global max pooling"
    KIND: ClassVar[Kind] = "pool"
    VALUES: ClassVar[Values] = "chosen"
    STEM: ClassVar[str] = "gmp"
    SPELLING: ClassVar[str] = "GMP"
    EXTENTS: ClassVar[ExtentRule] = "resized"
    SUFFIXES: ClassVar[tuple[str, ...]] = ("size",)

    extents: Extents

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls(adaptive_extents("global max pooling", suffixes, source))

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
        return (Work("pool", adaptive_pooled(inputs[0], self.extents) - output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not mode.needs[0]:
            return ()
        return (Saved("input"), Saved("extra", name="indices", size=mode.batch * output.elements * 8))

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (
            TorchCall(torch_rank("nn.AdaptiveMaxPool{}d", inputs[0]), (("output_size", adaptive_size(self.extents)),)),
        )
