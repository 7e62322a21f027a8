"""Tensors of fixed values: what a file holds, and what is computed from that alone."""

from __future__ import annotations

from typing import Any

__all__ = ["Fixed", "text"]


def text(value: str | bytes) -> str:
    """A text of a file; where it is no UTF-8, protobuf gives its bytes."""
    return value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")


class Fixed:
    """A tensor that does not depend on the input. `learned`: the file lists it with its weights."""

    __slots__ = ("array", "learned", "name")

    def __init__(self, name: str, array: Any, learned: bool = False) -> None:
        self.name = name
        self.array = array
        self.learned = learned

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return tuple(map(int, self.array.shape))

    @property
    def numbers(self) -> list[Any]:
        """Its values, row by row, as Python's numbers."""
        return list(self.array.flatten().tolist())

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers."""
        return str(self.array.dtype).startswith(("int", "uint"))
