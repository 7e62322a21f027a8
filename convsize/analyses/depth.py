"""Depth: how many weight layers lie on the longest path, the "16" of VGG-16."""

from __future__ import annotations

from collections.abc import Sequence

from convsize.analyses.facts import Facts
from convsize.graph.network import Network


def weight_depths(network: Network, facts: Sequence[Facts]) -> list[int]:
    """For every node the largest number of convolutions and fully connected layers on any path that ends with it.

    These are the layers that do multiply-adds: VGG-16 has 16, GoogLeNet 22, ResNet-152 152.
    """
    depths: list[int] = []
    for node, fact in zip(network.nodes, facts, strict=True):
        before = max([depths[index] for index in node.inputs], default=0)
        depths.append(before + (fact.macs > 0))
    return depths
