"""Centre crop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    AxisWindow,
    Extents,
    GeometryError,
    Shape,
    Window,
    per_axis,
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
from convsize.ops.shared.arguments import (
    extents_of_tap,
    require_positive,
    wholes,
)
from convsize.ops.shared.moving import Moving
from convsize.ops.shared.windows import (
    axis_name,
    pad_call,
    require_spatial,
)
from convsize.words import grid_word, plural


class Crop(Moving):
    """Centre crop to given extents, or to a tap's, as the skip connections of a U-Net on unpadded convolutions need it.

    Spec
        `crop(h,w)`; one number for every axis. `crop(@up)`: to the extents of the tap, whatever they are.
    Shape
        D@L -> D@l per axis, l that of the tap where there is one; where L - l is odd, one pixel more is cut off at the
        end.
    Window
        1 per axis, with negative padding.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing.
    PyTorch
        F.pad with negative amounts; those that `stem.shape` gives for a tap.
    Source
        Ronneberger et al. 2015, U-Net.
    """

    NAME: ClassVar[str] = "centre crop"
    KIND: ClassVar[Kind] = "reshaping"
    VALUES: ClassVar[Values] = "moved"
    EXTENTS: ClassVar[ExtentRule] = "cropped"
    STEM: ClassVar[str] = "crop"
    SPELLING: ClassVar[str] = "crop(h,w)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("extents", variadic=True, like=True),)

    extents: Extents

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        require_spatial("cropping", source)
        extents = arguments["extents"]
        if isinstance(extents, Shape):
            kept = extents_of_tap(extents, source)
            for axis, (extent, target) in enumerate(zip(source.spatial, kept, strict=True)):
                if target > extent:
                    pixels = f"{plural(extent, grid_word(source.rank))} of the {axis_name(source, axis)}"
                    raise GeometryError(
                        "E210",
                        f"the tap {extents} is larger than the {pixels} of what is cropped",
                        "crop the larger of the two to the smaller one",
                    )
            return cls(kept)
        return cls(per_axis(wholes(extents), source.rank))

    def _axes(self, source: Shape) -> tuple[AxisWindow, ...]:
        axes = []
        for extent, target in zip(source.spatial, self.extents, strict=True):
            before = (extent - target) // 2
            axes.append(AxisWindow(1, before=-before, after=before - (extent - target)))
        return tuple(axes)

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        for axis, (extent, target) in enumerate(zip(source.spatial, self.extents, strict=True)):
            name = axis_name(source, axis)
            require_positive(f"the {name} that a crop leaves", target)
            if target > extent:
                raise GeometryError(
                    "E210",
                    f"a crop to {target} is larger than the {plural(extent, grid_word(source.rank))} of the {name}",
                    f"crop to at most {extent}",
                )
        return Shape(source.channels, self.extents)

    def window(self, *inputs: Shape) -> Window:
        return Window("axes", self._axes(inputs[0]))

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (pad_call(tuple((axis.before, axis.after) for axis in self._axes(inputs[0]))),)
