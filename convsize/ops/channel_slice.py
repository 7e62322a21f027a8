"""Slice of the depth."""

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


class Slice(Moving):
    """Slice of the depth: the maps a, a + 1, … b - 1.

    Spec
        `slice(a,b)`, from 0; `split[… | …]` makes one for every branch.
    Shape
        D@L -> (b - a)@L.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing: it is a view.
    PyTorch
        torch.narrow over dimension 1.
    Source
        Krizhevsky et al. 2012: AlexNet's two groups; Ma et al. 2018, ShuffleNetV2.
    """

    NAME: ClassVar[str] = "slice"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    STEM: ClassVar[str] = "slice"
    SPELLING: ClassVar[str] = "slice(a,b)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("start"), ParamSpec("stop"))

    start: int
    stop: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(whole(arguments["start"]), whole(arguments["stop"]))

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        if not 0 <= self.start < self.stop <= source.channels:
            start = min(max(self.start, 0), source.channels - 1)
            stop = min(max(self.stop, start + 1), source.channels)
            raise GeometryError(
                "E110",
                f"the slice from {self.start} to {self.stop} does not lie in the depth {source.channels}",
                f"the maps are 0 to {source.channels - 1}, and the second number is exclusive: `slice({start},{stop})`",
            )
        return Shape(self.stop - self.start, source.spatial)

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return (MapRange(0, self.start, self.stop),)

    def without_effect(self, *inputs: Shape) -> str | None:
        return f"it keeps all {plural(inputs[0].channels, 'map')}" if self.output(*inputs) == inputs[0] else None

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        kwargs = (("dim", 1), ("start", self.start), ("length", self.stop - self.start))
        return (TorchCall("torch.narrow", kwargs),)
