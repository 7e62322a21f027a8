"""What ops that take one position at a time and keep the volume have in common."""

from __future__ import annotations

from convsize.geometry import POINTWISE, Shape, Window
from convsize.ops.base import MapsRead, Op, Parameter


class Pointwise(Op):
    """An op that takes one position at a time, keeps the volume as it is, and has no parameters.

    What it costs and what backward keeps of it, every op states for itself.
    """

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()
