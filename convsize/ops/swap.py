"""The depth and an axis exchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    AxisReads,
    GeometryError,
    Shape,
    Window,
)
from convsize.ops.base import (
    Argument,
    ExtentRule,
    Kind,
    MapsRead,
    ParamSpec,
    TorchCall,
    Values,
)
from convsize.ops.shared.moving import Moving
from convsize.ops.shared.windows import axis_names, require_spatial

_CHOICES = ("depth", "length", "time", "height", "width")


class Swap(Moving):
    """A swap: the depth becomes an axis, and that axis the depth, so that the next layer mixes positions.

    Spec
        `swap(depth,length)`; `time`, `height` and `width` of inputs with more axes.
    Shape
        D@L -> L@D; D@H×W -> W@H×D for the width.
    Window
        the whole extent of the axis, elsewhere its own position.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing: it is a view.
    PyTorch
        torch.permute.
    Source
        Tolstikhin et al. 2021, MLP-Mixer: a multilayer perceptron over the patches of every map.
    """

    NAME: ClassVar[str] = "swap"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    EXTENTS: ClassVar[ExtentRule] = "swapped"
    STEM: ClassVar[str] = "swap"
    SPELLING: ClassVar[str] = "swap(depth,axis)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("depth", "choice", choices=_CHOICES),
        ParamSpec("axis", "choice", choices=_CHOICES),
    )

    axis: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        require_spatial("swapping the depth with an axis", source)
        names = axis_names(source)
        given = [str(arguments[param.name]) for param in cls.PARAMS]
        others = [name for name in given if name != "depth"]
        if len(others) != 1:
            raise GeometryError(
                "E111",
                f"`swap({','.join(given)})` leaves the depth where it is" if others else "the depth is named twice",
                f"write `swap(depth,{names[-1]})`",
            )
        if others[0] not in names:
            raise GeometryError(
                "E206",
                f"{source} has no axis `{others[0]}`",
                f"write `swap(depth,{names[0]})`"
                if len(names) == 1
                else f"its axes are {' and '.join(f'`{name}`' for name in names)}",
            )
        return cls(names.index(others[0]))

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        extents = list(source.spatial)
        extents[self.axis] = source.channels
        return Shape(source.spatial[self.axis], tuple(extents))

    def window(self, *inputs: Shape) -> Window:
        (source,) = inputs
        whole, own = AxisReads((0,), (source.spatial[self.axis] - 1,), 0), AxisReads((0,), (0,), 1)
        return Window("reads", reads=tuple([whole if at == self.axis else own for at in range(source.rank)]))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return 1

    def without_effect(self, *inputs: Shape) -> str | None:
        return "a single value stays where it is" if inputs[0].elements == 1 else None

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        order = list(range(inputs[0].rank + 2))
        order[1], order[2 + self.axis] = order[2 + self.axis], order[1]
        return (TorchCall("torch.permute", (("dims", tuple(order)),)),)
