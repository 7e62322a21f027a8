"""Global average pooling."""

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


class GlobalAveragePool(Op):
    """Global average pooling: the mean of every map.

    Spec
        `GAP`.
    Shape
        D@L… -> D@1….
    Window
        the whole extent of its input.
    Parameters
        none.
    MACs
        none. FLOPs: D·L…: L… - 1 additions and a division a map.
    Saved for backward
        nothing: the gradient of a mean needs no values.
    PyTorch
        nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d to 1.
    Source
        Lin et al. 2014, network in network; Varma & Das, ch. 12.
    """

    NAME: ClassVar[str] = "global average pooling"
    KIND: ClassVar[Kind] = "pool"
    VALUES: ClassVar[Values] = "averaged"
    STEM: ClassVar[str] = "gap"
    SPELLING: ClassVar[str] = "GAP"
    SUFFIXES: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def from_suffixes(cls, suffixes: Suffixes, source: Shape) -> Self:
        return cls()

    def output(self, *inputs: Shape) -> Shape:
        require_spatial("global average pooling", inputs[0])
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
        return (Work("pool", inputs[0].elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall(torch_rank("nn.AdaptiveAvgPool{}d", inputs[0]), (("output_size", 1),)),)
