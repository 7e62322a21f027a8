"""Space to depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    AxisWindow,
    GeometryError,
    Rounding,
    Shape,
    Window,
)
from convsize.ops.base import (
    Argument,
    Kind,
    MapsRead,
    ParamSpec,
    TorchCall,
    Values,
)
from convsize.ops.shared.arguments import (
    require_positive,
    whole,
)
from convsize.ops.shared.moving import Moving
from convsize.ops.shared.windows import (
    axis_name,
    require_spatial,
)


class PixelUnshuffle(Moving):
    """Space to depth: blocks of r by r positions become one position with r·r times as many maps.

    Spec
        `unshuffle(r)`, 2-D only; the opposite of `pixelshuffle(r)`. Of D maps `unshuffle(r) shuffle(D)` has the maps
        of one position together, as TResNet has them.
    Shape
        D@H×W -> r²·D@H/r×W/r; r must divide height and width. The r² positions of a map stay together in the depth,
        row by row.
    Window
        r wide with stride r on both axes.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing.
    PyTorch
        nn.PixelUnshuffle.
    Source
        Shi et al. 2016, backwards; the Focus layer of YOLOv5, which orders the maps otherwise: position by position.
    """

    NAME: ClassVar[str] = "space to depth"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    STEM: ClassVar[str] = "unshuffle"
    SPELLING: ClassVar[str] = "unshuffle(r)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("r"),)
    rounding: ClassVar[Rounding] = "exact"

    downscale_factor: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(whole(arguments["r"]))

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        factor = self.downscale_factor
        require_positive("the factor", factor)
        require_spatial("space to depth", source)
        if source.rank != 2:
            raise GeometryError("E206", f"space to depth needs two axes, the input has {source.rank}", "use `C2/2p0`")
        for axis, extent in enumerate(source.spatial):
            if extent % factor:
                rest, name = extent % factor, axis_name(source, axis)
                raise GeometryError(
                    "E201",
                    f"{factor} does not divide the {name}: {extent}/{factor} leaves {rest}",
                    f"use an input that divides, or pad before it: `pad(0,{factor - rest})`",
                )
        return Shape(source.channels * factor**2, tuple(extent // factor for extent in source.spatial))

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", (AxisWindow(self.downscale_factor, self.downscale_factor),) * 2)

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def without_effect(self, *inputs: Shape) -> str | None:
        return "every extent stays as it is" if self.downscale_factor == 1 else None

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.PixelUnshuffle", (("downscale_factor", self.downscale_factor),)),)
