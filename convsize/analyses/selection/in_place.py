"""Which activations work in place, on the storage of their input."""

from __future__ import annotations

from convsize.graph.network import Network, Node
from convsize.ops.add import Add
from convsize.ops.base import SaveMode
from convsize.ops.batch_norm import BatchNorm
from convsize.ops.convolution import Convolution
from convsize.ops.depthwise import DepthwiseConvolution
from convsize.ops.elu import ELU
from convsize.ops.fully_connected import FullyConnected
from convsize.ops.group_norm import GroupNorm
from convsize.ops.leaky_relu import LeakyReLU
from convsize.ops.relu import ReLU
from convsize.ops.transposed import TransposedConvolution

# PyTorch has `inplace` for ReLU6, SiLU, hardswish, mish and hardsigmoid as well. Their backward needs the input, so in
# place autograd first clones it: nothing is saved, and training pays for a copy. They are left out.
_ACTIVATIONS = (ReLU, LeakyReLU, ELU)

# These return a storage that nothing else holds, and their backward does not read it. Views (flatten, slices), and
# dropout, which hands its input on in evaluation, do not.
_PRODUCERS = (Convolution, DepthwiseConvolution, TransposedConvolution, FullyConnected, BatchNorm, GroupNorm, Add)


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
    return frozenset(node.index for node in network.layers if _overwrites(network, node, readers))


def _overwrites(network: Network, node: Node, readers: list[int]) -> bool:
    if not isinstance(node.op, _ACTIVATIONS) or readers[node.inputs[0]] != 1:
        return False
    if isinstance(node.op, LeakyReLU) and node.op.negative_slope <= 0:
        return False  # the sign of the output no longer tells that of the input
    before = network.nodes[node.inputs[0]]
    if not isinstance(before.op, _PRODUCERS):
        return False
    kept = before.op.saved(network.input_shapes(before), before.output, SaveMode(1, needs=(True,) * len(before.inputs)))
    return all(saved.what != "output" for saved in kept)
