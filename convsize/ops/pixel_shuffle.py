"""Pixel shuffle."""

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
    require_spatial,
)


class PixelShuffle(Moving):
    """Pixel shuffle: r·r maps become one that is r times as high and as wide.

    Spec
        `pixelshuffle(r)`, 2-D only.
    Shape
        D@H×W -> D/r²@r·H×r·W; r² must divide the depth.
    Window
        transposed, r wide with stride r on both axes.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing.
    PyTorch
        nn.PixelShuffle.
    Source
        Shi et al. 2016, sub-pixel convolution.
    """

    NAME: ClassVar[str] = "pixel shuffle"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    STEM: ClassVar[str] = "pixelshuffle"
    SPELLING: ClassVar[str] = "pixelshuffle(r)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("r"),)

    upscale_factor: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(whole(arguments["r"]))

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        require_positive("the factor", self.upscale_factor)
        require_spatial("pixel shuffle", source)
        if source.rank != 2:
            raise GeometryError(
                "E206", f"pixel shuffle needs two axes, the input has {source.rank}", "use `up(2)` or `T2/2`"
            )
        parts = self.upscale_factor**2
        if source.channels % parts:
            raise GeometryError(
                "E204",
                f"{self.upscale_factor}² = {parts} does not divide the depth {source.channels}: "
                f"{source.channels}/{parts} leaves {source.channels % parts}",
                f"make the depth before it a multiple of {parts}",
            )
        return Shape(source.channels // parts, tuple(extent * self.upscale_factor for extent in source.spatial))

    def window(self, *inputs: Shape) -> Window:
        factor = self.upscale_factor
        return Window("axes", (AxisWindow(factor, factor, transposed=True),) * 2)

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels // self.upscale_factor**2

    def without_effect(self, *inputs: Shape) -> str | None:
        return "every extent stays as it is" if self.upscale_factor == 1 else None

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.PixelShuffle", (("upscale_factor", self.upscale_factor),)),)
