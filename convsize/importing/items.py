"""Items: what a series of the language holds."""

from __future__ import annotations

from convsize.importing.tokens import Expr, Token
from convsize.record import Record

__all__ = ["Bind", "Block", "Branches", "Item", "Leaf", "Repeat", "Series", "Start", "Tap"]


class Leaf(Record):
    """A layer by its number in the graph, or a call of a block: then its last layer, and its first one."""

    token: Token
    layer: int
    first: int = -1
    words: int = 1


class Start(Record):
    """`x`, the value that entered."""


class Tap(Record):
    """`@name`: the value of a layer that is named elsewhere."""

    layer: int


class Bind(Record):
    """`as name`, which names the value of a layer."""

    layer: int


class Branches(Record):
    """Branches that begin at one value, and how they are put together: a sign, or `cat`.

    source: the depth of the value that they begin at; 0 where they begin at several.
    """

    sign: str
    branches: tuple[tuple[Item, ...], ...]
    layer: int
    source: int = 0


class Repeat(Record):
    """A series that is repeated; its tokens are those of the first iteration."""

    body: tuple[Item, ...]
    count: int | Expr


class Block(Record):
    """A definition: its parameters with the texts of their defaults, None for those without."""

    name: str
    parameters: tuple[tuple[str, str | None], ...]
    body: tuple[Item, ...]


Item = Leaf | Start | Tap | Bind | Branches | Repeat
Series = tuple[Item, ...]
