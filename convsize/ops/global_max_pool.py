"""Global max pooling."""

from __future__ import annotations

from typing import ClassVar, Self

from convsize.geometry import (
    EVERYTHING,
    Shape,
    Window,
)
from convsize.ops.base import Kind, MapsRead, Op, Parameter, Saved, SaveMode, Suffixes, TorchCall, Values, Work
from convsize.ops.shared.windows import (
    require_spatial,
    torch_rank,
)


class GlobalMaxPool(Op):
    """Global max pooling: the largest value of every map.

    Spec
        `GMP`.
    Shape
        D@L… -> D@1….
    Window
        the whole extent of its input.
    Parameters
        none.
    MACs
        none. FLOPs: D·(L… - 1) comparisons.
    Saved for backward
        input, and the place of every maximum: 8 bytes an output.
    PyTorch
        nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d to 1.
    Source
        Kim 2014, convolutional networks for sentences (max over time).
    """

    NAME: ClassVar[str] = "global max pooling"
    KIND: ClassVar[Kind] = "pool"
    VALUES: ClassVar[Values] = "chosen"
    STEM: ClassVar[str] = "gmp"
    SPELLING: ClassVar[str] = "GMP"
    SUFFIXES: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls()

    def output(self, *inputs: Shape) -> Shape:
        require_spatial("global max pooling", inputs[0])
        return Shape(inputs[0].channels, (1,) * inputs[0].rank)

    def window(self, *inputs: Shape) -> Window:
        return EVERYTHING

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("pool", inputs[0].elements - output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not mode.needs[0]:
            return ()
        return (Saved("input"), Saved("extra", name="indices", size=mode.batch * output.elements * 8))

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall(torch_rank("nn.AdaptiveMaxPool{}d", inputs[0]), (("output_size", 1),)),)
