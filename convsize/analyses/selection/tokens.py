"""Tokens: which values of a network are whole numbers that name rows of a table."""

from __future__ import annotations

from convsize.errors import UsageError
from convsize.graph.network import Network, Node

TOKEN = 8
"""Bytes of a token, an int64."""


def token_values(network: Network, *, strict: bool = True) -> frozenset[int]:
    """The indices of the nodes whose values are tokens: inputs that an embedding reads, and what only moves those.

    Raises UsageError where an embedding reads what a layer has computed, or where a layer computes with tokens; where
    it is not `strict` such a layer's values are no tokens.
    """
    readers = [node for node in network.layers if node.op.reads_tokens()]
    found: set[int] = set()
    for node in readers:
        _mark(network, node, found, strict)
    for node in network.layers if found else ():
        if not found.intersection(node.inputs) or node.op.reads_tokens():
            continue
        if node.op.VALUES == "moved" and found.issuperset(node.inputs):
            found.add(node.index)
        elif strict:
            source = next(network.nodes[index].name for index in node.inputs if index in found)
            raise UsageError(
                f"{network.name}: {node.name} (`{node.spec}`) computes with the tokens of {source}, which are indices "
                "into a table: let it read the output of the embedding"
            )
    return frozenset(found)


def _mark(network: Network, reader: Node, found: set[int], strict: bool) -> None:
    """Marks what holds the tokens that a layer reads."""
    waiting = list(reader.inputs)
    while waiting:
        node = network.nodes[waiting.pop()]
        if node.index in found:
            continue
        if not node.inputs or node.op.VALUES == "moved":
            found.add(node.index)
            waiting.extend(node.inputs)
        elif strict:
            raise UsageError(
                f"{network.name}: {reader.name} (`{reader.spec}`) reads tokens, and {node.name} (`{node.spec}`) "
                "computes its values: embed an input, directly or after layers that only move values"
            )
