"""Receipts: every output volume, every parameter and buffer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from convsize.graph.network import Network
from convsize.records import Line
from convsize.runtime.module import NetworkModule
from convsize.runtime.verify.lines import agreement


def volumes(network: Network, module: NetworkModule, inputs: list[Tensor], batch: int) -> Line:
    """The shape of what every layer gives."""
    seen: dict[str, tuple[int, ...]] = {}
    with torch.no_grad():
        module.run(tuple(inputs), see=lambda name, value: seen.__setitem__(name, tuple(value.shape)))
    expected = {node.name: (batch, *node.output.dims) for node in network.layers}
    return agreement("output volumes", "volumes", expected, seen, f"every layer's, batch {batch}")


def tensors(network: Network, module: nn.Module) -> Line:
    """The entries of the state_dict, and which of them train."""
    expected = {
        f"{node.module}.{each.name}": (each.role != "buffer", each.shape)
        for node in network.layers
        for each in network.own_parameters(node)
    }
    trained = {name for name, _ in module.named_parameters()}
    found = {name: (name in trained, tuple(value.shape)) for name, value in module.state_dict().items()}
    return agreement("parameters and buffers", "tensors", expected, found, "by name, shape and requires_grad")
