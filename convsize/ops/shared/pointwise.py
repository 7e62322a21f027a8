"""What ops that take one position at a time and keep the volume have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from convsize.geometry import POINTWISE, Shape, Window
from convsize.ops.base import Argument, MapsRead, Op, Parameter


class Pointwise(Op):
    """An op that takes one position at a time, keeps the volume as it is, and has no parameters: no MACs either.

    Its arithmetic and what backward keeps of it, every op states for itself, and its arguments where it has any.
    """

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Argument], source: Shape) -> Self:
        return cls()

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINTWISE

    def maps_read(self, *inputs: Shape) -> MapsRead:
        return inputs[0].channels

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0
