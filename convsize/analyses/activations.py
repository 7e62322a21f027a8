"""Activations: the values and bytes of every layer's output."""

from __future__ import annotations

from convsize.analyses.selection.tokens import TOKEN, token_values
from convsize.graph.network import Network
from convsize.record import Record


class Activation(Record):
    """A layer's output for the whole batch. An input is no layer's output and counts nothing."""

    elements: int
    bytes: int


def activations(network: Network, batch: int, itemsize: int) -> list[Activation]:
    """The output of every node, by index: batch·C·H·W values of `itemsize` bytes, of 8 where they are tokens."""
    tokens = token_values(network, strict=False)
    found = []
    for node in network.nodes:
        elements = batch * node.output.elements if node.inputs else 0
        found.append(Activation(elements, elements * (TOKEN if node.index in tokens else itemsize)))
    return found
