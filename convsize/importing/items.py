"""Items: what a series of the language holds."""

from __future__ import annotations

from convsize.importing.tokens import Token
from convsize.record import Record

__all__ = ["Bind", "Branches", "Item", "Leaf", "Series", "Start", "Tap"]


class Leaf(Record):
    """A layer by its number in the graph."""

    token: Token
    layer: int


class Start(Record):
    """`x`, the value that entered."""


class Tap(Record):
    """`@name`: the value of a layer that is named elsewhere."""

    layer: int


class Bind(Record):
    """`as name`, which names the value of a layer."""

    layer: int


class Branches(Record):
    """Branches that begin at one value, and how they are put together: a sign, or `cat`."""

    sign: str
    branches: tuple[tuple[Item, ...], ...]
    layer: int


Item = Leaf | Start | Tap | Bind | Branches
Series = tuple[Item, ...]
