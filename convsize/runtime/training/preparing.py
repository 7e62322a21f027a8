"""What is trained: the network with its new heads, and the module with the weights that it begins with."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from convsize.analyses.selection.frozen import frozen_layers
from convsize.analyses.selection.logits import trailing_softmax
from convsize.errors import UsageError
from convsize.graph.network import Network
from convsize.graph.new_head import NewHead
from convsize.lowering.plan import lower
from convsize.records import RunSettings
from convsize.runtime.layouts import to_channels_last
from convsize.runtime.module import NetworkModule, build_module
from convsize.runtime.training.objective import Head
from convsize.runtime.transfer import load_weights
from convsize.words import listed, plural


def build(
    network: Network, settings: RunSettings, heads: tuple[Head, ...], new_head: NewHead | None, *, fresh: bool
) -> tuple[NetworkModule, list[str]]:
    """The module in training mode on its device, and what was done, sentences for the user.

    Weights are drawn on the processor, so that they are the same on every device. Where the run is `fresh` those of
    `settings.init` are put over them; one that goes on gets its weights from its checkpoint.

    Raises UsageError where a pattern names no layer, or weights do not fit.
    """
    said: list[str] = []
    plan = lower(network, logits=True, checkpoint=settings.checkpoint)
    dropped = trailing_softmax(network)
    if dropped:
        ends = listed([network.nodes[index].name for index in sorted(dropped)])
        said.append(f"{ends} left out in training: the loss takes its input")
    torch.manual_seed(settings.seed)
    module = build_module(plan)
    if settings.init and fresh:
        new, old = (new_head.layers(network), new_head.dropped) if new_head is not None else (frozenset(), frozenset())
        said += load_weights(Path(settings.init), module, fresh=new, dropped=old)
    if settings.frozen:
        frozen = frozen_layers(network, settings.frozen)
        names = [network.nodes[index].name for index in sorted(frozen)]
        module.freeze(name for name in names if name in module.layer_names)
        said.append(f"not trained: {plural(len(names), 'layer')}, {names[0]} to {names[-1]}")
    idle = _idle(network, heads)
    for name in idle & _submodules(module):
        module.get_submodule(name).requires_grad_(False)
    module.to(settings.device)
    if settings.channels_last:
        if any(len(each.dims) == 3 for each in plan.inputs):
            to_channels_last(module)
        else:
            raise UsageError("--channels-last is for networks of images, with inputs of two extents")
    return module.train(), said


def _idle(network: Network, heads: tuple[Head, ...]) -> set[str]:
    """The layers that no trained output depends on: processes that train together wait for no gradient of them."""
    used: set[int] = set()
    for head in heads:
        used |= {network.outputs[head.name], *network.ancestors(network.outputs[head.name])}
    working = {node.module for node in network.layers if node.index in used}
    return {node.module for node in network.layers if node.index not in used} - working


def _submodules(module: nn.Module) -> set[str]:
    return {name for name, _ in module.named_modules()}
