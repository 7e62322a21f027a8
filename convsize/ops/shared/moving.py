"""What ops that only move values have in common."""

from __future__ import annotations

from convsize.geometry import Shape
from convsize.ops.base import Op, Parameter, Saved, SaveMode, Work


class Moving(Op):
    """An op that moves values and computes none: no parameters, no arithmetic, and nothing that backward needs."""

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return 0

    def work(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Work, ...]:
        return ()

    def saved(self, inputs: tuple[Shape, ...], output: Shape, mode: SaveMode) -> tuple[Saved, ...]:
        return ()
