"""Concatenation."""

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
    TorchCall,
    Values,
)
from convsize.ops.shared.moving import Moving


class Concatenate(Moving):
    """Concatenation of branches on the depth.

    Spec
        `[a | b | c]`.
    Shape
        D1@L, D2@L, … -> (D1 + D2 + …)@L; the branches have the same extents. Vectors join to a longer vector.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing.
    PyTorch
        torch.cat over dimension 1.
    Source
        Szegedy et al. 2015, inception modules; Ronneberger et al. 2015, U-Net.
    """

    NAME: ClassVar[str] = "concatenation"
    KIND: ClassVar[Kind] = "concatenation"
    VALUES: ClassVar[Values] = "moved"
    STEM: ClassVar[str] = "cat"
    SPELLING: ClassVar[str] = "[|]"

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls()

    def output(self, *inputs: Shape) -> Shape:
        first = inputs[0]
        for other in inputs[1:]:
            if other.rank != first.rank:
                flat, spatial = (other, first) if first.rank else (first, other)
                raise GeometryError(
                    "E303",
                    f"a vector of {flat} and a volume of {spatial} do not concatenate",
                    "flatten the volume: end its branch with `flat`",
                )
            if other.spatial != first.spatial:
                raise GeometryError(
                    "E303",
                    f"the branches of this concatenation have different extents: {first} and {other}",
                    "give them the same strides and paddings, or crop the larger one: `crop(…)`",
                )
        return Shape(sum(shape.channels for shape in inputs), first.spatial)

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return tuple([MapRange(place, 0, shape.channels) for place, shape in enumerate(inputs)])

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("torch.cat", (("dim", 1),)),)
