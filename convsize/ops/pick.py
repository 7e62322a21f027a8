"""Picked maps."""

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
    require_positive,
    whole,
    wholes,
)
from convsize.words import plural


class Pick(Op):
    """Picked maps: the maps of the given numbers, in their order.

    Spec
        `pick(i,j,…)`, from 0; a map may be picked twice. `pick(0,step=3)`: every third map from the first; of several
        numbers each is taken again every `step` maps: `pick(0,1,step=4)` is `pick(0,1,4,5,8,…)`.
    Shape
        D@L -> n@L.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        the numbers of the maps: 8 bytes each.
    PyTorch
        a module that indexes dimension 1.
    Source
        LeCun et al. 1998: the partial connections of LeNet-5's C3.
    """

    NAME: ClassVar[str] = "picked maps"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    STEM: ClassVar[str] = "pick"
    SPELLING: ClassVar[str] = "pick(i,j)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("maps", variadic=True),
        ParamSpec("step", required=False),
    )

    indices: tuple[int, ...]

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        maps, step = wholes(arguments["maps"]), arguments["step"]
        if step is None:
            return cls(maps)
        every, depth = whole(step), source.channels
        require_positive("the step", every)
        # The first turn is taken as it is written, so that a map beyond the depth is an error.
        later = (turn + index for turn in range(every, depth, every) for index in maps if turn + index < depth)
        return cls((*maps, *later))

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        for index in self.indices:
            if not 0 <= index < source.channels:
                raise GeometryError(
                    "E110",
                    f"map {index} does not lie in the depth {source.channels}",
                    f"the maps are 0 to {source.channels - 1}",
                )
        return Shape(len(self.indices), source.spatial)

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return tuple([MapRange(0, index, index + 1) for index in self.indices])

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def without_effect(self, *inputs: Shape) -> str | None:
        return (
            f"it keeps all {plural(inputs[0].channels, 'map')}"
            if self.indices == tuple(range(inputs[0].channels))
            else None
        )

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not mode.needs[0]:
            return ()
        return (Saved("extra", name="indices", size=8 * len(self.indices)),)

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("convsize.Pick", (("indices", self.indices),)),)
