"""Which names a piece of the syntax tree mentions."""

from __future__ import annotations

from collections.abc import Iterator

from convsize.errors import Span
from convsize.language.tree import Call, DefStmt, Function, Name, Tap
from convsize.record import Record


class Uses(Record):
    """The names under a node of the tree: as numbers or arguments, as blocks or words, and as taps."""

    names: frozenset[str]
    calls: frozenset[str]
    taps: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """All names but those of taps."""
        return self.names | self.calls


_LEAVES = frozenset({Span, str, int, bool, type(None)})
"""What most fields of a node hold, and nothing is in."""


def nodes_of(tree: object) -> Iterator[object]:
    """Every record and tuple of a tree, the root included."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if type(node) in _LEAVES:
            continue
        if isinstance(node, tuple):
            waiting += node
        elif isinstance(node, Record):
            waiting += node.values()
        else:
            continue
        yield node


def uses_of(tree: object) -> Uses:
    """What a tree mentions."""
    names, calls, taps = set(), set(), set()
    for node in nodes_of(tree):
        if isinstance(node, Name):
            names.add(node.name)
        elif isinstance(node, Call | Function):
            calls.add(node.name.name)
        elif isinstance(node, Tap):
            taps.add(node.name)
    return Uses(frozenset(names), frozenset(calls), frozenset(taps))


def params_of(definition: DefStmt) -> frozenset[str]:
    """The names of a block's parameters, which hide those of the file."""
    return frozenset(param.name.name for param in definition.params)
