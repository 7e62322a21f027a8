"""Widening by zero maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    GeometryError,
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
    whole,
)
from convsize.ops.shared.moving import Moving
from convsize.words import plural


class Widen(Moving):
    """Widening: zero maps are added after the others until the volume is d deep.

    Spec
        `widen(d)`.
    Shape
        D@L -> d@L, d at least D.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing.
    PyTorch
        F.pad over the depth.
    Source
        He et al. 2016: option A, shortcuts without parameters.
    """

    NAME: ClassVar[str] = "widening"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    STEM: ClassVar[str] = "widen"
    SPELLING: ClassVar[str] = "widen(d)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("depth"),)

    out_channels: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(whole(arguments["depth"]))

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        if self.out_channels < source.channels:
            raise GeometryError(
                "E111",
                f"widening {plural(source.channels, 'map')} to {self.out_channels} removes "
                f"{source.channels - self.out_channels}",
                f"write `widen({source.channels})` or more; `slice(0,{max(self.out_channels, 1)})` removes maps",
            )
        return Shape(self.out_channels, source.spatial)

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        depth = inputs[0].channels
        zeros = (MapRange(None, 0, self.out_channels - depth),) if self.out_channels > depth else ()
        return (MapRange(0, 0, depth), *zeros)

    def without_effect(self, *inputs: Shape) -> str | None:
        return f"it keeps all {plural(inputs[0].channels, 'map')}" if self.output(*inputs) == inputs[0] else None

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        (source,) = inputs
        amounts = (0, 0) * source.rank + (0, self.out_channels - source.channels)
        return (TorchCall("F.pad", (("pad", amounts),)),)
