"""Activations: the values and bytes of every layer's output."""

from __future__ import annotations

from typing import NamedTuple

from convsize.graph.network import Network


class Activation(NamedTuple):
    """A layer's output: its values for one sample, and its bytes for the whole batch.

    An input is no layer's output and counts nothing.
    """

    elements: int
    bytes: int


def activations(network: Network, batch: int, itemsize: int) -> list[Activation]:
    """The output of every node, by index: C·H·W values, batch·C·H·W·itemsize bytes."""
    each = batch * itemsize
    found = []
    for node in network.nodes:
        elements = node.output.elements if node.inputs else 0
        found.append(Activation(elements, elements * each))
    return found
