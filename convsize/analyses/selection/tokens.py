"""Tokens: which values of a network are whole numbers that name rows of a table."""

from __future__ import annotations

from convsize.errors import UsageError
from convsize.graph.network import Network, Node


def token_values(network: Network) -> frozenset[int]:
    """The indices of the nodes whose values are tokens: inputs that an embedding reads, and what only moves those.

    Raises UsageError where an embedding reads what a layer has computed, or where a layer computes with tokens.
    """
    found: set[int] = set()
    for node in network.layers:
        if node.op.reads_tokens():
            _mark(network, node, found)
    for node in network.layers:
        if not found.intersection(node.inputs) or node.op.reads_tokens():
            continue
        if node.op.VALUES != "moved" or not found.issuperset(node.inputs):
            source = next(network.nodes[index].name for index in node.inputs if index in found)
            raise UsageError(
                f"{network.name}: {node.name} (`{node.spec}`) computes with the tokens of {source}, which are whole "
                "numbers that name rows of a table: let it read what the embedding makes of them"
            )
        found.add(node.index)
    return frozenset(found)


def _mark(network: Network, reader: Node, found: set[int]) -> None:
    """Marks what holds the tokens that a layer reads."""
    waiting = list(reader.inputs)
    while waiting:
        node = network.nodes[waiting.pop()]
        if node.index in found:
            continue
        if node.inputs and node.op.VALUES != "moved":
            raise UsageError(
                f"{network.name}: {reader.name} (`{reader.spec}`) reads tokens, and {node.name} (`{node.spec}`) gives "
                "numbers that it has computed: embed an input, directly or behind layers that only move values"
            )
        found.add(node.index)
        waiting.extend(node.inputs)
