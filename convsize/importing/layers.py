"""Layers: what a call list computes, in the words of the language, as a graph."""

from __future__ import annotations

from typing import Any

from convsize.importing.calls import Scope
from convsize.record import Record

__all__ = ["JOINS", "Graph", "Held", "Layer", "Obstacle"]

JOINS = ("+", "*", "-", "/", "cat")
"""Kinds that take several values; `cat` is written with brackets."""


class Held(Record):
    """A parameter or buffer of the model as a layer holds it: its axes in this order, then reshaped.

    An empty order leaves them as they are.
    """

    path: str
    order: tuple[int, ...] = ()


class Layer(Record):
    """One layer.

    kind: its mnemonic or word, a join, or `input`. numbers: its arguments by name, sizes as tuples by axis. volume: its
    output, depth first; a vector has no extents. weights: what it holds, by the role in the language.
    """

    kind: str
    numbers: tuple[tuple[str, Any], ...]
    inputs: tuple[int, ...]
    volume: tuple[int, ...]
    weights: tuple[tuple[str, Held], ...] = ()
    scope: tuple[Scope, ...] = ()

    def number(self, name: str) -> Any:
        """The argument of a name; None where it has none."""
        return dict(self.numbers).get(name)

    def having(self, **numbers: Any) -> Layer:
        """The same layer with other arguments."""
        return self.replace(numbers=tuple({**dict(self.numbers), **numbers}.items()))


class Obstacle(Record):
    """A call that a spec cannot say: the op, where it stands, and what it computes."""

    op: str
    meaning: str
    path: str
    kind: str


class Graph(Record):
    """The layers in an order in which each follows its inputs; outputs by label; what stands in the way.

    unread: the parameters that no output needs, with how many values each has.
    """

    layers: tuple[Layer, ...]
    outputs: tuple[tuple[str, int], ...]
    obstacles: tuple[Obstacle, ...] = ()
    unread: tuple[tuple[str, int], ...] = ()
