"""Channel shuffle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    Shape,
    Window,
)
from convsize.ops.base import (
    Argument,
    Kind,
    MapRange,
    MapsRead,
    ParamSpec,
    TorchCall,
    Values,
)
from convsize.ops.shared.arguments import (
    require_parts,
    whole,
)
from convsize.ops.shared.moving import Moving
from convsize.ops.shared.windows import require_spatial

_TOLD_APART = 4096
"""Maps of which the order is stated one by one."""


class Shuffle(Moving):
    """Channel shuffle: the maps of g groups are dealt out in turn, so that the next grouped convolution sees all
    groups.

    Spec
        `shuffle(g)`.
    Shape
        as its input; g must divide the depth.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing.
    PyTorch
        nn.ChannelShuffle.
    Source
        Zhang et al. 2018, ShuffleNet.
    """

    NAME: ClassVar[str] = "channel shuffle"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    STEM: ClassVar[str] = "shuffle"
    SPELLING: ClassVar[str] = "shuffle(g)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("groups"),)

    groups: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(whole(arguments["groups"]))

    def output(self, *inputs: Shape) -> Shape:
        require_spatial("channel shuffle", inputs[0])
        require_parts("E204", "groups", self.groups, inputs[0].channels)
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        depth = inputs[0].channels
        if self.groups in (1, depth):
            return depth
        if depth > _TOLD_APART:
            return 1
        width = depth // self.groups
        return tuple([MapRange(0, map_, map_ + 1) for first in range(width) for map_ in range(first, depth, width)])

    def without_effect(self, *inputs: Shape) -> str | None:
        return "one group keeps the maps in order" if self.groups == 1 else None

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.ChannelShuffle", (("groups", self.groups),)),)
