"""Difference of branches."""

from __future__ import annotations

from typing import ClassVar

from convsize.geometry import Shape
from convsize.ops.add import Add
from convsize.ops.base import Kind, TorchCall, Values


class Subtract(Add):
    """Difference of branches, value by value, from left to right. One that is 1 in space, 1 in depth, or flat, meets
    every position or every map of the other: `(x - GAP)` takes away the mean of every map.

    Spec
        `(a - b)`, with spaces.
    Shape
        the largest of the branches on every axis, where each of the others has the same extent or 1.
    Window
        its own position; a branch that is 1 in space is seen from everywhere.
    Parameters
        none.
    MACs
        none. FLOPs: n - 1 an element for n branches.
    Saved for backward
        nothing.
    PyTorch
        torch.sub, from left to right; a flat branch gets axes of 1.
    Source
        Koch et al. 2015, siamese networks: `(@left - @right) abs`.
    """

    NAME: ClassVar[str] = "difference"
    KIND: ClassVar[Kind] = "difference"
    VALUES: ClassVar[Values] = "linear"
    STEM: ClassVar[str] = "sub"
    SPELLING: ClassVar[str] = "-"
    WORD: ClassVar[str] = "difference"

    def torch(self, *inputs: Shape) -> tuple[TorchCall, ...]:
        if len({shape.rank for shape in inputs}) == 1:
            return (TorchCall("torch.sub"),)
        return (TorchCall("convsize.Difference"),)
