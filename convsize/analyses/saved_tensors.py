"""Saved for backward: which storages autograd holds after a forward pass in training."""

from __future__ import annotations

from typing import Literal, NamedTuple

from convsize.analyses.in_place import in_place
from convsize.analyses.logits import trailing_softmax
from convsize.graph.network import Network, Node
from convsize.ops.base import SaveMode
from convsize.ops.channel_slice import Slice
from convsize.ops.drop_path import DropPath
from convsize.ops.dropout import Dropout
from convsize.ops.flatten import Flatten
from convsize.ops.reshape import Reshape
from convsize.ops.shuffle import Shuffle


class KeptBytes(NamedTuple):
    """What a node holds for backward, in bytes of the whole batch.

    output: its output's storage, where any layer keeps it (0 where it is another node's storage, or the caller's
    input); extra: tensors that its own backward needs besides: indices, masks, statistics, copies.
    """

    output: int
    extra: int


def saved_for_backward(
    network: Network, batch: int, itemsize: int = 4, device: Literal["cpu", "cuda"] = "cpu"
) -> list[KeptBytes]:
    """The bytes that autograd holds of every node after a forward pass in training, by index.

    Their sum is what the graph holds besides parameters, buffers and inputs: a storage that several layers keep counts
    once, and a view's is that of the whole tensor. Everything trains, activations work in place where they can, and a
    softmax that ends an output is left out: the loss is computed from the logits.
    """
    overwriting = in_place(network)
    dropped = trailing_softmax(network)
    flows = [False] * len(network.nodes)
    home = list(range(len(network.nodes)))
    kept: set[int] = set()
    extras = [0] * len(network.nodes)
    for node in network.layers:
        if node.index in dropped:
            continue
        needs = tuple(flows[index] for index in node.inputs)
        trains = any(parameter.role != "buffer" for parameter in network.parameters(node))
        flows[node.index] = trains or any(needs)
        if node.index in overwriting or _hands_on(network, node):
            home[node.index] = home[node.inputs[0]]
        mode = SaveMode(batch, device, inplace=node.index in overwriting, needs=needs, itemsize=itemsize)
        for saved in node.op.saved(network.input_shapes(node), node.output, mode):
            if saved.what == "input":
                kept.add(home[node.inputs[saved.place]])
            elif saved.what == "output":
                kept.add(home[node.index])
            elif saved.what == "extra":
                extras[node.index] += saved.size
    return [
        KeptBytes(
            batch * node.output.elements * itemsize if node.inputs and node.index in kept else 0, extras[node.index]
        )
        for node in network.nodes
    ]


def _hands_on(network: Network, node: Node) -> bool:
    """Whether the output is a view of the input's storage, or the input itself."""
    op = node.op
    if isinstance(op, Dropout | DropPath):
        return op.p == 0
    if isinstance(op, Shuffle):
        return op.groups in (1, network.input_shapes(node)[0].channels)
    return isinstance(op, Flatten | Reshape | Slice)
