"""Which activations work in place, on the storage of their input."""

from __future__ import annotations

from collections.abc import Set

from convsize.graph.network import Network, Node
from convsize.ops.base import SaveMode, TorchCall

_FRESH = frozenset(
    {f"nn.{name}{rank}d" for name in ("Conv", "ConvTranspose", "BatchNorm") for rank in (1, 2, 3)}
    | {"nn.Linear", "nn.GroupNorm", "torch.add", "convsize.Sum", "torch.sub", "convsize.Difference"}
    | {"convsize.StdConv"}
)
"""Calls that return a storage that nothing else holds, and whose backward does not read it. Views, and dropout, which
hands its input on in evaluation, do not."""


def in_place(network: Network) -> frozenset[int]:
    """The indices of the nodes that overwrite their input.

    An activation does so where its backward reads its output (ReLU, leaky ReLU with a positive slope, ELU), where
    nothing else reads its input, which is no output of the network, and where the layer before made that storage
    itself and needs it no more: convolutions, fully connected layers, batch and group norms and sums keep their inputs
    for backward, never their outputs.
    """
    readers = [0] * len(network.nodes)
    for node in network.nodes:
        for index in node.inputs:
            readers[index] += 1
    for index in network.outputs.values():
        readers[index] += 1
    return alike(network, {node.index for node in network.layers if _overwrites(network, node, readers)})


def alike(network: Network, found: Set[int]) -> frozenset[int]:
    """Those of some layers that are chosen at every use of their shared block: it is one module."""
    kept = {node.shared for node in network.layers if node.shared is not None and node.index not in found}
    return frozenset(index for index in found if network.nodes[index].shared not in kept)


def _makes_storage(calls: tuple[TorchCall, ...]) -> bool:
    """Whether a layer's result is a storage of its own; what crops it copies it."""
    own = [call for call in calls if call.target != "F.pad"]
    return bool(own) and own[-1].kernel in _FRESH


def _overwrites(network: Network, node: Node, readers: list[int]) -> bool:
    if not node.op.in_place or readers[node.inputs[0]] != 1:
        return False
    before = network.nodes[node.inputs[0]]
    if not before.inputs or not _makes_storage(before.op.torch(*network.input_shapes(before))):
        return False
    kept = before.op.saved(network.input_shapes(before), before.output, SaveMode(1, needs=(True,) * len(before.inputs)))
    return all(saved.what != "output" for saved in kept)
