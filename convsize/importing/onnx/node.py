"""Nodes: one operator of a graph with its inputs and attributes."""

from __future__ import annotations

import math
from typing import Any

from convsize.importing.calls import BATCH
from convsize.importing.onnx.fixed import Fixed
from convsize.importing.writer import CallError, Wire, Writer

__all__ = ["Holder", "Node"]


class Holder:
    """The weights that calls take from a file, each in the order of axes that PyTorch has.

    A tensor that is used again is copied: files keep equal tensors once, whether they are one weight or not.
    """

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.arrays: dict[str, Any] = {}
        """The values of every weight by its path."""
        self.copied: list[str] = []
        self._uses: dict[str, int] = {}

    def weight(self, fixed: Fixed, order: tuple[int, ...] | None = None, buffer: bool = False) -> Wire:
        """A weight of the call list for a tensor of the file."""
        array = fixed.array if order is None else fixed.array.transpose(order)
        times = self._uses[fixed.name] = self._uses.get(fixed.name, 0) + 1
        path = fixed.name if times == 1 else f"{fixed.name}.{times}"
        if times == 2:
            self.copied.append(fixed.name)
        self.arrays[path] = array
        shape = tuple(map(int, array.shape))
        return self.writer.buffer(path, shape) if buffer else self.writer.param(path, shape)


class Node:
    """One node. inputs: tensors, fixed or computed, None where one is left out."""

    __slots__ = ("attributes", "batch", "holder", "inputs", "kind", "opset", "outputs", "writer")

    def __init__(
        self,
        kind: str,
        attributes: dict[str, Any],
        inputs: list[Wire | Fixed | None],
        outputs: list[str],
        holder: Holder,
        opset: int,
        batch: int,
    ) -> None:
        self.kind = kind
        self.attributes = attributes
        self.inputs = inputs
        self.outputs = outputs
        self.holder = holder
        self.writer = holder.writer
        self.opset = opset
        self.batch = batch
        """Samples that the file is made for; 0 for any number."""

    def whole(self, name: str, default: int) -> int:
        """An attribute that is a whole number."""
        found = self.attributes.get(name)
        return default if found is None else int(found.i)

    def number(self, name: str, default: float) -> float:
        """An attribute that is a number, as people write it: in float32 a hundredth is 0.009999999776482582."""
        found = self.attributes.get(name)
        if found is None:
            return default
        if not math.isfinite(found.f):
            raise CallError(f"its `{name}` is {found.f}")
        return float(f"{found.f:.7g}")

    def ints(self, name: str) -> list[int] | None:
        """An attribute of whole numbers; None where it is left out."""
        found = self.attributes.get(name)
        return None if found is None else [int(each) for each in found.ints]

    def text(self, name: str, default: str) -> str:
        """An attribute that is a text."""
        found = self.attributes.get(name)
        return default if found is None else found.s.decode("utf-8", "replace")

    def given(self, at: int) -> Wire | Fixed | None:
        """An input; None where it is left out."""
        return self.inputs[at] if at < len(self.inputs) else None

    def numbers(self, at: int) -> list[Any] | None:
        """The values of a fixed input; None where it is left out."""
        found = self.given(at)
        if isinstance(found, Wire):
            raise CallError("its sizes are computed from the input")
        return None if found is None else found.numbers

    def wire(self, at: int = 0) -> Wire:
        """An input that is computed from the model's."""
        found = self.given(at)
        if not isinstance(found, Wire):
            raise CallError("it works on fixed values alone" if found else "an input is missing")
        return found

    def fixed(self, at: int, what: str) -> Fixed | None:
        """An input that must be fixed."""
        found = self.given(at)
        if isinstance(found, Wire):
            raise CallError(f"its {what} are computed from the input")
        return found

    def weight(self, at: int, what: str, order: tuple[int, ...] | None = None, buffer: bool = False) -> Wire | None:
        """An input as a weight; None where it is left out."""
        found = self.fixed(at, what)
        return None if found is None else self.holder.weight(found, order, buffer)

    def sizes(self, wanted: list[int], x: Wire) -> tuple[int, ...]:
        """The sizes of a view. A file that is made for a number of samples names it; here there are BATCH."""
        sizes = [x.shape[at] if each == 0 and at < len(x.shape) else each for at, each in enumerate(wanted)]
        fixed = self.batch not in (0, BATCH) and bool(sizes) and sizes[0] == self.batch and x.shape[0] == BATCH
        return (BATCH, *sizes[1:]) if fixed else tuple(sizes)
