"""One call of a layer: its arguments, the values that it is given, and its weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convsize.importing.given import Given
from convsize.importing.keras.values import Value
from convsize.importing.writer import CallError, Wire, Writer
from convsize.words import plural

__all__ = ["Called", "Orders", "Writes"]

Orders = dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
"""How a weight of PyTorch is made from Keras's, by its path: the axes that it is seen in, and their order."""


class Called(Given):
    """The arguments of a layer and what it is called with.

    inputs: the tensors among the call's positional arguments; of operations `operands` has the numbers as well.
    """

    __slots__ = ("inputs", "keras3", "named", "operands", "orders", "writer")

    def __init__(
        self,
        writer: Writer,
        path: str,
        given: dict[str, Any],
        operands: tuple[Any, ...],
        named: dict[str, Any],
        keras3: bool | None,
        orders: Orders,
    ) -> None:
        super().__init__(given, path)
        self.writer = writer
        self.operands = operands
        self.named = named
        self.keras3 = keras3
        self.orders = orders
        several = operands[0] if len(operands) == 1 and isinstance(operands[0], tuple) else operands
        self.inputs = [each for each in several if isinstance(each, Value)]

    @property
    def value(self) -> Value:
        """The only tensor that it is called with."""
        if len(self.inputs) != 1 or len(self.operands) != 1:
            raise CallError(
                f"it is called with {plural(len(self.inputs), 'tensor')} and "
                f"{plural(len(self.operands), 'argument')}, not one"
            )
        return self.inputs[0]

    @property
    def data_format(self) -> str:
        """channels_last or channels_first."""
        if self.values.get("data_format") is None:
            return "channels_last"
        return self.text("data_format", "channels_last", "channels_first")

    def volume(self, axes: int) -> Wire:
        """The tensor with its depth first, which must have so many axes of positions."""
        found = self.value.first(self.data_format)
        if found.rank != axes:
            raise CallError(f"it works over {plural(axes, 'axis')} of positions, and is given {found.rank}")
        return found

    def param(self, role: str, shape: tuple[int, ...], seen: tuple[int, ...] = (), order: tuple[int, ...] = ()) -> Wire:
        """A weight that is trained: Keras's, seen in these axes, then in another order, then in its shape."""
        if order:
            self.orders[f"{self.path}/{role}"] = (seen, order)
        return self.writer.param(f"{self.path}/{role}", shape)

    def kernel(self, role: str, shape: tuple[int, ...]) -> Wire:
        """A weight whose two depths stand last in Keras, in the other order."""
        axes = len(shape) - 2
        return self.param(role, shape, (*shape[2:], shape[1], shape[0]), (axes + 1, axes, *range(axes)))

    def depthwise(self, role: str, shape: tuple[int, ...], depth: int) -> Wire:
        """A weight of depthwise filters, of which Keras has several a map on an axis of their own."""
        axes = len(shape) - 2
        return self.param(role, shape, (*shape[2:], depth, shape[0] // depth), (axes, axes + 1, *range(axes)))

    def buffer(self, role: str, shape: tuple[int, ...]) -> Wire:
        """A weight that is counted, not trained."""
        return self.writer.buffer(f"{self.path}/{role}", shape)


Writes = Callable[[Called], Value]
