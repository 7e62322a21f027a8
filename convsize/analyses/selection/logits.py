"""Logits: where a network ends in a softmax, the values before it."""

from __future__ import annotations

from convsize.graph.network import Network


def trailing_softmax(network: Network) -> frozenset[int]:
    """The indices of the softmax and log-softmax layers that end an output and that nothing else reads.

    They belong to inference. Training computes its loss from the logits before them (cross entropy has the
    log-softmax in itself), so its memory has no place for them.
    """
    read = {index for node in network.nodes for index in node.reads}
    ends = network.outputs.values()
    return frozenset(end for end in ends if end not in read and network.nodes[end].op.ends_in_logits)
