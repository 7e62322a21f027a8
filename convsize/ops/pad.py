"""Zero padding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    AxisWindow,
    GeometryError,
    Shape,
    Window,
)
from convsize.ops.base import (
    Argument,
    Kind,
    MapsRead,
    Op,
    Parameter,
    ParamSpec,
    Saved,
    SaveMode,
    TorchCall,
    Values,
    Work,
)
from convsize.ops.shared.arguments import (
    wholes,
)
from convsize.ops.shared.windows import (
    axis_name,
    pad_call,
    require_rest,
    require_spatial,
    slide,
)


class Pad(Op):
    """Zero padding as a layer of its own; negative amounts crop.

    Spec
        `pad(n)`: n zeros on every side; `pad(before,after)`: on every axis; `pad(b1,a1,b2,a2)`: by axis.
    Shape
        D@L -> D@(L + before + after) per axis.
    Window
        1 per axis, padded.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing.
    PyTorch
        F.pad.
    Source
        Yoon, part 6; F(x) padded by hand in TensorFlow's models.
    """

    NAME: ClassVar[str] = "zero padding"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    STEM: ClassVar[str] = "pad"
    SPELLING: ClassVar[str] = "pad(n)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("amounts", variadic=True),)

    pairs: tuple[tuple[int, int], ...]

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        require_spatial("padding", source)
        amounts = wholes(arguments["amounts"])
        if len(amounts) == 1:
            return cls(((amounts[0], amounts[0]),) * source.rank)
        if len(amounts) == 2:
            return cls(((amounts[0], amounts[1]),) * source.rank)
        if len(amounts) == 2 * source.rank:
            return cls(tuple(zip(amounts[::2], amounts[1::2], strict=True)))
        raise GeometryError(
            "E206",
            f"{len(amounts)} amounts of padding fit no input of {source.rank} {'axis' if source.rank == 1 else 'axes'}",
            "write `pad(n)`, `pad(before,after)`, or a before and an after for every axis",
        )

    def _axes(self) -> tuple[AxisWindow, ...]:
        return tuple(AxisWindow(1, before=before, after=after) for before, after in self.pairs)

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        for axis, (before, after) in enumerate(self.pairs):
            require_rest(source.spatial[axis], before, after, axis_name(source, axis))
        return Shape(source.channels, slide(source, self._axes(), "floor"))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", self._axes())

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def without_effect(self, *inputs: Shape) -> str | None:
        return "it adds no zeros" if not any(map(any, self.pairs)) else None

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (pad_call(self.pairs),)
