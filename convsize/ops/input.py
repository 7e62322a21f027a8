"""Input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import (
    POINTWISE,
    GeometryError,
    Shape,
    Window,
)
from convsize.ops.base import Argument, Kind, ParamSpec, TorchCall, Values
from convsize.ops.shared.arguments import (
    require_positive,
    wholes,
)
from convsize.ops.shared.moving import Moving
from convsize.words import plural


class Input(Moving):
    """Input: a volume that enters the network.

    Spec
        `input: 3@224x224`, `input left: 3@224x224`.
    Shape
        as written.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: none.
    Saved for backward
        nothing of its own.
    PyTorch
        an argument of forward.
    Source
        LeCun et al. 1998: depth@height×width, as in the figure of LeNet-5.
    """

    NAME: ClassVar[str] = "input"
    KIND: ClassVar[Kind] = "input"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "input"
    SPELLING: ClassVar[str] = "input: 3@224x224"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("dims", variadic=True),)

    shape: Shape

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        dims = wholes(arguments["dims"])
        return cls(Shape(dims[0], dims[1:]))

    def output(self, *inputs: Shape) -> Shape:
        require_positive("the depth of an input", self.shape.channels)
        for axis, extent in enumerate(self.shape.spatial):
            require_positive(f"extent {axis + 1} of an input", extent)
        if self.shape.rank > 3:
            raise GeometryError(
                "E206",
                f"an input over {plural(self.shape.rank, 'axis')}: volumes have one to three",
                "write `3@224x224`",
            )
        return self.shape

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return ()
