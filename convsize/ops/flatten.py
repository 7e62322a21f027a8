"""Flattening."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    EVERYTHING,
    Shape,
    Window,
)
from convsize.ops.base import (
    Argument,
    ExtentRule,
    Kind,
    MapsRead,
    TorchCall,
    Values,
)
from convsize.ops.shared.moving import Moving


class Flatten(Moving):
    """Flattening: all values in one vector, map by map and row by row.

    Spec
        `flat`; `FC` flattens by itself.
    Shape
        D@L… -> D·L….
    Window
        the whole extent of its input: a vector has no positions.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing: it is a view.
    PyTorch
        nn.Flatten.
    Source
        Varma & Das, ch. 12.
    """

    NAME: ClassVar[str] = "flattening"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    EXTENTS: ClassVar[ExtentRule] = "flattened"
    STEM: ClassVar[str] = "flat"
    SPELLING: ClassVar[str] = "flat"

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls()

    def output(self, *inputs: Shape) -> Shape:
        return Shape(inputs[0].elements)

    def window(self, *inputs: Shape) -> Window:
        return EVERYTHING

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.Flatten"),)
