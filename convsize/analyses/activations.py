"""Activations: the values and bytes of every layer's output."""

from __future__ import annotations

from convsize.graph.network import Network
from convsize.record import Record


class Activation(Record):
    """A layer's output for the whole batch. An input is no layer's output and counts nothing."""

    elements: int
    bytes: int


def activations(network: Network, batch: int, itemsize: int) -> list[Activation]:
    """The output of every node, by index: batch·C·H·W values of `itemsize` bytes."""
    found = []
    for node in network.nodes:
        elements = batch * node.output.elements if node.inputs else 0
        found.append(Activation(elements, elements * itemsize))
    return found
