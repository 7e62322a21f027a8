"""The first positions of a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import AxisWindow, GeometryError, Shape, Window
from convsize.ops.base import (
    Argument,
    ExtentRule,
    Kind,
    MapsRead,
    ParamSpec,
    TorchCall,
    Values,
)
from convsize.ops.shared.arguments import require_positive, whole
from convsize.ops.shared.moving import Moving
from convsize.ops.shared.sequences import require_sequence
from convsize.words import plural


class Front(Moving):
    """The first positions of a sequence, as the class token that a head reads.

    Spec
        `front` for one, `front(n)` for n. `pad(-n,0)` is the sequence without them.
    Shape
        D@L to D@n.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing.
    PyTorch
        torch.narrow along the sequence: a view.
    Source
        Devlin et al. 2019, BERT; Dosovitskiy et al. 2021, ViT.
    """

    NAME: ClassVar[str] = "first positions"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    EXTENTS: ClassVar[ExtentRule] = "cropped"
    STEM: ClassVar[str] = "front"
    SPELLING: ClassVar[str] = "front(n)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("n", required=False, default=1),)

    count: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        count = whole(arguments["n"])
        require_positive("the number of positions", count)
        return cls(count)

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        require_sequence("taking the first positions", source)
        (length,) = source.spatial
        if self.count > length:
            raise GeometryError(
                "E210",
                f"there are no {plural(self.count, 'first position')} in a sequence of {plural(length, 'position')}",
                f"take at most {length}",
            )
        return Shape(source.channels, (self.count,))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", (AxisWindow(1, after=self.count - inputs[0].spatial[0]),))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def without_effect(self, *inputs: Shape) -> str | None:
        return "these are all positions" if inputs[0].spatial == (self.count,) else None

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("torch.narrow", (("dim", 2), ("start", 0), ("length", self.count))),)
