"""GLU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from convsize.geometry import POINTWISE, Shape, Window
from convsize.ops.base import Argument, Kind, MapsRead, Op, Parameter, Saved, SaveMode, TorchCall, Values, Work
from convsize.ops.shared.arguments import require_parts


class GLU(Op):
    """Gated linear unit: the first half of the depth times the sigmoid of the second half.

    Spec
        `glu`.
    Shape
        D@L… -> D/2@L…; 2 must divide the depth.
    Window
        its own position.
    Parameters
        none.
    MACs
        none. FLOPs: 4 an output (exponential, addition, division, multiplication).
    Saved for backward
        its input.
    PyTorch
        nn.GLU over dimension 1.
    Source
        Dauphin et al. 2017, language modelling with gated convolutional networks.
    """

    NAME: ClassVar[str] = "GLU"
    KIND: ClassVar[Kind] = "activation"
    VALUES: ClassVar[Values] = "any"
    STEM: ClassVar[str] = "glu"
    SPELLING: ClassVar[str] = "glu"

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls()

    def output(self, *inputs: Shape) -> Shape:
        require_parts("E204", "halves", 2, inputs[0].channels)
        return Shape(inputs[0].channels // 2, inputs[0].spatial)

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return 1

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return (Work("activation", 4 * output.elements),)

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return (Saved("input"),) if mode.needs[0] else ()

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        return (TorchCall("nn.GLU", (("dim", 1),)),)
