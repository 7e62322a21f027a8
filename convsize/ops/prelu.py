"""Parametric ReLU."""

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
    whole,
)
from convsize.words import plural


class PReLU(Op):
    """Parametric ReLU: x where x > 0, a·x elsewhere, a learned.

    Spec
        `prelu`: one slope for all maps; `prelu(64)`: one a map, as many as the input is deep.
    Shape
        as its input.
    Window
        its own position.
    Parameters
        weight n, the slopes.
    MACs
        none. FLOPs: 2 an element (comparison, multiplication).
    Saved for backward
        input and slopes.
    PyTorch
        nn.PReLU.
    Source
        He et al. 2015, delving deep into rectifiers.
    """

    NAME: ClassVar[str] = "PReLU"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "prelu"
    SPELLING: ClassVar[str] = "prelu(n)"
    PARAMS: ClassVar[tuple[ParamSpec, ...]] = (ParamSpec("n", required=False, default=1),)

    num_parameters: int

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls(whole(arguments["n"]))

    def output(self, *inputs: Shape) -> Shape:
        (source,) = inputs
        if self.num_parameters not in (1, source.channels):
            raise GeometryError(
                "E111",
                f"{plural(self.num_parameters, 'slope')} for {plural(source.channels, 'map')}: there must be one for "
                "all or one per map",
                f"write `prelu` or `prelu({source.channels})`",
            )
        return source

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", (self.num_parameters,)),)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 2 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        if not (mode.needs[0] or mode.trains):
            return ()
        return (Saved("input"), Saved("parameter", name="weight"))

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.PReLU", (("num_parameters", self.num_parameters),)),)
